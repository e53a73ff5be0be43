"""One shell for all commands of a build: directory, variables and functions carry on, as in CodeBuild."""

import contextlib
import os
import secrets
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, cast

from rehearsal.process_group import end_group

_POLL_SECONDS = 0.1  # a shell that ended is noticed so late at most; an ended command is at once
_LONGEST_LINE = 200_000  # an event of CloudWatch Logs holds 256 KiB
_READ = 65_536

# Reads names of files from its input and runs each in this very shell. What they hold sees neither the names nor
# where the answers go. A command that ends the shell itself (`exit 1`) leaves its exports and its folder for the next.
_DRIVER = r"""
exec 8>&1
lz_token=$LZ_TOKEN lz_state=$LZ_STATE
unset LZ_TOKEN LZ_STATE
trap 'export -p >"$lz_state.variables" && pwd >"$lz_state.folder"' EXIT
while IFS= read -r lz_command; do
    . "$lz_command" </dev/null 8>&-
    printf '%s %s\n' "$lz_token" "$?" >&8
done
trap - EXIT
"""


class TimedOutError(Exception):
    """The build's time is over."""


class Shell:
    """Runs commands one after the other.

    Args:
        program: the shell, such as `sh`.
        environment: all of its environment.
        directory: where it starts.
        folder: private folder for its files; made if needed.
        tell: told each line that a command writes.
        deadline: on the monotonic clock.
    """

    def __init__(
        self,
        program: str,
        *,
        environment: Mapping[str, str],
        directory: Path,
        folder: Path,
        tell: Callable[[str], None],
        deadline: float,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._program = program
        self._environment = dict(environment)
        self._directory = directory
        self._folder = folder
        self._tell = tell
        self._deadline = deadline
        self._token = secrets.token_hex(16)
        self._state = folder / "state"
        self._count = 0
        self._rest = b""
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "driver").write_text(_DRIVER, encoding="utf-8")

    def run(self, command: str) -> int:
        """Run a command; return its exit code.

        Args:
            command: one or more lines of shell.

        Raises:
            TimedOutError: the build's time is over; nothing runs any more.
        """
        process = self._process or self._start()
        commands = cast("IO[bytes]", process.stdin)
        self._count += 1
        script = self._folder / f"command-{self._count}"
        script.write_text(f"{command}\n", encoding="utf-8")
        with contextlib.suppress(BrokenPipeError):
            commands.write(f"{script}\n".encode())
            commands.flush()
        return self._follow(process)

    def export(self, name: str, value: str) -> None:
        """Set a variable for all commands that follow.

        Args:
            name: the variable.
            value: its value.
        """
        self.run(f"export {name}={shlex.quote(value)}")

    def close(self) -> None:
        """End the shell, and whatever it left in the background."""
        process, self._process = self._process, None
        if process is None:
            return
        end_group(process.pid, lambda: process.poll() is None)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [self._program, str(self._folder / "driver")],
            env={**self._environment, "LZ_TOKEN": self._token, "LZ_STATE": str(self._state)},
            cwd=self._directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if self._state.with_suffix(".variables").is_file():
            folder = self._state.with_suffix(".folder")
            self.run(f'. "{self._state}.variables"; cd "$(cat {shlex.quote(str(folder))})"')
        return self._process

    def _follow(self, process: subprocess.Popen[bytes]) -> int:
        """Read until the driver says how the command ended, or until the shell itself has."""
        source = cast("IO[bytes]", process.stdout).fileno()
        mark = self._token.encode()
        while True:
            left = self._deadline - time.monotonic()
            if left <= 0:
                self.close()
                raise TimedOutError
            ended = process.poll() is not None
            if select.select([source], [], [], 0 if ended else min(left, _POLL_SECONDS))[0]:
                data = os.read(source, _READ)
                ended = ended or not data
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    written, found, code = line.partition(mark)
                    if found:
                        if written:
                            self._write(written)
                        return int(code)
                    self._write(line)
                if len(self._rest) > _LONGEST_LINE:  # all but what may be the beginning of the mark
                    self._write(self._rest[: -len(mark)])
                    self._rest = self._rest[-len(mark) :]
                if data:
                    continue
            if ended:
                return self._ended(process)

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        if self._rest:
            self._write(self._rest)
            self._rest = b""
        code = process.wait()
        self.close()
        return code if code >= 0 else 128 + signal.Signals(-code)

    def _write(self, line: bytes) -> None:
        for start in range(0, max(len(line), 1), _LONGEST_LINE):
            self._tell(line[start : start + _LONGEST_LINE].decode(errors="replace").rstrip("\r"))
