"""An earlier result to compare with: from a file, or by synthesizing another revision of this project."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from compliance.results import RESULT, ComplianceResult, read_result
from operations.errors import CommandError
from operations.node import ROOT

TOOLCHAIN = ("requirements/lock.txt", "requirements/uv.txt", "package-lock.json", "lz")
"""What `./lz` installs from: a revision with the same files runs with what is installed here."""

SECONDS = 1800.0  # of a revision whose toolchain must be installed first
LAST_LINES = 15


def from_file(file: Path) -> ComplianceResult:
    """Read a result that an earlier run wrote.

    Args:
        file: its `compliance.json`.

    Raises:
        CommandError: it is no result, or of another format.
    """
    try:
        return read_result(file)
    except FileNotFoundError:
        message = f"{file} does not exist"
        raise CommandError(message, fix="name the compliance.json of an earlier run") from None
    except (ValidationError, UnicodeDecodeError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        message = f"{file} is no result that this version can read: {first}"
        raise CommandError(
            message, fix="name the compliance.json of an earlier run, or use --since"
        ) from error


def from_revision(revision: str, *, say: Callable[[str], None]) -> tuple[str, ComplianceResult]:
    """Synthesize another revision with every gate, in a worktree of its own, and read what it found.

    Its own code runs, and with its own toolchain if its lock files are others than ours.

    Args:
        revision: anything that git knows: a commit, a tag, `HEAD~3`.
        say: told what is done.

    Returns:
        The commit, in short, and its result, whether it passed or not.

    Raises:
        CommandError: there is no such revision, or it wrote no result.
    """
    commit = _git(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False
    )
    if not commit:
        message = f'git knows no revision "{revision}"'
        raise CommandError(message, fix="name a commit, a tag or a branch; fetch it first")
    short = commit[:10]
    with _worktree(commit) as folder:
        same = all(_same(name, folder) for name in TOOLCHAIN)
        say(f"synthesizing {short} with {'the toolchain of this folder' if same else 'its own toolchain'}")
        done = subprocess.run(
            _command(folder, same=same),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        file = folder / RESULT
        if not file.is_file():
            last = "\n".join((done.stdout + done.stderr).splitlines()[-LAST_LINES:])
            message = f"revision {short} wrote no {RESULT}:\n{last}"
            fix = "name a revision that can be synthesized and writes it, or use --baseline"
            raise CommandError(message, fix=fix, exit_code=1)
        return short, from_file(file)


def _same(name: str, folder: Path) -> bool:
    other = folder / name
    return other.is_file() and other.read_bytes() == (ROOT / name).read_bytes()


def _command(folder: Path, *, same: bool) -> Sequence[str]:
    """Return how its own `lz synth` is started."""
    if not same:
        return ["./lz", "synth"]
    for name in (".venv", "node_modules"):
        (folder / name).symlink_to(ROOT / name, target_is_directory=True)
    return [sys.executable, "-m", "operations", "synth"]


@contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    with TemporaryDirectory(prefix="lz-baseline-") as temporary:
        folder = Path(temporary) / "project"
        _git("worktree", "add", "--quiet", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder), check=False)
            _git("worktree", "prune", check=False)


def _git(*arguments: str, check: bool = True) -> str:
    # Hooks of git set these, and they would name another repository.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, env=kept, capture_output=True, text=True, check=False
    )
    if check and done.returncode != 0:
        message = f"git {arguments[0]} failed: {done.stderr.strip()}"
        raise CommandError(message, exit_code=1)
    return done.stdout.strip() if done.returncode == 0 else ""
