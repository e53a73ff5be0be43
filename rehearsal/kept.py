"""Rehearsals that were left up with `--keep`: found again, and taken down."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from operations.errors import CommandError
from rehearsal.door import Door
from rehearsal.door.browser import Browsers
from rehearsal.emulator import Emulator, EmulatorError
from rehearsal.process_group import command_line

PREFIX = f"lz-rehearsal-{os.getuid()}-"
STATE = "rehearsal.json"
WORK = "work"  # folder for assemblies and images, within a rehearsal's own


def new_directory() -> Path:
    """Make the private folder of one rehearsal; all that it writes is in there."""
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def remember(directory: Path, state: dict[str, Any]) -> None:
    """Mark a rehearsal as kept.

    Args:
        directory: its folder.
        state: how to reach it.
    """
    part = directory / f"{STATE}.part"
    part.write_text(json.dumps(state, indent=2), encoding="utf-8")
    part.replace(directory / STATE)  # whole: others look for it at any time


def kept(root: Path, *, running: bool = False) -> Iterator[Path]:
    """Find the kept rehearsals of a project.

    Args:
        root: the project.
        running: those too that still run, and end by themselves.
    """
    for file in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{STATE}")):
        # Another user could make such a folder in a shared place.
        if file.stat().st_uid != os.getuid():
            continue
        state = json.loads(file.read_text(encoding="utf-8"))
        pid, command = state.get("running") or (0, "")
        if state["project"] == str(root) and (running or not pid or command_line(pid) != command):
            yield file.parent


def refuse_second(root: Path) -> None:
    """Refuse to leave up a second rehearsal of a project: commands with `--rehearsal` would change over to it.

    Args:
        root: the project.

    Raises:
        CommandError: one is up, or is being brought up to be left so.
    """
    for directory in kept(root, running=True):
        state = json.loads((directory / STATE).read_text(encoding="utf-8"))
        try:
            Emulator.attach(directory / "aws", answering=False)
        except EmulatorError:  # it ended with the machine, for instance, and its folder is left
            continue
        if directory in kept(root):
            message = f"a rehearsal of this checkout is up already, in {directory}"
            release = "release this checkout to it: ./lz rehearse --push; or " if state["by_pipeline"] else ""
            raise CommandError(message, fix=f"{release}take it down first: ./lz rehearse --down")
        if state.get("keep"):
            message = f"another terminal brings up a rehearsal of this checkout to be left up, in {directory}"
            fix = "wait for its end, then ./lz rehearse --push or ./lz rehearse --down"
            raise CommandError(message, fix=fix)


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
