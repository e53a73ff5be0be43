"""Rehearsals that tests look into, or plant mistakes in."""

import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from config import Configuration, StageRef
from config.assembly import read_assembly
from rehearsal.door import DoorState
from rehearsal.emulator import Emulator
from rehearsal.progress import Progress
from rehearsal.rehearsing import Rehearsal
from rehearsal.report import Report
from tests.rehearsal.support import processes_of


class OpenRehearsal(Rehearsal):
    """A rehearsal that can be looked into while it is up."""

    @property
    def emulator(self) -> Emulator:
        return self._emulator

    @property
    def door_state(self) -> DoorState:
        return self._door.state()


def silently() -> Progress:
    return Progress(Console(file=StringIO()))


def rehearse_with(
    configuration: Configuration,
    stages: Sequence[StageRef],
    stack_path: str,
    change: Callable[[dict[str, Any]], None],
) -> Report:
    """Rehearse with a change in one synthesized template.

    Args:
        configuration: the organization.
        stages: the environments.
        stack_path: end of the stack's path.
        change: changes the template; what it breaks is in the report, and nothing is left behind.
    """

    class Planted(Rehearsal):
        def _synthesize(self, title: str, name: str, images: Path) -> Path:
            assembly = super()._synthesize(title, name, images)
            (stack,) = (stack for stack in read_assembly(assembly) if stack.path.endswith(stack_path))
            template = json.loads(stack.template_file.read_text())
            change(template)
            stack.template_file.write_text(json.dumps(template))
            return assembly

        @property
        def directory(self) -> Path:
            return self._directory

    rehearsal = Planted(configuration, stages, silently(), approver=None, keep=False)
    try:
        return rehearsal.run()
    finally:
        rehearsal.close()
        # A failure leaves nothing behind either.
        assert not rehearsal.directory.exists()
        assert processes_of(rehearsal.directory) == []
