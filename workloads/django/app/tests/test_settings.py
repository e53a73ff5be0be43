"""Nothing insecure by default, nothing missing without an error, nothing that polls."""

import pytest
from django.conf import settings

from tests.conftest import script
from tests.settings import STAGE

READ_SETTINGS = ("python", "-c", "import project.settings")


def without(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


def test_refuses_a_missing_secret_key() -> None:
    refused = script(*READ_SETTINGS, **without("DJANGO_SECRET_KEY"))
    assert refused.returncode != 0
    assert "set DJANGO_SECRET_KEY in the environment" in refused.stderr


def test_names_everything_that_is_missing_at_once() -> None:
    refused = script(*READ_SETTINGS, **without("MEDIA_BUCKET", "DATABASE_PASSWORD", "CELERY_QUEUE_URL"))
    assert "set DATABASE_PASSWORD, MEDIA_BUCKET, CELERY_QUEUE_URL in the environment" in refused.stderr


def test_debug_still_needs_a_key_and_has_local_defaults_for_the_rest() -> None:
    nothing = without(*(name for name in STAGE if name != "DJANGO_SECRET_KEY"))
    assert script(*READ_SETTINGS, DJANGO_DEBUG="1", **nothing).returncode == 0
    nothing["DJANGO_SECRET_KEY"] = ""
    assert "set DJANGO_SECRET_KEY" in script(*READ_SETTINGS, DJANGO_DEBUG="1", **nothing).stderr


def test_refuses_a_visibility_timeout_that_leaves_no_time_to_work() -> None:
    refused = script(*READ_SETTINGS, CELERY_VISIBILITY_TIMEOUT="60")
    assert "CELERY_VISIBILITY_TIMEOUT is 60; give 120 seconds or more" in refused.stderr


def test_refuses_a_port_that_is_no_number() -> None:
    assert "DATABASE_PORT is 'abc'" in script(*READ_SETTINGS, DATABASE_PORT="abc").stderr


def test_the_deployment_check_is_clean() -> None:
    checked = script("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


@pytest.mark.django_db
def test_every_model_change_has_its_migration() -> None:
    checked = script("python", "manage.py", "makemigrations", "--check", "--dry-run")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_database_is_encrypted_unless_told_otherwise() -> None:
    show = "from project.settings import DATABASES; print(DATABASES['default']['OPTIONS'])"
    assert "'sslmode': 'require'" in script("python", "-c", show, **without("DATABASE_SSLMODE")).stdout
    strict = {"DATABASE_SSLMODE": "verify-full", "DATABASE_SSLROOTCERT": "/etc/rds.pem"}
    printed = script("python", "-c", show, **strict).stdout
    assert "'sslmode': 'verify-full'" in printed
    assert "'sslrootcert': '/etc/rds.pem'" in printed


def test_no_connection_is_kept() -> None:
    assert settings.DATABASES["default"]["CONN_MAX_AGE"] == 0


def test_no_key_for_aws_is_a_setting() -> None:
    assert not [name for name in dir(settings) if "ACCESS_KEY" in name]


def test_old_secret_keys_stay_valid_for_a_while() -> None:
    show = "from project.settings import SECRET_KEY_FALLBACKS; print(SECRET_KEY_FALLBACKS)"
    printed = script("python", "-c", show, DJANGO_SECRET_KEY_FALLBACKS="old, older")
    assert printed.stdout.strip() == "['old', 'older']"


def test_one_place_composes_a_database_url_for_projects_that_want_it() -> None:
    opt_in = 'sed s/compose_database_url=0/compose_database_url=1/ bin/env >"$TMPDIR/env"; . "$TMPDIR/env"'
    printed = script("sh", "-c", f'{opt_in}; echo "$DATABASE_URL"', "bin/web")
    password = "the%20application%27s%20p%25ssword"
    server = f"127.0.0.1:{STAGE['DATABASE_PORT']}/fieldnotes?sslmode=disable"
    assert printed.stdout.strip() == f"postgresql://fieldnotes:{password}@{server}", printed.stderr
