"""The user's browser with a throw-away profile, on the way through the door."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehearsal.door.controller import DoorState
from rehearsal.process_group import end_group, is_running, wait_until

# Chromium and its relatives: they take a proxy, a profile and a trusted key on the command line.
PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_STARTED = "browsers.json"


def find_browser() -> str | None:
    """Find a browser on this machine."""
    return next((found for program in PROGRAMS if (found := shutil.which(program))), None)


def arguments(state: DoorState, profile: Path) -> list[str]:
    """Return the options with which a browser goes through the door and trusts what it shows.

    Args:
        state: the open door.
        profile: folder for its profile; nothing of the user's own browser is touched.
    """
    options = [
        f"--user-data-dir={profile}",
        f"--proxy-server={state.proxy}",
        f"--ignore-certificate-errors-spki-list={','.join(state.fingerprints)}",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        # Media has addresses on this machine, which a page of the world may not use without asking.
        "--disable-features=LocalNetworkAccessChecks",
        # Or it says in a banner that the option above is dangerous; outside this profile it would be.
        "--test-type",
    ]
    # Chromium's sandbox refuses to start as root, as it would in a container.
    return [*options, "--no-sandbox"] if os.geteuid() == 0 else options


class Browsers:
    """The browsers of one rehearsal.

    Args:
        directory: the rehearsal's folder.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started = directory / _STARTED

    def open(self, program: str, state: DoorState, urls: Sequence[str]) -> None:
        """Start a browser and leave it to its user.

        Args:
            program: the browser.
            state: the open door.
            urls: pages to open.

        Raises:
            OSError: it cannot be started.
        """
        profile = Path(tempfile.mkdtemp(prefix="browser-", dir=self._directory))
        process = subprocess.Popen(
            [program, *arguments(state, profile), *urls],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        process.returncode = (
            0  # it is its user's now: nobody here waits for it, or is warned that nobody does
        )
        # The kernel may show its arguments a moment after it has started it: until then `close` would not know it.
        wait_until(lambda: is_running(process.pid, str(profile)))
        known = [*self._pids(), {"pid": process.pid, "profile": str(profile)}]
        self._started.write_text(json.dumps(known), encoding="utf-8")

    def close(self) -> None:
        """End those that still run: their pages lead nowhere any more."""
        for entry in self._pids():
            pid, profile = int(entry["pid"]), str(entry["profile"])
            if is_running(pid, profile):
                end_group(pid, functools.partial(is_running, pid, profile))

    def _pids(self) -> list[dict[str, Any]]:
        if not self._started.is_file():
            return []
        found: list[dict[str, Any]] = json.loads(self._started.read_text(encoding="utf-8"))
        return found
