"""The landing zone's own release, for a project that brings none: database user, migrations, static files.

It runs as `python manage.py shell -c TEXT`, on the new image, before any of its containers serve. Its exit code decides
over the deployment, and every part of it may run again at any time. It needs Django, the project's PostgreSQL driver,
and boto3 where static files come from the CDN.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mimetypes
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

WAIT_SECONDS = 120  # a database that paused itself needs up to 30 to wake up
ATTEMPT_SECONDS = 10
LOCK = 7_203_115  # any number, the same in every release: two at a time must not migrate
LOCK_TIMEOUT = "15s"  # a migration that waits for a lock makes every later query wait behind it
HASHED, UNHASHED = "public, max-age=31536000, immutable", "public, max-age=300"
PARALLEL = 8


class ReleaseError(Exception):
    """The release cannot go on; the message says what to do."""


def say(message: str, **fields: Any) -> None:
    """Write a line for people; with fields, as JSON."""
    print(json.dumps({"message": message, **fields}) if fields else message, flush=True)


def entered(user: str | None = None, password: str | None = None) -> Any:
    """Return a connection of its own to the project's database, as its configured user unless told otherwise."""
    made = connections.create_connection("default")
    made.settings_dict = {**made.settings_dict, **({"USER": user, "PASSWORD": password} if user else {})}
    options = {**made.settings_dict.get("OPTIONS", {}), "connect_timeout": ATTEMPT_SECONDS}
    options.pop("pool", None)  # Django would take a connection of the application's
    made.settings_dict["OPTIONS"] = options
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            made.ensure_connection()
        except OperationalError as error:
            reason = " ".join(str(error).split())
            if "authentication failed" in reason or "does not exist" in reason:
                # Waiting does not mend it.
                raise ReleaseError(f"the database refuses {made.settings_dict['USER']}: {reason}") from None
            if time.monotonic() > deadline:
                raise ReleaseError(f"the database did not answer within {WAIT_SECONDS} s: {reason}") from None
            say(f"waiting for the database: {reason}")
            time.sleep(2)
        else:
            return made


def scrambled(raw: Any, user: str, password: str) -> str:
    """Return the password as the server keeps it (SCRAM), so that no statement and no log has it."""
    if hasattr(raw, "pgconn"):  # psycopg 3
        made: bytes = raw.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
        return made.decode()
    from psycopg2.extensions import encrypt_password

    return str(encrypt_password(password, user, raw, "scram-sha-256"))


def make_user(master: Any) -> None:
    """Create the application's user, or bring its password and its rights up to date.

    The master is no superuser, as on RDS: no attribute is named that only a superuser may name.
    """
    user, password = connection.settings_dict["USER"], connection.settings_dict["PASSWORD"]
    if user == master.settings_dict["USER"]:
        raise ReleaseError(
            f"the project enters its database as {user}, the master user; let it use DATABASE_USER"
        )
    quoted = master.ops.quote_name
    role, database = quoted(user), quoted(master.settings_dict["NAME"])
    verifier = scrambled(master.connection, user, password)
    with master.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user])
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        for statement in (
            f"{verb} ROLE {role} LOGIN PASSWORD '{verifier}'",  # its letters need no quoting
            # Nobody else may enter the database or make objects in it, which PUBLIC may by default.
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {role}",
        ):
            cursor.execute(statement)
    say(f"the database user {user} is up to date")


def applied_migrations() -> list[tuple[str, str]]:
    """Return what the database has, in the order in which it was applied."""
    return list(MigrationRecorder(connection).applied_migrations())


