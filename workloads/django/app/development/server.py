"""What `bin/dev` runs: a database, its migrations, sample notes and Django's own server."""

import os
import secrets
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
    address = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
    try:
        python = [sys.executable]
        steps = [["-m", "runtime.release", "migrate"], ["manage.py", "sample_notes"]]
        for step in steps:
            subprocess.run([*python, *step], cwd=ROOT, env={**environment, **master}, check=True)
        return subprocess.run(
            [*python, "manage.py", "runserver", address], cwd=ROOT, env=environment, check=False
        ).returncode
    except KeyboardInterrupt:
        return 0
    except subprocess.CalledProcessError as error:
        return error.returncode
    finally:
        database.stop()


if __name__ == "__main__":
    sys.exit(main())
