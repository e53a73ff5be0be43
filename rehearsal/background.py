"""Processes beside a rehearsal's own: each leads a process group, and ends with its parent unless it is detached."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

LIFELINE = "REHEARSAL_LIFELINE"
_POLL_SECONDS = 0.05


@dataclass
class Line:
    """A pipe that the parent holds open as long as it lives.

    Args:
        variables: what the child's environment gets.
        inherited: file descriptors that the child inherits.
    """

    variables: dict[str, str] = field(default_factory=dict)
    inherited: tuple[int, ...] = ()
    _held: int | None = None

    def keep(self) -> int | None:
        """Take the parent's end, to be closed when the child has ended; None for a detached child."""
        held, self._held = self._held, None
        return held


@contextlib.contextmanager
def lifeline(*, detached: bool) -> Iterator[Line]:
    """Make a lifeline for a child that is started in the body.

    Args:
        detached: make none.
    """
    if detached:
        yield Line()
        return
    child, parent = os.pipe()
    line = Line({LIFELINE: str(child)}, (child,), parent)
    try:
        yield line
    finally:
        os.close(child)
        unclaimed = line.keep()
        if unclaimed is not None:
            os.close(unclaimed)


def end_with_parent() -> None:
    """End the whole process group when the pipe that the parent holds closes, however the parent ended."""
    descriptor = os.environ.pop(LIFELINE, "")
    if not descriptor:
        return

    def watch() -> None:
        os.read(int(descriptor), 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()


def is_running(pid: int, command: str) -> bool:
    """Whether a process still is what it was: its number may have been given away since.

    Args:
        pid: its number.
        command: part of its command line.
    """
    listing = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return command in listing.stdout


def end_group(
    leader: int, command: str, *, seconds: float, process: subprocess.Popen[bytes] | None = None
) -> None:
    """End a process group, politely first.

    Args:
        leader: the process that leads it.
        command: part of its command line.
        seconds: time between SIGTERM and SIGKILL.
        process: the leader, if it is a child of this process.
    """
    _signal(leader, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while _runs(leader, command, process) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    # The others too: they are in the same group, and it goes on after its leader has ended.
    _signal(leader, signal.SIGKILL)
    if process is not None:
        process.wait()


def _runs(pid: int, command: str, process: subprocess.Popen[bytes] | None) -> bool:
    return process.poll() is None if process is not None else is_running(pid, command)


def _signal(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
