"""The user's browser with a throw-away profile, on the way through the door."""

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
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
_LOOK_SECONDS = 2.0  # a browser without a display, or without the sandbox that it wants, ends in less


class BrowserError(Exception):
    """A browser ended as soon as it was started; the message is its own."""


def find_browser() -> str | None:
    """Find a browser on this machine."""
    return next((found for program in PROGRAMS if (found := shutil.which(program))), None)


def has_display() -> bool:
    """Tell whether a browser can show a window: on Linux only with a display server, which these variables name."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


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
            BrowserError: it ended at once.
        """
        profile = Path(tempfile.mkdtemp(prefix="browser-", dir=self._directory))
        said = profile / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(
                [program, *arguments(state, profile), *urls],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(_LOOK_SECONDS)
            if code != 0:
                lines = said.read_text(encoding="utf-8", errors="replace").split("\n")
                # Without a desktop it complains of the message bus, too, and goes on.
                told = [line for line in lines if re.search(r"^(?!.*dbus).*(ERROR|FATAL)", line)]
                words = [line.partition("] ")[2] or line for line in told[-2:]]
                shutil.rmtree(profile, ignore_errors=True)
                raise BrowserError(": ".join([f"exit code {code}", *words]))
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
