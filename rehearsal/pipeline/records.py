"""What happened in a pipeline: its executions, with their stages and actions."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.pipeline.definition import Action, Definition

IN_PROGRESS, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"
STOPPING, STOPPED, CANCELLED, ABANDONED = "Stopping", "Stopped", "Cancelled", "Abandoned"
STANDARD, ROLLBACK = "STANDARD", "ROLLBACK"
INTERNAL_ERROR = "InternalError"  # code of an action that died of a mistake of the rehearsal's own
ENDED = (SUCCEEDED, FAILED, STOPPED, CANCELLED)


def new_id() -> str:
    """An id as CodePipeline makes them."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Location:
    """Where an artifact is.

    Args:
        bucket: bucket of the store in the pipeline's region.
        key: the object.
    """

    bucket: str
    key: str


@dataclass
class ActionRun:
    """One run of one action.

    Args:
        execution_id: the pipeline's execution.
        stage: name of its stage.
        action: its definition.
        version: version of the pipeline's definition.
    """

    execution_id: str
    stage: str
    action: Action
    version: int
    id: str = field(default_factory=new_id)
    status: str = IN_PROGRESS
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    configuration: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, Location] = field(default_factory=dict)
    inputs: dict[str, Location] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    external_id: str = ""
    external_url: str = ""
    summary: str = ""
    error_code: str = ""
    error_message: str = ""
    token: str = ""  # of an approval that waits
    revision: Mapping[str, Any] | None = None

    def end(self, status: str, *, summary: str = "", code: str = "", message: str = "") -> None:
        """Note how it ended."""
        self.status, self.summary, self.error_code, self.error_message = status, summary, code, message
        self.token = ""
        self.updated = time.time()


@dataclass
class StageRun:
    """One passage of an execution through a stage; a retry belongs to it.

    Args:
        name: the stage.
        execution_id: the execution.
        kind: STANDARD or ROLLBACK.
    """

    name: str
    execution_id: str
    kind: str = STANDARD
    status: str = IN_PROGRESS
    actions: list[ActionRun] = field(default_factory=list)

    def latest(self, action: str) -> ActionRun | None:
        """The last run of an action in this passage."""
        return next((run for run in reversed(self.actions) if run.action.name == action), None)


@dataclass
class Execution:
    """One execution of a pipeline.

    Args:
        definition: the definition that it follows.
        version: that definition's version.
        trigger: what started it: type and detail.
        kind: STANDARD or ROLLBACK.
        rollback_target: the execution whose artifacts a rollback uses.
    """

    definition: Definition
    version: int
    trigger: tuple[str, str]
    kind: str = STANDARD
    rollback_target: str = ""
    id: str = field(default_factory=new_id)
    status: str = IN_PROGRESS
    summary: str = ""
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    artifacts: dict[str, Location] = field(default_factory=dict)
    variables: dict[str, Mapping[str, str]] = field(default_factory=dict)
    revisions: list[Mapping[str, Any]] = field(default_factory=list)
    stages: dict[str, StageRun] = field(default_factory=dict)
    stop_reason: str = ""
    abandoned: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens in it, unless somebody retries a stage."""
        return self.status in ENDED

    @property
    def is_over(self) -> bool:
        """Whether it must begin nothing more."""
        return self.status != IN_PROGRESS

    def end(self, status: str, summary: str = "") -> None:
        """Note how it ended."""
        self.status, self.summary, self.updated = status, summary, time.time()

    def runs(self) -> list[ActionRun]:
        """All runs of actions in it, in the order in which they began."""
        return sorted(
            (run for stage in self.stages.values() for run in stage.actions), key=lambda r: r.started
        )
