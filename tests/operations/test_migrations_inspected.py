"""Asking an image for its migrations: a real project, a real PostgreSQL, the real linter; docker alone is played."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from operations.commands.image import _summary
from operations.releases.inspection import inspect, probe_variables, write_migrations
from operations.releases.migrations import Migrations, read_migrations
from operations.releases.squawk import POSTGRES_VERSION, lint
from operations.releases.throwaway import ThrowAway
from tests import documents

# `docker run --rm --interactive --network host --env A=b ... IMAGE COMMAND...`, as a process in the image's folder.
DOCKER = """#!{python}
import os, sys
words, environment = sys.argv[2:], {{"PATH": {path!r}}}
while words[0].startswith("--"):
    if words.pop(0) == "--env":
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    elif words[0] == "host":
        words.pop(0)
os.chdir({image!r})
os.execvpe(words[1], words[1:], environment)
"""


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, programs = tmp_path / "image", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (programs / "python").symlink_to(sys.executable)
    docker = programs / "docker"
    path = f"{programs}:/usr/bin:/bin"
    docker.write_text(DOCKER.format(python=sys.executable, path=path, image=str(folder)), encoding="utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return folder


def _inspected(workload: str = documents.WORKLOAD) -> Migrations:
    configuration = documents.configured(documents.sample())
    return inspect(configuration, workload, image="image", digest=documents.DIGEST, login=nullcontext())


def test_an_image_without_django_says_so_and_is_never_silently_empty(image: Path, tmp_path: Path) -> None:
    (image / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")\n')
    found = _inspected()
    assert not found.inspected
    assert "no Python in the image told its migrations" in str(found.problem)
    assert "NOT known" in _summary(found)
    assert read_migrations(write_migrations(found, tmp_path / "out")) == found


def test_an_image_that_names_no_settings_says_so(image: Path) -> None:
    found = _inspected()
    assert not found.inspected
    assert "neither DJANGO_SETTINGS_MODULE nor a manage.py names the settings" in str(found.problem)


def test_without_docker_nothing_is_known_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = _inspected()
    assert not found.inspected
    assert "docker was not found" in str(found.problem)


def test_a_project_gets_its_own_names_of_variables_and_the_place_of_the_throw_away_database() -> None:
    document = documents.changed(
        {
            "workload.injected_variables": {"DATABASE_HOST": "PGHOST_OF_MINE", "DJANGO_SECRET_KEY": "SECRET"},
            "staging.variables": {"FEATURE": "on"},
        }
    )
    place = ThrowAway(port=5555, password="x")
    found = probe_variables(documents.configured(document), documents.WORKLOAD, place)
    assert found["PGHOST_OF_MINE"] == "127.0.0.1"
    assert "DATABASE_HOST" not in found
    assert found["SECRET"].startswith("placeholder")
    assert found["FEATURE"] == "on"
    assert found["DATABASE_URL"] == "postgresql://postgres:x@127.0.0.1:5555/postgres?sslmode=disable"
    assert "x@" not in repr(place)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('ALTER TABLE "t" DROP COLUMN "c";', {("ban-drop-column", "breaks")}),
        ('ALTER TABLE "t" RENAME COLUMN "a" TO "b";', {("renaming-column", "breaks")}),
        ('ALTER TABLE "t" ALTER COLUMN "c" SET NOT NULL;', {("adding-not-nullable-field", "breaks")}),
        ('CREATE INDEX "i" ON "t" ("c");', {("require-concurrent-index-creation", "locks")}),
        ('BEGIN; CREATE TABLE "n" ("c" bigint); CREATE INDEX "i" ON "n" ("c"); COMMIT;', set()),
        ('CREATE INDEX CONCURRENTLY "i" ON "t" ("c");', set()),
        ("SELEC 1;", {("syntax-error", "unknown")}),
    ],
)
def test_what_squawk_says_is_what_it_means_for_a_release(sql: str, expected: set[tuple[str, str]]) -> None:
    assert {(one.concern.rule, one.concern.effect) for one in lint(sql)} == expected


def test_sql_is_judged_for_the_postgresql_that_is_deployed() -> None:
    text = (Path(__file__).parents[2] / "workloads" / "django" / "database.py").read_text(encoding="utf-8")
    assert f"VER_{POSTGRES_VERSION}_" in text
