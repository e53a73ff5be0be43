"""Processes as the operating system sees them: what one was started with, and the end of a whole group."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_POLL_SECONDS = 0.05
_GRACE_SECONDS = (
    0.5  # between SIGTERM and SIGKILL; open connections would keep the server up, and it saves nothing
)
_DEATH_SECONDS = 5.0  # a killed process is gone at once, unless the machine is very busy


def command_line(pid: int) -> str:
    """The arguments that a process was started with; empty if it does not run."""
    arguments = Path(f"/proc/{pid}/cmdline")
    if arguments.parent.parent.joinpath("self").exists():
        with contextlib.suppress(OSError):
            return arguments.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    listing = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout


def is_running(pid: int, text: str) -> bool:
    """Whether a process still is what it was: its number may have been given away since.

    Args:
        pid: its number.
        text: part of the arguments that it was started with.
    """
    return text in command_line(pid)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait a few seconds, at the most, for what is about to be so.

    Args:
        holds: whether it is.
    """
    _wait(lambda: not holds(), _DEATH_SECONDS)


def end_group(leader: int, runs: Callable[[], bool]) -> None:
    """End a process and all that it started: with SIGTERM, then with SIGKILL.

    Args:
        leader: the process, which leads its group.
        runs: whether it still runs.
    """
    _signal(leader, signal.SIGTERM)
    _wait(runs, _GRACE_SECONDS)
    # Always: what it started is in the group, and the group goes on after its leader has ended.
    _signal(leader, signal.SIGKILL)
    _wait(runs, _DEATH_SECONDS)


def _signal(leader: int, number: signal.Signals) -> None:
    """Send a signal to a group that may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _wait(runs: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while runs() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
