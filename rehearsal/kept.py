"""Rehearsals that were left up with `--keep`: found again, and taken down."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal.door import Door
from rehearsal.door.browser import Browsers
from rehearsal.emulator import Emulator, EmulatorError

PREFIX = f"lz-rehearsal-{os.getuid()}-"
STATE = "rehearsal.json"


def new_directory() -> Path:
    """Make the private folder of one rehearsal; all that it writes is in there."""
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def remember(directory: Path, state: dict[str, Any]) -> None:
    """Mark a rehearsal as kept.

    Args:
        directory: its folder.
        state: how to reach it.
    """
    (directory / STATE).write_text(json.dumps(state, indent=2), encoding="utf-8")


def kept(root: Path) -> Iterator[Path]:
    """Find the kept rehearsals of a project.

    Args:
        root: the project.
    """
    for state in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{STATE}")):
        # Another user could make such a folder in a shared place.
        if state.stat().st_uid == os.getuid() and json.loads(state.read_text())["project"] == str(root):
            yield state.parent


def take_down(directory: Path) -> None:
    """Stop a rehearsal's processes and remove its folder.

    Args:
        directory: its folder.
    """
    Browsers(directory).close()
    Door(directory / "door").stop()
    # It may have ended by itself, with the machine for instance: then its folder alone is left.
    with contextlib.suppress(EmulatorError):
        Emulator.attach(directory / "aws", answering=False).stop()
    shutil.rmtree(directory, ignore_errors=True)
