"""Starting, finding again and ending the door: one process group, one folder."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rehearsal.background import lifeline
from rehearsal.door.look_ups import FRESH_SECONDS
from rehearsal.emulator import Emulator
from rehearsal.emulator.environment import base
from rehearsal.paths import module_path
from rehearsal.process_group import end_group, is_running

MODULE = "rehearsal.door"
STATE = "door.json"
SETTINGS = "settings.json"
_POLL_SECONDS = 0.05
_START_SECONDS = 30.0
_LOG_LINES = 20


class DoorError(Exception):
    """The door could not be opened or found."""


@dataclass(frozen=True)
class DoorSettings:
    """What the door has to know.

    Args:
        emulator: the emulator's folder.
        domain: name of the parent zone.
        parent_account: the account that holds it.
        parent_zone: its id, if the configuration gives one.
        sites: addresses of the environments.
        fresh_seconds: how long it may work by what it has read.
    """

    emulator: str
    domain: str
    parent_account: str
    parent_zone: str | None
    sites: tuple[str, ...]
    fresh_seconds: float


@dataclass(frozen=True)
class DoorState:
    """How an open door is used.

    Args:
        pid: its process, which leads its own process group.
        proxy: URL of the proxy.
        ca_file: the authorities to trust: the door's own and the emulator's.
        fingerprints: base64 SHA-256 of the keys that a browser is to trust.
        sites: addresses of the environments.
        resolver: address and port of the world's DNS.
    """

    pid: int
    proxy: str
    ca_file: str
    fingerprints: tuple[str, ...]
    sites: tuple[str, ...]
    resolver: str


class Door:
    """The proxy's process.

    Args:
        directory: its folder, next to the emulator's; made if it does not exist.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.log_file = self.directory / "door.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    def start(
        self,
        emulator: Emulator,
        *,
        domain: str,
        parent_account: str,
        parent_zone: str | None,
        sites: Sequence[str],
        fresh_seconds: float = FRESH_SECONDS,
        detached: bool = False,
    ) -> DoorState:
        """Open it and wait until it can be used.

        Args:
            emulator: the local AWS, started.
            domain: name of the parent zone.
            parent_account: the account that holds it.
            parent_zone: its id, if the configuration gives one.
            sites: addresses of the environments.
            fresh_seconds: how long it may work by what it has read of zones, listeners and the like.
            detached: let it outlive this process; otherwise it ends with it, however this process ends.

        Raises:
            DoorError: it ended or did not answer; the message has the last lines of its log.
        """
        for folder in (self.directory, self.directory / "home", self.directory / "tmp"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = DoorSettings(
            str(emulator.directory), domain, parent_account, parent_zone, tuple(sites), fresh_seconds
        )
        (self.directory / SETTINGS).write_text(json.dumps(asdict(settings)), encoding="utf-8")
        (self.directory / STATE).unlink(missing_ok=True)
        with lifeline(detached=detached) as line, self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(self.directory)],
                cwd=self.directory,
                env={**base(self.directory), "PYTHONPATH": module_path(), **line.variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=line.inherited,
            )
            self._lifeline = line.keep()
        return self._wait()

    def state(self) -> DoorState:
        """Read how it is used.

        Raises:
            DoorError: it is not open.
        """
        try:
            text = (self.directory / STATE).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise DoorError(f"no door was opened in {self.directory}") from None
        found = json.loads(text)
        state = DoorState(
            **{**found, "fingerprints": tuple(found["fingerprints"]), "sites": tuple(found["sites"])}
        )
        if not self._is_ours(state.pid):
            raise DoorError(f"the door of {self.directory} (process {state.pid}) does not run any more")
        return state

    def stop(self) -> None:
        """Close it; does nothing if it is not open."""
        try:
            pid = self._process.pid if self._process is not None else self.state().pid
        except DoorError:
            return
        end_group(pid, lambda: self._runs(pid))
        self._process = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        (self.directory / STATE).unlink(missing_ok=True)

    def _runs(self, pid: int) -> bool:
        return self._process.poll() is None if self._process is not None else self._is_ours(pid)

    def _is_ours(self, pid: int) -> bool:
        return is_running(pid, f"{MODULE} {self.directory}")

    def _wait(self) -> DoorState:
        assert self._process is not None  # noqa: S101 -- start() set it
        deadline = time.monotonic() + _START_SECONDS
        while not (self.directory / STATE).is_file():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
                raise DoorError("\n".join([f"the door did not open; the end of {self.log_file}:", *lines]))
            time.sleep(_POLL_SECONDS)
        return self.state()
