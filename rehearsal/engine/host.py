"""The host that tasks and databases run on: the emulator's side of the supervisor."""

import contextlib
import fcntl
import itertools
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.engine.process import HostError, HostProcess, Program
from rehearsal.engine.supervisor import MESSAGE_BYTES

LOCK_NAME = "engine.lock"


class Host:
    """Starts processes; all of them end with this one.

    Args:
        directory: folder for the lock.
    """

    def __init__(self, directory: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_BYTES)
        self._channel = ours
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._processes: dict[str, HostProcess] = {}
        program = Path(__file__).with_name("supervisor.py")
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), str(theirs.fileno()), str(directory / LOCK_NAME)],
            env={},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            # Not in the emulator's group: it has to outlive it for as long as it takes to end everything.
            start_new_session=True,
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        self._listener = threading.Thread(target=self._listen, daemon=True, name="supervisor")
        self._listener.start()

    def start(self, program: Program) -> HostProcess:
        """Start a process.

        Raises:
            HostError: it could not be started.
        """
        identifier = str(next(self._numbers))
        process = HostProcess(identifier, self._send)
        self._processes[identifier] = process
        self._send(
            {
                "do": "start",
                "id": identifier,
                "arguments": list(program.arguments),
                "environment": dict(program.environment),
                "directory": str(program.directory),
                "log": str(program.log),
                "memory_bytes": program.memory_bytes,
                "cpus": list(program.cpus) if program.cpus else None,
                "user": ids(program.user),
                "end_signal": int(program.end_signal),
            }
        )
        process.wait_until_started()
        return process

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> int:
        """Run a program to its end; gives its exit code.

        Args:
            arguments: program and arguments.
            environment: all of its environment.
            directory: its working directory.
            log: file for its output.

        Raises:
            HostError: it could not be started.
        """
        process = self.start(Program(arguments, environment, directory, log))
        process.wait()
        return process.code or 0

    def close(self) -> None:
        """End all processes and wait until they have ended."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._supervisor.wait()
        self._listener.join()
        self._channel.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        packet = json.dumps(message).encode()
        if len(packet) > MESSAGE_BYTES:
            raise HostError(f"its environment is too large: {len(packet)} bytes")
        try:
            with self._sending:
                self._channel.send(packet)
        except OSError as error:
            raise HostError(f"the supervisor has ended ({error})") from error

    def _listen(self) -> None:
        while True:
            try:
                packet = self._channel.recv(MESSAGE_BYTES)
            except OSError:
                packet = b""
            if not packet:
                break
            message = json.loads(packet)
            process = self._processes.get(message["id"])
            if process is not None:
                process.heard(message)
            if message["event"] != "started":
                self._processes.pop(message["id"], None)
        # Without its supervisor nothing runs any more; whoever waits must not wait for ever.
        for process in list(self._processes.values()):
            process.heard({"event": "failed", "reason": "the supervisor has ended"})
            process.heard({"event": "exited", "code": 128 + signal.SIGKILL, "out_of_memory": False})


def ids(user: str | None) -> tuple[int, int] | None:
    """Return a user's number and the number of its group; None for None.

    Args:
        user: name of the user.
    """
    if user is None:
        return None
    account = pwd.getpwnam(user)
    return account.pw_uid, account.pw_gid


def wait_until_free(directory: Path, *, seconds: float = 10.0) -> bool:
    """Wait until the processes of a host have ended, from any process.

    Args:
        directory: the host's folder.
        seconds: how long to wait.

    Returns:
        Whether they have.
    """
    path = directory / LOCK_NAME
    deadline = time.monotonic() + seconds
    while path.exists():
        with contextlib.suppress(BlockingIOError), path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def cpus_for(units: int, turn: int) -> list[int] | None:
    """Choose the processors of a task, so that a small task sees few and many tasks share all.

    Args:
        units: CPU units of the task; 1024 are one vCPU, 0 is no limit.
        turn: number of tasks started before it.

    Returns:
        Processors; None for all.
    """
    available = sorted(os.sched_getaffinity(0))
    wanted = max(1, units // 1024)
    if not units or wanted >= len(available):
        return None
    return [available[(turn + offset) % len(available)] for offset in range(wanted)]
