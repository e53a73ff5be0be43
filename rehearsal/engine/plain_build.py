"""Builds a project that brings no `bin/build`, from what its Dockerfile says and its requirements name.

    python plain_build.py [--dependencies] [--target STAGE] SOURCE TARGET

It makes what `bin/build` makes: TARGET/venv with the packages, and TARGET/app with the project. The Dockerfile is not
executed; of its instructions those that run manage.py are, such as collectstatic, and its variables count.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NoReturn

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]  # it runs as a program of its own

from rehearsal.dockerfile import Stage, read  # noqa: E402 -- it is found now

_INCLUDED = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[ =]+(\S+)", re.MULTILINE)
_MANAGED = re.compile(r"\bmanage\.py\b|\bdjango-admin\b")


class PlainBuildError(Exception):
    """The project cannot be built without a script of its own; the message says what it lacks."""


def stage_of(source: Path, target: str | None) -> Stage:
    """Read the project's Dockerfile.

    Args:
        source: the project.
        target: the stage that is released; the last one if None.

    Raises:
        PlainBuildError: it has no such stage.
    """
    try:
        return read((source / "Dockerfile").read_text(encoding="utf-8"), target)
    except ValueError as error:
        raise PlainBuildError(str(error)) from error


def requirements(source: Path, stage: Stage) -> list[Path]:
    """Find the files that name the project's packages: first what the Dockerfile installs, then the usual ones.

    Args:
        source: the project.
        stage: the stage that is released.

    Raises:
        PlainBuildError: there is none.
    """
    installing = "\n".join(run for run in stage.runs if re.search(r"\b(pip|uv)\b", run))
    if re.search(r"\buv (sync|export)\b", installing) and (source / "uv.lock").is_file():
        return [source / "uv.lock"]
    named = [_within(source, word) for word in re.findall(r"(?:-r|--requirement)[ =]+(\S+)", installing)]
    found = [file for file in dict.fromkeys(named) if file is not None]
    if found:
        return found
    for name in ("requirements.txt", "uv.lock", "pyproject.toml"):
        if (source / name).is_file():
            return [source / name]
    raise PlainBuildError(
        "the project has neither bin/build, nor requirements.txt, uv.lock or pyproject.toml: add one of them;"
        " poetry and pipenv export a requirements.txt"
    )


def decisive(source: Path, target: str | None) -> bytes:
    """Return all that decides what is installed, so that the same is installed once.

    Args:
        source: the project.
        target: the stage that is released; the last one if None.

    Raises:
        PlainBuildError: nothing says what to install.
    """
    waiting, seen = list(requirements(source, stage_of(source, target))), dict[Path, bytes]()
    while waiting:
        file = waiting.pop()
        if file not in seen and file.is_file():
            seen[file] = file.read_bytes()
            text = seen[file].decode("utf-8", errors="replace")
            waiting += [file.parent / name for name in _INCLUDED.findall(text)]
    names = {str(file.relative_to(source)): content for file, content in seen.items()}
    return repr(sorted(names.items())).encode() + Path(__file__).read_bytes()


def app_folder(source: Path, stage: Stage) -> Path:
    """Return what becomes the working directory: the project, or the folder of it that the Dockerfile copies there."""
    if (source / "manage.py").is_file():
        return source
    for sources, _ in stage.copies:
        folder = _within(source, sources[0])
        if len(sources) == 1 and folder is not None and (folder / "manage.py").is_file():
            return folder
    raise PlainBuildError(
        "there is no manage.py in the project, nor in a folder that the Dockerfile copies: add bin/build"
    )


def _within(source: Path, name: str) -> Path | None:
    """Return a file or folder that a Dockerfile names, by its longest end that the project has; None if it has none."""
    parts = [part for part in PurePosixPath(name.strip("'\"")).parts if part not in ("/", ".", "..")]
    for first in range(len(parts)):
        if (source / Path(*parts[first:])).exists():
            return source / Path(*parts[first:])
    return None


def managed(stage: Stage) -> Iterator[str]:
    """Yield the commands with manage.py of the Dockerfile, as it has them."""
    for run in stage.runs:
        if _MANAGED.search(run):
            # What stands beside them installs system packages and the like.
            yield from (part.strip() for part in re.split(r"&&|\n|;", run) if _MANAGED.search(part))


def install(source: Path, target: Path, stage: Stage) -> None:
    """Make the Python environment."""
    beside = Path(sys.executable).with_name("uv")
    uv = shutil.which("uv") or (str(beside) if beside.is_file() else None)
    venv, files = target / "venv", requirements(source, stage)
    named = [word for file in files for word in ("-r", str(file))]
    if uv is None:
        if files[0].suffix in (".lock", ".toml"):
            _fail(f"{files[0].name} needs uv: install it, or add a requirements.txt")
        _run([os.environ["PYTHON"], "-m", "venv", "--clear", str(venv)])
        _run([str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *named])
        return
    _run([uv, "venv", "--quiet", "--clear", "--python", os.environ["PYTHON"], str(venv)])
    if files[0].name == "uv.lock":
        exported = target / "exported.txt"
        flags = ["--frozen", "--no-dev", "--no-emit-project", "--quiet", "--format", "requirements.txt"]
        _run([uv, "export", *flags, "--project", str(source), "--output-file", str(exported)])
        named = ["-r", str(exported)]
    _run([uv, "pip", "install", "--quiet", "--compile-bytecode", *named], VIRTUAL_ENV=str(venv))


def assemble(source: Path, target: Path, stage: Stage) -> None:
    """Copy the project, and run in it what the Dockerfile runs with manage.py."""
    app = target / "app"
    shutil.copytree(app_folder(source, stage), app, symlinks=True)
    path = os.pathsep.join([str(target / "venv" / "bin"), os.environ["PATH"]])
    for command in managed(stage):
        _run(["sh", "-c", command], cwd=app, **{**stage.variables(), "PATH": path})
    _run([str(target / "venv" / "bin" / "python"), "-m", "compileall", "-q", "."], cwd=app)


def _run(arguments: Sequence[str], *, cwd: Path | None = None, **variables: str) -> None:
    sys.stderr.write(f"+ {shlex.join(arguments)}\n")
    sys.stderr.flush()
    done = subprocess.run(arguments, cwd=cwd, env={**os.environ, **variables}, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def main() -> None:
    """Build; see the module's text for the arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dependencies", action="store_true")
    parser.add_argument("--target")
    parser.add_argument("source", type=Path)
    parser.add_argument("into", type=Path)
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    try:
        stage = stage_of(given.source, given.target)
        if given.dependencies:
            install(given.source, given.into.resolve(), stage)
        else:
            assemble(given.source, given.into.resolve(), stage)
    except PlainBuildError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    sys.exit(f"plain build: {message}")


if __name__ == "__main__":
    main()
