"""Programs that the task definitions hand to the Python of a workload's image, as text.

So a project needs nothing of this repository in its image, and what runs is in the template: a change of it is seen in
a diff, and rolls the tasks that it concerns. They run on Python 3.8 and newer, with what the project has installed.
"""

from collections.abc import Mapping
from pathlib import Path

from config.workload import Commands

_FOLDER = Path(__file__).parent


def entry_point(commands: Commands, composed: Mapping[str, str]) -> list[str] | None:
    """Return the entry point of a container whose variables are composed when it starts; else None.

    Args:
        commands: the workload's commands.
        composed: variable -> text with the names of variables in braces, as the container knows them.
    """
    if not composed:
        return None
    pairs = [f"{name}={template}" for name, template in composed.items()]
    return [commands.python, "-c", _text("start.py"), *pairs, "--"]


def release_command(commands: Commands, names: Mapping[str, str]) -> list[str]:
    """Return the command of the release task: the workload's, or the landing zone's own.

    Args:
        commands: the workload's commands.
        names: the landing zone's name of a variable -> the name that the container knows, where it differs.
    """
    if commands.release is not None:
        return list(commands.release)
    wanted = ("DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD", "STATIC_BUCKET")
    arguments = ", ".join(repr(names.get(name, name)) for name in wanted)
    # Django's own `shell` knows the project's settings, wherever they are, and takes a program as text.
    return [
        commands.python,
        "manage.py",
        "shell",
        "-v",
        "0",
        "-c",
        f"{_text('release.py')}\n\nmain({arguments})\n",
    ]


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
