"""A foreign Django project is asked for its migrations, with the real Django of a built image and a real PostgreSQL."""

import os
import sys
from contextlib import nullcontext

import pytest

from operations.releases.inspection import inspect
from operations.releases.migrations import Migrations
from rehearsal.checks import Deployed
from rehearsal.engine.cache import cache_directory
from tests import documents
from tests.operations.test_migrations_inspected import DOCKER

pytestmark = pytest.mark.rehearsal

SETTINGS = """
import os
from pathlib import Path
print("settings may print")
SECRET_KEY = os.environ["SECRET"]
INSTALLED_APPS = ["notes"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": "mine", "HOST": os.environ["DB_HOST"],
    "USER": "mine", "PASSWORD": "mine", "OPTIONS": {"sslmode": "verify-full", "sslrootcert": "/no/such/file"},
}}
"""
HEAD = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n"
MIGRATIONS = {
    "0001_initial": """    operations = [migrations.CreateModel("Note", [
        ("id", models.BigAutoField(primary_key=True)), ("title", models.CharField(max_length=20)),
        ("old", models.IntegerField())])]
""",
    "0002_wider": """    dependencies = [("notes", "0001_initial")]
    operations = [migrations.AlterField("note", "title", models.CharField(max_length=90))]
""",
    "0003_required": """    dependencies = [("notes", "0002_wider")]
    operations = [migrations.AddField("note", "rank", models.IntegerField(default=1)),
        migrations.AddField("note", "mood", models.IntegerField(null=True, default=1)),
        migrations.AddField("note", "size", models.IntegerField(db_default=1))]
""",
    "0004_index": """    dependencies = [("notes", "0003_required")]
    operations = [migrations.AddIndex("note", models.Index(fields=["rank"], name="by_rank"))]
""",
    "0005_drop": """    dependencies = [("notes", "0004_index")]
    operations = [migrations.RemoveField("note", "old"), migrations.RenameField("note", "mood", "spirit")]
""",
    "0006_code": """    dependencies = [("notes", "0005_drop")]
    atomic = False
    operations = [migrations.RunPython(lambda apps, editor: None, migrations.RunPython.noop)]
""",
    "0007_fails": """    dependencies = [("notes", "0006_code")]
    operations = [migrations.RunSQL("UPDATE nowhere SET x = 1", migrations.RunSQL.noop)]
""",
}


@pytest.fixture(scope="module")
def found(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Migrations:
    folder = tmp_path_factory.mktemp("foreign")
    image, programs = folder / "image", folder / "bin"
    package = image / "site" / "notes" / "migrations"
    package.mkdir(parents=True)
    programs.mkdir()
    (image / "site" / "manage.py").write_text(
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "own_settings")\n', encoding="utf-8"
    )
    (image / "site" / "own_settings.py").write_text(SETTINGS, encoding="utf-8")
    for file in (package.parent / "__init__.py", package.parent / "models.py", package / "__init__.py"):
        file.touch()
    for name, text in MIGRATIONS.items():
        (package / f"{name}.py").write_text(HEAD + text, encoding="utf-8")
    # The environment of the sample's image, which the rehearsal has built.
    built = cache_directory(os.environ) / "dependencies"
    python = max(built.glob("*/venv/bin/python"), key=lambda path: path.lstat().st_mtime)
    docker = programs / "docker"
    docker.write_text(
        DOCKER.format(python=sys.executable, path=f"{python.parent}:/usr/bin:/bin", image=str(image)),
        encoding="utf-8",
    )
    docker.chmod(0o755)
    document = documents.changed(
        {"workload.injected_variables": {"DATABASE_HOST": "DB_HOST", "DJANGO_SECRET_KEY": "SECRET"}}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        return inspect(
            documents.configured(document),
            documents.WORKLOAD,
            image="image",
            digest=documents.DIGEST,
            login=nullcontext(),
        )


def test_every_migration_is_told_and_judged(found: Migrations) -> None:
    assert found.inspected, found.problem
    assert {migration.name: migration.verdict for migration in found.migrations} == {
        "0001_initial": "expand",
        "0002_wider": "expand",
        "0003_required": "contract",
        "0004_index": "contract",
        "0005_drop": "contract",
        "0006_code": "unknown",
        "0007_fails": "unknown",
    }


def test_each_operation_has_its_own_reason(found: Migrations) -> None:
    rules = {
        migration.name: [{one.rule for one in operation.concerns} for operation in migration.operations]
        for migration in found.migrations
    }
    assert rules["0003_required"] == [{"ban-drop-default"}, set(), set()]
    assert rules["0004_index"] == [{"require-concurrent-index-creation"}]
    assert rules["0005_drop"] == [{"ban-drop-column"}, {"renaming-column"}]
    assert rules["0006_code"] == [{"run-python"}]


def test_the_sql_is_postgresqls_and_what_fails_on_an_empty_database_is_said(found: Migrations) -> None:
    by_name = {migration.name: migration for migration in found.migrations}
    assert 'ALTER TABLE "notes_note" DROP COLUMN "old" CASCADE;' in str(by_name["0005_drop"].sql)
    assert by_name["0006_code"].atomic is False
    assert "it fails on an empty database" in str(by_name["0007_fails"].problem)
    assert not [one for one in found.migrations if one.problem and one.name != "0007_fails"]
