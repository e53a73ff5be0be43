"""Containers as MiniStack's ECS and RDS see them: a folder, an address, a process group and a file with its output.

The names and shapes are docker-py's, because the caller is not ours.
"""

import datetime
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from rehearsal.engine.process import HostProcess

NETWORK = "bridge"  # Docker's default network: MiniStack gives no host names to what is in it, only addresses
_FOLLOW_SECONDS = 0.15  # how old a line may be when CloudWatch Logs gets it
_CHUNK_BYTES = 1 << 16


class Container:
    """One container; its kind says how it starts and stops.

    Args:
        directory: its folder, made here.
        name: unique among the containers.
        labels: as given by the service that wants it.
        address: its address.

    Attributes:
        id: 64 hexadecimal digits, as Docker's.
        process: its process, once started.
    """

    def __init__(self, directory: Path, *, name: str, labels: Mapping[str, str], address: str) -> None:
        self.id = secrets.token_hex(32)
        self.name = name
        self.labels = dict(labels)
        self.address = address
        self.directory = directory / self.id[:12]
        self.directory.mkdir(mode=0o700, parents=True)
        self.log_file = self.directory / "log"
        self.log_file.touch(mode=0o600)
        self.process: HostProcess | None = None
        self.removed = threading.Event()
        self._created = _now()
        self._finished = ""

    @property
    def short_id(self) -> str:
        """The first digits of its id."""
        return self.id[:12]

    @property
    def status(self) -> str:
        """`created`, `running` or `exited`."""
        if self.process is None:
            return "created"
        return "running" if self.process.runs else "exited"

    @property
    def attrs(self) -> dict[str, Any]:
        """What `docker inspect` says, as far as it is asked."""
        process = self.process
        if process is not None and not process.runs and not self._finished:
            self._finished = _now()
        return {
            "Created": self._created,
            "Config": {"Labels": self.labels},
            "State": {
                "Status": self.status,
                "Pid": process.pid if process else 0,
                "ExitCode": (process.code if process else None) or 0,
                "OOMKilled": bool(process and process.out_of_memory),
                "FinishedAt": self._finished,
            },
            "NetworkSettings": {"Networks": {NETWORK: {"IPAddress": self.address}}},
        }

    def reload(self) -> None:
        """Do nothing: what it says is always new."""

    def start(self) -> None:
        """Start its process, again if it had ended."""
        raise NotImplementedError

    def stop(self, timeout: float | None = None) -> None:
        """Ask its process to end, then make it end."""
        raise NotImplementedError

    def wait(self, timeout: float | None = None) -> dict[str, int]:
        """Wait for its end."""
        code = self.process.wait(timeout) if self.process else 0
        return {"StatusCode": 0 if code is None else code}

    def logs(
        self, *, stream: bool = False, follow: bool = False, tail: int | str = "all", **_: Any
    ) -> bytes | Iterator[bytes]:
        """What it wrote.

        Args:
            stream: give it in pieces of whole lines.
            follow: and go on until its process has ended.
            tail: number of last lines, or all.
        """
        if stream:
            return self.lines(follow=follow)
        lines = self.log_file.read_bytes().splitlines(keepends=True)
        return b"".join(lines if tail == "all" else lines[-int(tail) :])

    def lines(self, *, follow: bool, offset: int = 0) -> Iterator[bytes]:
        """Give what it wrote, in pieces of whole lines.

        Args:
            follow: go on until its process has ended.
            offset: byte to begin at.
        """
        with self.log_file.open("rb") as file:
            file.seek(offset)
            rest = b""
            while True:
                ended = not follow or self.removed.is_set() or self.status == "exited"
                while chunk := file.read(_CHUNK_BYTES):
                    lines, newline, rest = (rest + chunk).rpartition(b"\n")
                    if newline:
                        yield lines + newline
                if ended:
                    if rest:
                        yield rest
                    return
                time.sleep(_FOLLOW_SECONDS)

    def remove(self, *, v: bool = False, force: bool = False) -> None:  # noqa: ARG002 (docker-py's names)
        """End it and remove its folder."""
        if self.status == "running":
            self.stop()
        self.removed.set()
        shutil.rmtree(self.directory, ignore_errors=True)


class Kind(Protocol):
    """Makes containers of one kind."""

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether a container with these labels is of this kind."""

    def create(self, image: str, **settings: Any) -> Container:
        """Make one, without starting it."""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()
