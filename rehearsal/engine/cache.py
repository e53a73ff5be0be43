"""Built images, kept by content in the user's cache: two rehearsals of the same source build once."""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rehearsal.engine.built import BuildError, describe, recipe_for, share_network

__all__ = ["BUILD_VARIABLE", "CACHE_VARIABLE", "BuildError", "Cache", "build_environment", "cache_directory"]

CACHE_VARIABLE = "REHEARSAL_CACHE"
BUILD_VARIABLE = "REHEARSAL_BUILD_ENVIRONMENT"
"""How processes of the rehearsal are told where the cache is, and in which environment images are built."""

CACHE_NAME = "django-landing-zone"
_RECIPE = "2"  # raise it when the same layers must give another result
_KEPT_DAYS = 14  # an entry that nobody used for so long is removed by the next build
_LOG_LINES = 25
# What a build needs of the person who starts it: where packages come from. Nothing of it reaches a task.
_BUILD_VARIABLES = (
    *("HOME", "PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
)
_BUILD_PREFIXES = ("PIP_", "UV_", "NPM_CONFIG_", "XDG_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


Run = Callable[[Sequence[str], Mapping[str, str], Path, Path], int]


def build_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return what of a person's environment a build may see: where packages come from, and no credentials of AWS.

    Args:
        given: all of it.
    """
    return {
        name: value
        for name, value in given.items()
        if name in _BUILD_VARIABLES or name.upper().startswith(_BUILD_PREFIXES)
    }


def cache_directory(given: Mapping[str, str]) -> Path:
    """Return the user's cache folder, as the XDG base directory specification has it.

    Args:
        given: the user's environment.
    """
    base = given.get("XDG_CACHE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path(given.get("HOME") or "~").expanduser() / ".cache"
    return root / CACHE_NAME


class Cache:
    """Folders by content, each made once, below a lock.

    Args:
        directory: the cache; made if needed.
        environment: of builds.
        run: (arguments, environment, directory, log) -> exit code; runs the build, and ends it with the rehearsal.
        python: interpreter that environments are made with.
    """

    def __init__(
        self, directory: Path, *, environment: Mapping[str, str], run: Run, python: str | None = None
    ) -> None:
        self._directory = directory
        self._run = run
        # The interpreter itself: a build must not depend on the virtual environment that the rehearsal runs in.
        self._python = python or str(getattr(sys, "_base_executable", None) or sys.executable)
        self._environment = {**environment, "PYTHON": self._python}
        self._platform = f"{_RECIPE} {sys.version} {platform.machine()} {self._python}"

    def built(self, layers: Sequence[str], fetch: Callable[[], Sequence[Callable[[Path], None]]]) -> Path:
        """Return the built image of these layers; build it if nobody has.

        Args:
            layers: digests of the layers, lowest first.
            fetch: gets the layers, as functions that unpack into a folder.

        Raises:
            BuildError: its source cannot be built.
        """

        def fill(entry: Path) -> None:
            for unpack in fetch():
                unpack(entry / "source")
            self._build(entry / "source" / "app", entry / "root")
            shutil.rmtree(entry / "source")
            _make_read_only(entry / "root")

        return self._entry("images", [*layers], fill) / "root"

    def _build(self, source: Path, target: Path) -> None:
        recipe = recipe_for(source)
        target.mkdir()
        if recipe.decisive:

            def install(entry: Path) -> None:
                self._build_with(recipe.arguments(entry, "--dependencies"), source, entry / "log")
                share_network(entry / "venv")
                _make_read_only(entry / "venv")

            # A change of the source alone needs no installation: the script finds its environment made.
            key = hashlib.sha256(recipe.decisive).hexdigest()
            (target / "venv").symlink_to(self._entry("dependencies", [key], install) / "venv")
        self._build_with(recipe.arguments(target), source, target.parent / "log")
        describe(source, target, recipe.target)

    def _build_with(self, arguments: Sequence[str], directory: Path, log: Path) -> None:
        # In the entry, which goes if the build fails or is interrupted: installers leave files behind then.
        temporary = log.with_name("tmp")
        temporary.mkdir(exist_ok=True)
        environment = {**self._environment, "TMPDIR": str(temporary)}
        code = self._run(arguments, environment, directory, log)
        shutil.rmtree(temporary)
        if code != 0:
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LOG_LINES:]
            raise BuildError("\n".join([f"the build ended with exit code {code}:", *lines]))

    def _entry(self, kind: str, parts: Sequence[str], fill: Callable[[Path], None]) -> Path:
        """Return an entry's folder; fill it if it is not complete. Whoever comes second waits for the first."""
        digest = hashlib.sha256("\n".join([self._platform, *parts]).encode()).hexdigest()[:32]
        folder = self._directory / kind
        entry, done = folder / digest, folder / f"{digest}.done"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder / f"{digest}.lock"):
            if not done.is_file():
                self._forget_old(folder)
                _remove(entry)
                entry.mkdir()
                try:
                    fill(entry)
                except BaseException:
                    _remove(entry)
                    raise
            done.touch()  # its time says when it was last used
        return entry

    def _forget_old(self, folder: Path) -> None:
        oldest = time.time() - _KEPT_DAYS * 86_400
        for done in folder.glob("*.done"):
            if done.stat().st_mtime < oldest:
                with _locked(done.with_suffix(".lock"), wait=False) as free:
                    if free:
                        done.unlink(missing_ok=True)
                        _remove(done.with_suffix(""))


@contextlib.contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock that other processes respect and that ends with this one."""
    with path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


def _make_read_only(folder: Path) -> None:
    """Take the right to write from a folder's files and folders; links are left alone."""
    for path, _, files in os.walk(folder, topdown=False):
        for name in (*(os.path.join(path, file) for file in files), path):  # noqa: PTH118 (ten thousand files)
            if not os.path.islink(name):  # noqa: PTH114
                os.chmod(name, stat.S_IMODE(os.stat(name).st_mode) & ~0o222)  # noqa: PTH101, PTH116


def _remove(folder: Path) -> None:
    """Remove a folder that may be read-only."""
    if not folder.exists():
        return
    for path, _, _ in os.walk(folder):
        os.chmod(path, 0o700)  # noqa: PTH101
    shutil.rmtree(folder)
