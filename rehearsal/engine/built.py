"""How a source is built, and what of its image is kept beside what was built: its variables and its entry point."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rehearsal.dockerfile import Stage
from rehearsal.engine import plain_build, task_network
from rehearsal.oci import TARGET_FILE

_FILE = "image.json"
_SHIM = "rehearsal_task_network"
# They are process 1 of a container and reap what it leaves; here the supervisor does.
_INIT_PROGRAMS = ("tini", "dumb-init", "docker-init", "catatonit")


class BuildError(Exception):
    """An image's source could not be built; the message has the end of the build's output."""


@dataclass(frozen=True)
class Recipe:
    """How to build.

    Args:
        command: the program and its first arguments.
        source: the project, if the program wants to be told.
        decisive: what decides which packages are installed; empty if that is not known.
        target: stage of the Dockerfile that is released; the last one if None.
    """

    command: tuple[str, ...]
    source: tuple[str, ...]
    decisive: bytes
    target: str | None

    def arguments(self, into: Path, *options: str) -> tuple[str, ...]:
        """Return the whole command.

        Args:
            into: the folder to fill.
            options: such as `--dependencies`.
        """
        return (*self.command, *options, *self.source, str(into))


def recipe_for(source: Path) -> Recipe:
    """Say how to build a source: with its own script, or else plainly.

    Args:
        source: the unpacked project.

    Raises:
        BuildError: it cannot be built.
    """
    named = source.parent / TARGET_FILE
    target = named.read_text(encoding="utf-8") if named.is_file() else None
    script, lock = source / "bin" / "build", source / "requirements.txt"
    if script.is_file():
        decisive = lock.read_bytes() + script.read_bytes() if lock.is_file() else b""
        return Recipe(("sh", str(script)), (), decisive, target)
    try:
        decisive = plain_build.decisive(source, target)
        plain_build.app_folder(source, plain_build.stage_of(source, target))
    except (plain_build.PlainBuildError, OSError) as error:
        raise BuildError(str(error)) from error
    chosen = ("--target", target) if target else ()
    return Recipe((sys.executable, "-I", plain_build.__file__, *chosen), (str(source),), decisive, target)


def share_network(venv: Path) -> None:
    """Let Python's servers listen at their task's address.

    Args:
        venv: a Python environment.
    """
    for packages in venv.glob("lib/python*/site-packages"):
        shutil.copyfile(task_network.__file__, packages / f"{_SHIM}.py")
        (packages / f"{_SHIM}.pth").write_text(f"import {_SHIM}\n", encoding="utf-8")


def describe(source: Path, root: Path, target: str | None) -> None:
    """Keep what the Dockerfile says of the image.

    Args:
        source: the unpacked project.
        root: what was built.
        target: stage of the Dockerfile that is released; the last one if None.

    Raises:
        BuildError: the stage is missing, or its entry point cannot be run here.
    """
    if not (source / "Dockerfile").is_file():
        return
    try:
        stage = plain_build.stage_of(source, target)
    except plain_build.PlainBuildError as error:
        raise BuildError(str(error)) from error
    said = {
        "environment": {name: _here(value, stage, root) for name, value in stage.variables().items()},
        "entry_point": _entry_point(stage, root),
    }
    (root / _FILE).write_text(json.dumps(said), encoding="utf-8")


def image_environment(root: Path) -> Mapping[str, str]:
    """Return the image's variables.

    Args:
        root: what was built.
    """
    return dict(_said(root).get("environment", {}))


def image_entry_point(root: Path) -> Sequence[str]:
    """Return the image's entry point.

    Args:
        root: what was built.
    """
    return list(_said(root).get("entry_point", []))


def _said(root: Path) -> Mapping[str, Any]:
    file = root / _FILE
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def _here(value: str, stage: Stage, root: Path) -> str:
    """Replace the image's working directory by that of the processes, in a path or a list of paths."""
    return ":".join(
        f"{root}/app{part[len(stage.directory) :]}"
        if stage.directory != "/" and f"{part}/".startswith(f"{stage.directory}/")
        else part
        for part in value.split(":")
    )


def _entry_point(stage: Stage, root: Path) -> list[str]:
    words = list(stage.entry_point)
    if words and PurePosixPath(words[0]).name in _INIT_PROGRAMS:
        words = words[words.index("--") + 1 :] if "--" in words else words[1:]
    if not words:
        return []
    program = _here(words[0], stage, root)
    if (
        program.startswith("/")
        and not Path(program).is_relative_to(root)
        and not words[0].startswith("/bin/")
    ):
        raise BuildError(
            f"the image's entry point {words[0]} is not in its working directory {stage.directory}, so it cannot be"
            " run here: have it there, or leave ENTRYPOINT out and name the program in the workload's commands"
        )
    return [program, *words[1:]]
