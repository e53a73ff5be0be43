"""Child processes of a rehearsal: each in a group of its own, its output in a file, ended when the rehearsal ends."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from operations.excerpts import last_lines

TERMINATION_SECONDS = 5.0  # the CDK CLI and a synthesis end at once on SIGTERM; this is patience, not a need


class CommandError(Exception):
    """A command that failed.

    Args:
        title: what was being done.
        code: its exit code.
        log: file with its output.
    """

    def __init__(self, title: str, code: int, log: Path) -> None:
        self.title = title
        self.code = code
        self.log = log
        super().__init__(f"{title} ended with exit code {code}")

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its output, from one where something begins.

        Args:
            lines: about how many.
        """
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.is_file() else ""
        return "\n".join(last_lines(text.strip().splitlines(), lines))


class CommandStopped(CommandError):  # noqa: N818 -- not its own error: the rehearsal ends
    """A command that was cut short because the rehearsal ends."""


class Processes:
    """Runs commands, from several threads if need be, and can end all that still run.

    Args:
        logs: folder for their output.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._stopping = False

    def run(
        self, title: str, arguments: Sequence[str], *, environment: Mapping[str, str], directory: Path
    ) -> Path:
        """Run one command to its end.

        Args:
            title: what it does; also names its log.
            arguments: the command.
            environment: all of its environment.
            directory: its working directory.

        Returns:
            The file with its output.

        Raises:
            CommandError: it failed.
            CommandStopped: the rehearsal ends.
        """
        log = self._logs / f"{title.replace(' ', '-').replace('/', '-')}.log"
        with log.open("ab") as output:
            with self._lock:
                if self._stopping:
                    raise CommandStopped(title, -signal.SIGTERM, log)
                process = subprocess.Popen(
                    arguments,
                    env=dict(environment),
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._running[process.pid] = process
            try:
                code = process.wait()
            finally:
                with self._lock:
                    self._running.pop(process.pid, None)
                _end(process)
        if code != 0:
            raise (CommandStopped if self._stopping else CommandError)(title, code, log)
        return log

    def stop(self) -> None:
        """End everything that still runs, and refuse to start more."""
        with self._lock:
            self._stopping = True
            running = list(self._running.values())
        for process in running:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group, politely first."""
    if process.poll() is not None:
        return
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wanted)
        except ProcessLookupError:
            return
        try:
            process.wait(TERMINATION_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
