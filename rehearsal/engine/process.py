"""A process on the rehearsal's host, as the emulator sees it."""

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_START_SECONDS = 30.0  # a fork takes milliseconds; this is for a machine that is very busy


class HostError(Exception):
    """A process could not be started; the message says why."""


@dataclass(frozen=True)
class Program:
    """What to run.

    Args:
        arguments: program and arguments; a path with a slash is relative to `directory`.
        environment: all of its environment.
        directory: its working directory.
        log: file for its output; made if it does not exist.
        memory_bytes: limit of its session's memory; 0 for none.
        cpus: processors that it may use; None for all.
        user: name of the user to run it as; None for this process's own.
        end_signal: how it is ended when the rehearsal ends.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    memory_bytes: int = 0
    cpus: Sequence[int] | None = None
    user: str | None = None
    end_signal: int = signal.SIGKILL


class HostProcess:
    """A process that was started.

    Attributes:
        pid: its number; it leads a process group and a session of that number.
        code: its exit code once it has ended; 128 and the signal's number if a signal ended it.
        out_of_memory: it was killed for using more memory than it may.
    """

    def __init__(self, identifier: str, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._identifier = identifier
        self._tell = tell
        self._started = threading.Event()
        self._ended = threading.Event()
        self.pid = 0
        self.code: int | None = None
        self.out_of_memory = False
        self.failure = ""

    def heard(self, message: Mapping[str, Any]) -> None:
        """Take what the supervisor tells of this process."""
        if message["event"] == "exited":
            self.code, self.out_of_memory = message["code"], message["out_of_memory"]
            self._ended.set()
            return
        self.pid, self.failure = message.get("pid", 0), message.get("reason", "")
        self._started.set()

    def wait_until_started(self) -> None:
        """Wait for the supervisor's answer.

        Raises:
            HostError: it could not be started.
        """
        if not self._started.wait(_START_SECONDS):
            raise HostError("the supervisor does not answer")
        if self.failure:
            raise HostError(self.failure)

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ended.is_set()

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for its end; gives its exit code, or None if it still runs."""
        self._ended.wait(seconds)
        return self.code

    def send(self, number: int, *, group: bool = False) -> None:
        """Send a signal to it, or to its whole group."""
        if self.runs:
            self._tell({"do": "signal", "id": self._identifier, "signal": number, "group": group})

    def stop(self, *, number: int = signal.SIGTERM, seconds: float) -> int:
        """Ask it to end, and kill its group if it does not.

        Args:
            number: the signal that asks.
            seconds: how long it may take.
        """
        self.send(number)
        if self.wait(seconds) is None:
            self.send(signal.SIGKILL, group=True)
        self._ended.wait()
        return self.code or 0
