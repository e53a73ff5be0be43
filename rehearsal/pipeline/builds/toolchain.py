"""Lends this project's installed tools to a checkout of it that has the same lock files, so that none is installed.

The checkout gets folders of its own, with a link for each package: what it adds, or removes to install again, is its
own. What it would change inside a package would be this project's, so the packages are looked at afterwards.
"""

import shutil
import subprocess
from pathlib import Path

from operations.node import ROOT

LOCKS = (
    "requirements/lock.txt",
    "requirements/uv.txt",
    "package-lock.json",
    "lz",
)  # as the stamp of `lz` has them
STAMP = ".lz-stamp"
_LARGEST_SCRIPT = (
    65_536  # above it a program is linked; below, it may name the folder that it was installed into
)


class Toolchain:
    """What is installed in a project.

    Args:
        root: the project.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._venv = root / ".venv"
        self._modules = root / "node_modules"
        self._before: dict[str, int] = {}

    def fits(self, checkout: Path) -> bool:
        """Whether a checkout wants just what is installed here, and all of that is installed."""
        stamp = self._venv / STAMP
        return (
            stamp.is_file()
            and stamp.read_text(encoding="utf-8") == _stamp(self._root)
            and all(_same(self._root / name, checkout / name) for name in LOCKS)
            and not (checkout / ".venv").exists()
            and not (checkout / "node_modules").exists()
        )

    def lend(self, checkout: Path) -> None:
        """Give a checkout that `fits` what it would install.

        Args:
            checkout: its folder, which it is called by: scripts name it.
        """
        self._before = self._packages()
        venv = checkout / ".venv"
        for packages in self._venv.glob("lib/python*/site-packages"):
            _link_all(packages, venv / packages.relative_to(self._venv))
        for own in self._venv.iterdir():
            if own.name == "lib64":
                (venv / "lib64").symlink_to("lib")
            elif own.name not in ("lib", "bin", STAMP):
                _give(own, venv / own.name)
        self._copy_programs(venv / "bin", checkout)
        _link_all(self._modules, checkout / "node_modules")
        (venv / STAMP).write_text(_stamp(checkout), encoding="utf-8")

    def changed(self) -> tuple[str, ...]:
        """Name the packages that were changed since they were lent; this project then has to be installed again."""
        after = self._packages()
        changed = tuple(sorted(name for name, _ in {*self._before.items()} ^ {*after.items()}))
        if changed:
            (self._venv / STAMP).unlink(missing_ok=True)
        return tuple(dict.fromkeys(changed))

    def _copy_programs(self, target: Path, checkout: Path) -> None:
        """Copy small programs, which may name the folder that they are in; link large ones, which do not."""
        target.mkdir(parents=True)
        here, there = str(self._venv).encode(), str(checkout / ".venv").encode()
        for program in (self._venv / "bin").iterdir():
            copy = target / program.name
            if program.is_symlink() or program.stat().st_size > _LARGEST_SCRIPT:
                _give(program, copy)
            else:
                copy.write_bytes(program.read_bytes().replace(here, there))
                shutil.copymode(program, copy)

    def _packages(self) -> dict[str, int]:
        """Return when each package's folder was changed: an installer puts files into it, or takes it away."""
        places = [*self._venv.glob("lib/python*/site-packages/*"), *self._modules.iterdir()]
        return {
            str(place.relative_to(self._root)): place.lstat().st_mtime_ns
            for place in places
            if place.name != "__pycache__"  # of single modules, compiled when they are first imported
        }


def _give(own: Path, target: Path) -> None:
    """Link to what is there; a link, such as to the interpreter, is copied as it is."""
    if own.is_symlink():
        target.symlink_to(own.readlink())
    elif own.is_file() and own.stat().st_size <= _LARGEST_SCRIPT:
        shutil.copy2(own, target)
    else:
        target.symlink_to(own)


def _link_all(packages: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for package in packages.iterdir():
        (target / package.name).symlink_to(package)


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def _stamp(root: Path) -> str:
    """Return what `lz` writes when all is installed."""
    done = subprocess.run(
        ["cksum", *(str(root / name) for name in LOCKS)], capture_output=True, text=True, check=False
    )
    return f"{root}\n{done.stdout}"
