"""What git says about this checkout of the project."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from operations.node import ROOT


@dataclass(frozen=True)
class Checkout:
    """A checkout of the project.

    Args:
        commit: what is checked out, if nothing differs from it; None otherwise, or if git cannot say.
        uncommitted: whether files differ from the commit, or are not in it.
    """

    commit: str | None
    uncommitted: bool


def read_checkout(folder: Path = ROOT) -> Checkout:
    """Ask git what is checked out; files that it ignores do not count.

    Args:
        folder: where; the project's own folder if left out.
    """
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--", ".")
    if changes is None:
        return Checkout(None, uncommitted=False)
    uncommitted = changes != "" or commit is None
    return Checkout(None if uncommitted else commit, uncommitted=uncommitted)


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git writes, None if it fails or is missing."""
    # Only looking: another git that works here must not find a lock.
    command = ["git", "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
