"""What `bin/dev` runs: a database, its migrations, sample notes and Django's own server."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from development.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".dev"


def kept_secret(name: str) -> str:
    """Return a random value that stays the same between runs on this machine."""
    path = STATE / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def main() -> int:
    STATE.mkdir(exist_ok=True)
    database = Postgres(STATE / "postgres", superuser_password=kept_secret("master"))
    database.start()
    master = {"DATABASE_MASTER_USER": database.superuser, "DATABASE_MASTER_PASSWORD": kept_secret("master")}
    environment = {
        **os.environ,
        "DJANGO_DEBUG": "1",
        "DJANGO_SECRET_KEY": kept_secret("django"),
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(database.port),
        "DATABASE_NAME": "postgres",
        "DATABASE_USER": "fieldnotes",
        "DATABASE_PASSWORD": kept_secret("application"),
    }
    address = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that `kill` stops the database, too
    try:
        for step in (["-m", "runtime.release", "migrate"], ["manage.py", "sample_notes"]):
            subprocess.run([sys.executable, *step], cwd=ROOT, env={**environment, **master}, check=True)
        return serve(["manage.py", "runserver", address], environment)
    except KeyboardInterrupt:
        return 0
    except subprocess.CalledProcessError as error:
        return error.returncode
    finally:
        database.stop()


def serve(command: list[str], environment: dict[str, str]) -> int:
    """Run a command and all that it starts, until it ends or we are told to."""
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, start_new_session=True
    ) as process:
        try:
            return process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
