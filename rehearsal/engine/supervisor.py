"""The parent of all tasks and databases of a rehearsal; run as a program of its own, with the standard library alone.

It forks, tells how a process ended, and ends everything when the other end of its socket is closed, however that came
about. One thread: forking from a process with threads is not safe, and the kernel's parent-death signal, which each
process gets, would come when the *thread* ends that forked it.

    python supervisor.py SOCKET LOCK     SOCKET: inherited file number; LOCK: file that is locked while anything runs
"""

import contextlib
import ctypes
import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MESSAGE_BYTES = 1 << 20
MEMORY_POLL_SECONDS = 1.0
END_SECONDS = 3.0  # for a database to close cleanly; anything else is killed at once
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_PR_SET_CHILD_SUBREAPER = 36
_SIGNALLED = 128  # a shell's and Docker's exit code of a process that a signal ended: 128 and its number
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Child:
    """A process that was started, the leader of its own session and process group."""

    identifier: str
    process: subprocess.Popen[bytes]
    memory_bytes: int
    end_signal: int
    out_of_memory: bool = False


class Supervisor:
    """The loop.

    Args:
        channel: sequential-packet socket; each packet is one JSON object.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: dict[int, Child] = {}
        self._by_identifier: dict[str, Child] = {}
        self._ending = False

    def run(self) -> None:
        """Serve until the socket closes or somebody ends this process; then end everything."""
        woken, wake = os.pipe()
        for end in (woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for wanted in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(wanted, self._end)
        selector = selectors.DefaultSelector()
        selector.register(self._channel, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        looked = time.monotonic()
        while not self._ending:
            for key, _ in selector.select(MEMORY_POLL_SECONDS):
                if key.fd == woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(woken, 4096)
                else:
                    self._receive()
            self._reap()
            if time.monotonic() - looked >= MEMORY_POLL_SECONDS:
                looked = time.monotonic()
                self._limit_memory()
        self._end_all()

    def _end(self, *_: object) -> None:
        self._ending = True

    def _receive(self) -> None:
        try:
            packet = self._channel.recv(MESSAGE_BYTES)
        except OSError:
            packet = b""
        if not packet:
            self._ending = True
            return
        message = json.loads(packet)
        if message["do"] == "start":
            self._start(message)
        elif message["do"] == "signal":
            child = self._by_identifier.get(message["id"])
            if child is not None:
                _send_signal(child.process.pid, message["signal"], group=message["group"])

    def _tell(self, **message: Any) -> None:
        try:
            self._channel.send(json.dumps(message).encode())
        except OSError:
            self._ending = True

    def _start(self, message: dict[str, Any]) -> None:
        identifier = message["id"]
        user, group = message["user"] or (None, None)
        try:
            with Path(message["log"]).open("ab") as log:
                process = subprocess.Popen(
                    message["arguments"],
                    env=message["environment"],
                    cwd=message["directory"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    # Safe here, where there is one thread.
                    preexec_fn=lambda: _prepare(message["cpus"], message["end_signal"]),  # noqa: PLW1509
                    user=user,
                    group=group,
                    extra_groups=None if user is None else [],
                    umask=0o022 if user is None else 0o077,
                )
        except (OSError, subprocess.SubprocessError) as error:
            self._tell(event="failed", id=identifier, reason=str(error))
            return
        child = Child(identifier, process, message["memory_bytes"], message["end_signal"])
        self._children[process.pid] = child
        self._by_identifier[identifier] = child
        self._tell(event="started", id=identifier, pid=process.pid)

    def _reap(self) -> None:
        """Collect what has ended: our own, and what they left behind, which the kernel hands to us."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue
            self._by_identifier.pop(child.identifier, None)
            # As when the first process of a container ends: the others cannot go on without it.
            _send_signal(pid, signal.SIGKILL, group=True)
            code = os.waitstatus_to_exitcode(status)
            child.process.returncode = code
            self._tell(
                event="exited",
                id=child.identifier,
                code=code if code >= 0 else _SIGNALLED - code,
                out_of_memory=child.out_of_memory,
            )

    def _limit_memory(self) -> None:
        limited = [child for child in self._children.values() if child.memory_bytes]
        if not limited:
            return
        sessions = _sessions()
        for child in limited:
            used = sum(memory_bytes(pid) for pid in sessions.get(child.process.pid, ()))
            if used > child.memory_bytes:
                child.out_of_memory = True
                _send_signal(child.process.pid, signal.SIGKILL, group=True)

    def _end_all(self) -> None:
        """End every process, and every process that one of them left behind."""
        for child in list(self._children.values()):
            _send_signal(child.process.pid, child.end_signal, group=child.end_signal == signal.SIGKILL)
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline and self._children:
            self._reap()
            time.sleep(0.01)
        for child in list(self._children.values()):
            _send_signal(child.process.pid, signal.SIGKILL, group=True)
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                for orphan in _children_of(os.getpid()):
                    _send_signal(orphan, signal.SIGKILL, group=False)
                time.sleep(0.01)


def _prepare(cpus: list[int] | None, end_signal: int) -> None:
    """In the new process, before its program: end with the supervisor, and run on these processors alone."""
    _libc.prctl(_PR_SET_PDEATHSIG, end_signal, 0, 0, 0)
    if cpus:
        os.sched_setaffinity(0, cpus)


def _send_signal(pid: int, number: int, *, group: bool) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def status_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third one on; none if the process has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the program's name before it may hold anything


def process_ids() -> list[int]:
    """Return the numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 (many names, only names)


def _sessions() -> dict[int, list[int]]:
    """Return session -> its processes."""
    found: dict[int, list[int]] = {}
    for pid in process_ids():
        fields = status_fields(pid)
        if fields:
            found.setdefault(int(fields[3]), []).append(pid)
    return found


def _children_of(parent: int) -> list[int]:
    return [pid for pid in process_ids() if (fields := status_fields(pid)) and int(fields[1]) == parent]


def memory_bytes(pid: int) -> int:
    """Return a process's share of memory: what several processes share counts once among them."""
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open(encoding="ascii") as lines:
            for line in lines:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # it has ended, or the kernel is older than 4.14
    fields = status_fields(pid)
    return int(fields[21]) * _PAGE_BYTES if fields else 0


def main() -> None:
    """Run; see the module's text for the arguments."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    with Path(sys.argv[2]).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        Supervisor(channel).run()


if __name__ == "__main__":
    main()