def migrate() -> None:
    """Apply what is pending, and tell the pipeline what the database has then, also if one fails."""
    executor = MigrationExecutor(connection)
    plan = [one for one, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    before = applied_migrations()
    failure: Exception | None = None
    try:
        call_command("migrate", interactive=False, no_color=True)
    except Exception as error:
        failure = error
        print(flush=True)  # Django has left its line open, and the next one has to be read
        connection.close()  # it may be in the middle of what failed
    after = applied_migrations()
    by_app: dict[str, list[str]] = {}
    for app, name in sorted(after):
        by_app.setdefault(app, []).append(name)
    summary: dict[str, Any] = {
        "applied": by_app,
        "new": [".".join(one) for one in after if one not in before],
        "failed": None,
    }
    culprit = next((one for one in plan if (one.app_label, one.name) not in after), None)
    if failure is not None and culprit is not None:
        summary["failed"] = {
            "migration": f"{culprit.app_label}.{culprit.name}",
            "atomic": culprit.atomic,
            "error": f"{type(failure).__name__}: {' '.join(str(failure).split())}",
        }
    say("migrations", release_summary=summary)
    if failure is not None:
        raise failure


def contents(root: Path) -> dict[str, str]:
    """Return name of a static file -> how long it may be kept: names with a hash of their content for ever."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    manifest = root / "staticfiles.json"
    hashed = set(json.loads(manifest.read_text())["paths"].values()) if manifest.is_file() else set()
    if lost := hashed - set(names):
        raise ReleaseError(f"the manifest names {min(lost)}, which is not in {root}")
    return {name: HASHED if name in hashed else UNHASHED for name in names if name != manifest.name}


def to_publish() -> Path | None:
    """Return the folder with the image's static files; None if the site serves them itself.

    Asked before anything is migrated: a release that cannot be finished leaves the database as it is.
    """
    if "://" not in (settings.STATIC_URL or ""):
        say(f"STATIC_URL is {settings.STATIC_URL}, not the CDN's: the site serves its static files itself")
        return None
    root = Path(settings.STATIC_ROOT or "")
    if not settings.STATIC_ROOT or not root.is_dir():
        raise ReleaseError(
            f"STATIC_ROOT ({settings.STATIC_ROOT}) holds nothing to publish: set it, and let the Dockerfile run"
            " `python manage.py collectstatic --noinput`"
        )
    try:
        import boto3  # noqa: F401
    except ImportError:
        raise ReleaseError(
            "static files go to the CDN with boto3, which the image has not: add it to what it installs"
        ) from None
    return root


def publish(bucket: str, root: Path) -> None:
    """Upload the static files of this image; those of earlier images stay, for pages that are open still."""
    import boto3

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    s3 = boto3.session.Session(region_name=region).client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {entry["Key"]: entry["ETag"].strip('"') for page in pages for entry in page.get("Contents", ())}

    def upload(name: str, kept: str) -> int:
        body = (root / name).read_bytes()
        # S3's tag of an object that was put in one piece, with S3's own encryption.
        if there.get(name) == hashlib.md5(body, usedforsecurity=False).hexdigest():
            return 0
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        s3.put_object(Bucket=bucket, Key=name, Body=body, ContentType=kind, CacheControl=kept)
        return 1

    files = contents(root)
    with ThreadPoolExecutor(PARALLEL) as pool:
        count = sum(pool.map(upload, files, files.values()))
    say(f"static files: {count} uploaded, {len(files) - count} there already")


def release(master_user: str, master_password: str, static_bucket: str) -> None:
    """Do all of it, in this order."""
    say(f"release with Django {django.get_version()} and Python {sys.version.split()[0]}")
    if connection.vendor != "postgresql":
        raise ReleaseError(f"the project's database is {connection.vendor}; the landing zone has PostgreSQL")
    static_files = to_publish()
    with contextlib.closing(entered(os.environ[master_user], os.environ[master_password])) as master:
        make_user(master)
    with contextlib.closing(entered()) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        os.environ["PGOPTIONS"] = f"-c lock_timeout={LOCK_TIMEOUT}"  # libpq reads it
        migrate()
    if static_files is not None:
        publish(os.environ[static_bucket], static_files)
    say("release: done")


def main(*names: str) -> None:
    """Release; the exit code decides over the deployment."""
    try:
        release(*names)
    except ReleaseError as error:
        sys.exit(f"release: {error}")
