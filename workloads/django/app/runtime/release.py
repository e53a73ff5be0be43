"""The release step, run once per stage on the new image before its containers start.

    python -m runtime.release            everything, in this order
    python -m runtime.release migrate    wait for the database, its user, the migrations
    python -m runtime.release static     the static files

The exit code decides over the deployment. Every part may run again at any time. The last line of the log is for the
pipeline: which migrations the database has now.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterable

import django
from django.conf import settings
from django.core.management import CommandError, call_command

from runtime import aws, migrations, static_upload
from runtime.database import (
    DatabaseError,
    Server,
    ensure_application_user,
    one_at_a_time,
    wait_until_ready,
)

logger = logging.getLogger("runtime.release")


class _LogStream:
    """Turns the printed lines of a management command into log lines."""

    def __init__(self) -> None:
        self._line = ""

    def write(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            if line.strip():
                logger.info(line.strip())

    def flush(self) -> None:
        """Do nothing: a line is complete when its end arrives."""


def server(*, user: str | None = None, password: str | None = None) -> Server:
    """Return the configured database, entered as the application's user unless told otherwise."""
    configured = settings.DATABASES["default"]
    return Server(
        host=configured["HOST"],
        port=configured["PORT"],
        name=configured["NAME"],
        user=user or configured["USER"],
        password=password or configured["PASSWORD"],
        options=configured["OPTIONS"],
    )


def migrate(run: migrations.MigrationRun) -> None:
    """Prepare the database for this image: the user first (with the master's rights), then its tables."""
    wait = float(os.environ.get("RELEASE_DATABASE_WAIT") or 120)
    application = server()
    if master_user := os.environ.get("DATABASE_MASTER_USER"):
        master = server(user=master_user, password=os.environ.get("DATABASE_MASTER_PASSWORD"))
        wait_until_ready(master, seconds=wait)
        ensure_application_user(master, user=application.user, password=application.password)
    wait_until_ready(application, seconds=wait)
    with one_at_a_time(application):
        # A migration that waits for a lock makes every later query wait behind it: better to give up early,
        # while the old version serves on. libpq reads this variable, so it holds for Django's connection.
        limit = os.environ.get("MIGRATION_LOCK_TIMEOUT") or "15s"
        os.environ["PGOPTIONS"] = f"-c lock_timeout={limit}"
        run.run(_LogStream())
        call_command("clearsessions")  # here, so that nothing has to wake the database for it


def static(_run: migrations.MigrationRun) -> None:
    """Publish this image's static files."""
    if not settings.STATIC_BUCKET:
        raise static_upload.StaticFilesError("set STATIC_BUCKET to the bucket behind STATIC_URL")
    static_upload.publish(aws.client("s3"), bucket=settings.STATIC_BUCKET, root=settings.STATIC_ROOT)


PARTS = {"migrate": migrate, "static": static}


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the parts that were asked for; stop at the first that fails."""
    parser = argparse.ArgumentParser(prog="bin/release", description="Prepare a stage for this image.")
    parser.add_argument("part", nargs="?", choices=PARTS, help="one part alone; default: all of them")
    chosen = parser.parse_args(None if arguments is None else list(arguments)).part
    django.setup()
    run = migrations.MigrationRun()
    done = all(_succeeds(name, run) for name in ([chosen] if chosen else PARTS))
    if done:
        logger.info("release: done")
    if run.summary:
        logger.info("release: migrations", extra={migrations.SUMMARY: run.summary})
    return 0 if done else 1


def _succeeds(name: str, run: migrations.MigrationRun) -> bool:
    """Run one part and log how it went."""
    logger.info("release: %s", name)
    try:
        PARTS[name](run)
    except (DatabaseError, static_upload.StaticFilesError, CommandError) as error:
        logger.error("release: %s failed: %s", name, error)
    except migrations.MigrationError as error:
        logger.exception("release: %s failed: %s", name, error)  # with the migration's own traceback
    except Exception:
        logger.exception("release: %s failed", name)
    else:
        return True
    return False


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    sys.exit(main())
