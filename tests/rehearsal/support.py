"""Runs `lz rehearse` as its users do, and looks for what it leaves behind."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.engine.cache import build_environment, cache_directory

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = (
    1200  # a whole rehearsal takes two minutes, six with every check; several may share the machine
)
MOST_SHOWN = 20_000  # characters of a failed build's output
ORDINARY_USER = "nobody"


@dataclass
class Rehearsed:
    """How a run of the command ended."""

    code: int
    output: str
    messages: str
    report: dict[str, Any] = field(default_factory=dict)


def interpreter_for_anyone() -> tuple[str, Mapping[str, str]]:
    """Return an interpreter that other users may run, and what it needs to find our packages.

    A virtual environment may point into a home folder that nobody else can enter. Another interpreter of the same
    version can use its packages.
    """
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if may(candidate, "-c", "import ssl"):
            return candidate, {"PYTHONPATH": packages}
    message = f"no interpreter {version} that {ORDINARY_USER} may run"
    raise RuntimeError(message)


def may(*command: str) -> bool:
    """Whether the ordinary user can run a command."""
    try:
        return subprocess.run(command, user=ORDINARY_USER, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def environment(temporary: Path, **more: str) -> dict[str, str]:
    """Return a small environment: whatever a rehearsal leaves, it leaves in one folder, but for the user's cache."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "XDG_CACHE_HOME": str(cache_directory(os.environ).parent),
        **package_sources(temporary),
        **more,
    }


def package_sources(temporary: Path) -> dict[str, str]:
    """Say where this user's packages come from, as far as that is set: a mirror, an authority, a proxy."""
    found = {
        name: value
        for name, value in build_environment(os.environ).items()
        if name.upper().startswith(
            ("PIP_", "UV_", "NPM_CONFIG_", "HTTP", "NO_PROXY", "SSL_", "REQUESTS_", "NODE_")
        )
    }
    # The pipeline's builds install the CDK CLI. Named and not copied: it may hold a token.
    own = Path.home() / ".npmrc"
    if own.is_file():
        found.setdefault("npm_config_userconfig", str(own))
    for folder in (".config/pip", ".pip"):
        settings = Path.home() / folder / "pip.conf"
        if settings.is_file():
            found["PIP_CONFIG_FILE"] = str(shutil.copy(settings, temporary / "pip.conf"))
            break
    return found


def what_builds_wrote(done: Rehearsed) -> str:
    """The end of what each failed build of the pipeline wrote."""
    files = [note.partition(" wrote: ")[2] for note in done.report.get("notes", []) if " wrote: " in note]
    return "\n".join(Path(file).read_text(encoding="utf-8")[-MOST_SHOWN:] for file in files)


def start(arguments: Sequence[str], temporary: Path) -> subprocess.Popen[str]:
    """Start the command as the current user."""
    return subprocess.Popen(
        [sys.executable, "-m", "operations", "rehearse", *arguments],
        cwd=ROOT,
        env=environment(temporary),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Rehearsed:
    """Wait for a command and read its report."""
    output, messages = process.communicate(timeout=TIMEOUT_SECONDS)
    report = json.loads(output) if output.startswith("{") else {}
    return Rehearsed(process.returncode, output, messages, report)


def rehearse(arguments: Sequence[str], temporary: Path) -> Rehearsed:
    """Run the command to its end."""
    return finish(start(arguments, temporary))


def rehearse_as_ordinary_user(arguments: Sequence[str], temporary: Path) -> Rehearsed:
    """Run the command as a user without any privilege."""
    account = pwd.getpwnam(ORDINARY_USER)
    os.chown(temporary, account.pw_uid, account.pw_gid)
    python, more = interpreter_for_anyone()
    done = subprocess.run(
        [python, "-m", "operations", "rehearse", *arguments],
        cwd=ROOT,
        # Its own cache: that of this user cannot be written to by it.
        env=environment(temporary, **more, XDG_CACHE_HOME=str(temporary / "cache")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
    )
    report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return Rehearsed(done.returncode, done.stdout, done.stderr, report)


def leftovers(temporary: Path) -> list[str]:
    """Return the rehearsal's folders that are still there, and the processes that mention the temporary folder."""
    return [str(path) for path in temporary.glob("lz-rehearsal-*")] + processes_of(temporary)


def processes_of(folder: Path) -> list[str]:
    """Return the processes that mention a folder."""
    return [f"process {pid}: {command}" for pid, command in _processes() if str(folder) in command]


def _processes() -> Iterator[tuple[int, str]]:
    """Yield each process's id with its command line and environment."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or is another user's
        yield int(entry.name), command.replace(b"\0", b" ").decode(errors="replace")[:200_000]


def short_temporary_folder() -> Path:
    """Make a temporary folder outside pytest's, whose parents other users cannot enter."""
    return Path(tempfile.mkdtemp(prefix="lz-test-"))
