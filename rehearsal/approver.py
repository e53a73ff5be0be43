"""Who answers the approvals of a rehearsed pipeline: the rehearsal itself, whoever sits before it, or somebody else."""

import select
import sys
from collections.abc import Callable
from typing import Literal

from rich.console import Console
from rich.text import Text

from operations.pipeline_access import APPROVED, REJECTED, PipelineAccess
from operations.pipeline_view import ActionView, PipelineView, StageView
from rehearsal.progress import Progress

Mode = Literal["auto", "ask", "wait"]
_LOOK_SECONDS = 0.5


def approval_mode(*, auto: bool, wait: bool) -> Mode:
    """Choose: by itself if told so or nobody sits there, by asking on a terminal, or by waiting for `./lz approve`.

    Args:
        auto: `--auto-approve`.
        wait: `--ask`.
    """
    if auto:
        return "auto"
    if sys.stdin.isatty():
        return "ask"
    return "wait" if wait else "auto"


class Approver:
    """Answers approvals.

    Args:
        mode: how.
        progress: makes room for questions.
        console: where questions go.

    Attributes:
        told: what the report says of each answer.
    """

    def __init__(self, mode: Mode, progress: Progress, console: Console) -> None:
        self._mode = mode
        self._progress = progress
        self._console = console
        self._seen: set[str] = set()
        self.told: list[str] = []

    def look(self, access: PipelineAccess, view: PipelineView) -> None:
        """Answer what waits.

        Args:
            access: the pipeline.
            view: what it looks like now.
        """
        for stage, action in view.waiting_approvals():
            if action.token not in self._seen:
                self._seen.add(action.token)
                self._answer(access, stage, action)

    def _answer(self, access: PipelineAccess, stage: StageView, action: ActionView) -> None:
        if self._mode == "auto":
            self.told.append(f"{action.name}: approved by the rehearsal itself; nobody was asked")
            access.answer(stage, action, status=APPROVED, summary="approved by the rehearsal")
            return
        with self._progress.paused():
            self._say(f"{stage.name} waits for approval: {action.summary}", style="yellow")
            self._say("  from another terminal:")
            for line in access.how_to_answer(action):
                self._say(f"    {line}")
            if self._mode == "wait":
                self.told.append(f"{action.name}: answered from elsewhere")
                return
            answer = self._ask(lambda: self._waits(access, action))
        if answer is None:
            self.told.append(f"{action.name}: answered from elsewhere")
            return
        self.told.append(f"{action.name}: {'approved' if answer else 'rejected'} at the terminal")
        status = APPROVED if answer else REJECTED
        access.answer(stage, action, status=status, summary=f"{status.lower()} at the rehearsal's terminal")

    def _ask(self, waits: Callable[[], bool]) -> bool | None:
        """Ask for yes or no; None if it was answered elsewhere meanwhile."""
        while True:
            self._console.print(Text("  Approve? [y or n] "), end="")
            while not select.select([sys.stdin], [], [], _LOOK_SECONDS)[0]:
                if not waits():
                    self._say("answered from elsewhere")
                    return None
            said = sys.stdin.readline().strip().lower()
            if said in ("y", "yes", "n", "no"):
                return said.startswith("y")

    def _waits(self, access: PipelineAccess, action: ActionView) -> bool:
        return any(other.token == action.token for _, other in access.view().waiting_approvals())

    def _say(self, text: str, *, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)  # commands are copied whole
