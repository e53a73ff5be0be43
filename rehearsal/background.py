"""Processes in the background of a rehearsal: each leads a group, and ends with its parent unless it is detached."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

LIFELINE = "REHEARSAL_LIFELINE"


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
