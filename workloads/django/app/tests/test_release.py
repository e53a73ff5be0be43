"""The release step against a server whose master is no superuser, as on RDS."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections

from development.postgres import Postgres, free_port
from runtime.database import DatabaseError, Server, ensure_application_user, wait_until_ready
from tests.conftest import script, superuser
from tests.settings import MASTER, STAGE

ODD_USER = 'app "of" o\'connor'
ODD_PASSWORD = "p'w\"%s$1\\ ü;--"


def server(user: str, password: str, **changes: object) -> Server:
    options = {"sslmode": "disable"}
    place = {
        "host": "127.0.0.1",
        "port": int(STAGE["DATABASE_PORT"]),
        "name": "fieldnotes",
        "options": options,
    }
    return Server(user=user, password=password, **{**place, **changes})


MASTER_SERVER = server(MASTER["DATABASE_MASTER_USER"], MASTER["DATABASE_MASTER_PASSWORD"])


@pytest.mark.django_db
def test_the_application_is_no_superuser_and_owns_its_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("fieldnotes", False, False, False)
        cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchall() == [("fieldnotes",)]
        cursor.execute("SELECT pg_has_role('fieldnotes', 'master', 'MEMBER')")
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db
def test_nobody_else_may_enter_the_database_or_make_tables_in_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datacl::text FROM pg_database WHERE datname = 'fieldnotes'")
        [granted] = cursor.fetchone()
        assert "{=" not in granted, "PUBLIC has no right"
        assert ",=" not in granted
        assert "fieldnotes=Tc/master" in granted
        cursor.execute("SELECT has_schema_privilege('public', 'public', 'CREATE')")
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db
def test_a_second_release_changes_nothing_and_succeeds() -> None:
    again = script("bin/release", "migrate", **MASTER)
    assert again.returncode == 0, again.stdout
    assert "No migrations to apply." in again.stdout
    assert '"new": false' in again.stdout


@pytest.mark.django_db
def test_rotates_the_password_whatever_is_in_it(postgres: Postgres) -> None:
    for password in ("first", ODD_PASSWORD):
        ensure_application_user(MASTER_SERVER, user=ODD_USER, password=password)
    server(ODD_USER, ODD_PASSWORD).connect().close()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        server(ODD_USER, "first").connect()
    log = postgres.statements()
    assert "ALTER ROLE" in log, "this server logs every statement"
    assert ODD_PASSWORD not in log
    assert STAGE["DATABASE_PASSWORD"] not in log
    assert "'first'" not in log


def test_the_application_must_not_be_the_master() -> None:
    with pytest.raises(DatabaseError, match="DATABASE_USER and DATABASE_MASTER_USER are both 'master'"):
        ensure_application_user(MASTER_SERVER, user="master", password="x")


def test_a_password_is_in_no_representation() -> None:
    assert MASTER["DATABASE_MASTER_PASSWORD"] not in repr(MASTER_SERVER)


@pytest.mark.django_db
def test_a_wrong_password_fails_at_once_and_is_not_printed() -> None:
    started = time.monotonic()
    refused = script(
        "bin/release", "migrate", DATABASE_MASTER_USER="master", DATABASE_MASTER_PASSWORD="hunter2"
    )
    assert refused.returncode == 1
    assert "password authentication failed" in refused.stdout
    for password in ("hunter2", STAGE["DATABASE_PASSWORD"], STAGE["DJANGO_SECRET_KEY"]):
        assert password not in refused.stdout + refused.stderr
    assert time.monotonic() - started < 10


@pytest.mark.django_db
def test_a_server_without_tls_is_refused_by_default() -> None:
    refused = script("bin/release", "migrate", DATABASE_SSLMODE="", **MASTER)
    assert refused.returncode == 1
    assert "server does not support SSL, but SSL was required" in refused.stdout


def test_the_wait_for_a_server_that_does_not_come_has_an_end() -> None:
    nobody = server("master", "x", port=free_port())
    with pytest.raises(DatabaseError, match=r"did not answer within 1 s.*raise RELEASE_DATABASE_WAIT"):
        wait_until_ready(nobody, seconds=1, pause=0.2)


@pytest.mark.django_db(transaction=True)
def test_the_wait_tolerates_a_server_that_comes_late(postgres: Postgres) -> None:
    connections.close_all()
    postgres.stop()
    late = threading.Timer(1.5, postgres.start)
    late.start()
    started = time.monotonic()
    wait_until_ready(MASTER_SERVER, seconds=30, pause=0.2)
    assert time.monotonic() - started > 1
    late.join()


@pytest.mark.django_db
def test_two_releases_at_the_same_time_both_succeed_on_an_empty_database() -> None:
    with superuser() as root:
        root.execute("CREATE DATABASE twice OWNER master")
    with ThreadPoolExecutor(2) as pool:
        runs = list(
            pool.map(lambda _: script("bin/release", "migrate", DATABASE_NAME="twice", **MASTER), range(2))
        )
    assert [run.returncode for run in runs] == [0, 0], runs[0].stdout + runs[1].stdout
    assert "".join(run.stdout for run in runs).count("Applying fieldnotes.0001_initial... OK") == 1


@pytest.mark.django_db
def test_a_failing_migration_fails_the_release_before_anything_else_happens() -> None:
    with superuser() as root:
        root.execute("CREATE DATABASE broken OWNER master")
    with psycopg.connect(
        host="127.0.0.1",
        port=STAGE["DATABASE_PORT"],
        dbname="broken",
        user="master",
        password=MASTER["DATABASE_MASTER_PASSWORD"],
    ) as master:
        master.execute("CREATE TABLE fieldnotes_note (id int)")
    failed = script("bin/release", DATABASE_NAME="broken", **MASTER)
    assert failed.returncode == 1
    assert 'relation \\"fieldnotes_note\\" already exists' in failed.stdout
    assert "release: static" not in failed.stdout


def summary(log: str) -> dict[str, Any]:
    """Return what the release says to the pipeline, in the last line of its log."""
    last: dict[str, Any] = json.loads(log.splitlines()[-1])["release_summary"]
    return last


def tables(database: str, prefix: str) -> set[str]:
    query = "SELECT tablename FROM pg_tables WHERE tablename LIKE %s"
    with superuser(database) as root:
        return {name for (name,) in root.execute(query, [f"{prefix}%"])}


@pytest.mark.django_db
def test_the_last_line_says_what_the_database_has_and_what_is_new() -> None:
    with superuser() as root:
        root.execute("CREATE DATABASE told OWNER master")
    first = script("bin/release", "migrate", DATABASE_NAME="told", **MASTER)
    again = script("bin/release", "migrate", DATABASE_NAME="told", **MASTER)
    new, told = summary(first.stdout), summary(again.stdout)
    assert "fieldnotes.0001_initial" in new["new"]
    assert sorted(new["new"]) == sorted(
        f"{app}.{name}" for app, names in new["applied"].items() for name in names
    )
    assert told == {"applied": new["applied"], "new": [], "failed": None}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "left", "words"),
    [
        ("atomic", {"brittle_fine"}, "It was undone: the database has nothing of it."),
        ("halfway", {"brittle_fine", "brittle_half"}, "It is NOT atomic, so what it did before it failed"),
    ],
)
def test_a_failing_migration_is_told_with_what_is_left_of_it(kind: str, left: set[str], words: str) -> None:
    with superuser() as root:
        root.execute(f"CREATE DATABASE {kind} OWNER master")
    settings_module = {"DJANGO_SETTINGS_MODULE": "tests.brittle.settings", "BRITTLE": kind}

    failed = script("bin/release", DATABASE_NAME=kind, **settings_module, **MASTER)

    assert failed.returncode == 1
    assert "release: static" not in failed.stdout
    assert tables(kind, "brittle") == left
    told = summary(failed.stdout)
    assert told["failed"] == {
        "migration": "brittle.0002_fails",
        "atomic": kind == "atomic",
        "error": told["failed"]["error"],
    }
    assert 'relation "brittle_nowhere" does not exist' in told["failed"]["error"]
    assert "brittle.0001_fine" in told["new"]
    assert told["applied"]["brittle"] == ["0001_fine"]
    message = next(
        line for line in failed.stdout.splitlines() if "migration brittle.0002_fails failed" in line
    )
    assert words in message
    assert "brittle.0001_fine" in message
    assert "The old version serves on." in message


def test_an_unknown_part_is_refused() -> None:
    assert script("bin/release", "everything").returncode == 2


def test_the_release_knows_the_place_of_the_database_from_the_settings() -> None:
    assert settings.DATABASES["default"]["USER"] == STAGE["DATABASE_USER"]
