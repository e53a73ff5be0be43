"""A release by the rehearsed pipeline: pushed, followed to its end, and helped where a person has to."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from operations.pipeline_access import PipelineAccess
from operations.pipeline_table import drawn, error_lines, word
from operations.pipeline_view import ENDED, FAILED, SUCCEEDED, ActionView, PipelineView, StageView
from rehearsal.approver import Approver
from rehearsal.progress import Progress

POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = (
    2.0  # a look costs 50 ms of processor time here and in the emulator; Synth takes minutes
)
_CANCELLED = "Cancelled"
_DNS, _PLACEHOLDER = "DnsPreflight", "RefusePlaceholder"
_NAME_SERVER = re.compile(r"^\s*((?:[a-z0-9-]+\.)+)\s*$", re.MULTILINE)
_MOST_EXECUTIONS = 6  # more would be a pipeline that starts itself again and again


class PipelineError(Exception):
    """The pipeline failed, or did not come to an end."""


@dataclass(frozen=True)
class ActionTime:
    """An action that ran.

    Args:
        stage: its stage.
        name: its name.
        status: how it ended.
        seconds: how long it took.
        began: when it began, seconds of the epoch.
    """

    stage: str
    name: str
    status: str
    seconds: float
    began: float

    @property
    def ended(self) -> float:
        """When it ended, seconds of the epoch."""
        return self.began + self.seconds


class PipelineRun:
    """Follows the pipeline.

    Args:
        access: the pipeline.
        progress: shows what happens.
        approver: answers approvals.
        enter: enters name servers at the registrar.

    Attributes:
        helped: what was done in a person's place.
        actions: what ran in the last execution of each stage.
        executions: how many executions it took.
    """

    def __init__(
        self,
        access: PipelineAccess,
        *,
        progress: Progress,
        approver: Approver,
        enter: Callable[[Sequence[str]], None],
    ) -> None:
        self._access = access
        self._progress = progress
        self._approver = approver
        self._enter = enter
        self._entered = False
        self._followed: set[str] = set()
        self._told: set[tuple[str, str, str, float]] = set()
        self.helped: list[str] = []
        self.actions: tuple[ActionTime, ...] = ()
        self.executions = 0

    def follow(self) -> str:
        """Follow the newest execution to the end of the pipeline; gives its id.

        Raises:
            PipelineError: an action failed that nobody can help.
        """
        while self.executions < _MOST_EXECUTIONS:
            found = self._access.view()
            self.executions += 1
            self._followed.add(found.execution_id)
            status = self._through(found.execution_id, [stage.name for stage in found.stages])
            if status == SUCCEEDED:
                # In every stage that was there; it may have added one, and was cancelled for that.
                status = self._end(found.execution_id)
            if status == SUCCEEDED:
                return found.execution_id
            if status == _CANCELLED:
                self.helped.append("the pipeline's definition had changed: it started itself again")
            else:
                self._start_again()
        raise PipelineError(f"the pipeline did not converge within {_MOST_EXECUTIONS} executions")

    def _through(self, execution_id: str, stages: Sequence[str]) -> str:
        """Follow an execution through its stages; gives its last status."""
        for name in stages:
            title = f"pipeline: {name}"
            while True:
                with self._progress.phase(title):
                    view, stage = self._stage(execution_id, name)
                    if stage.status == FAILED and not self._can_help(stage):
                        raise PipelineError(_failure(view, stage))
                if stage.status == FAILED and self._retry(execution_id, stage):
                    title = f"pipeline: {name}, again"
                    continue
                break
            if stage.status != SUCCEEDED:
                return stage.status
        return SUCCEEDED

    def _stage(self, execution_id: str, name: str) -> tuple[PipelineView, StageView]:
        """Wait until an execution is through a stage; the longer it takes, the more seldom a look."""
        began = time.monotonic()
        while True:
            view = self._access.view()
            self._show(view)
            stage = next(stage for stage in view.stages if stage.name == name)
            ours = stage.execution_id == execution_id
            if ours and stage.status in ENDED:
                return view, stage
            status = self._access.status(execution_id)
            if not ours and status in ENDED:  # it ended before this stage
                return view, StageView(name, status, execution_id, 0, ())
            self._approver.look(self._access, view)
            time.sleep(min(max(POLL_SECONDS, (time.monotonic() - began) / 20), LONGEST_POLL_SECONDS))

    def _end(self, execution_id: str) -> str:
        """Wait for the end of an execution whose stages have ended; gives its last status."""
        while (status := self._access.status(execution_id)) not in ENDED:
            time.sleep(POLL_SECONDS)
        return status

    def _show(self, view: PipelineView) -> None:
        self._progress.show(drawn(view, every=False))
        # Stages that it has not come to yet show an earlier release.
        stages = [stage for stage in view.stages if stage.execution_id in self._followed]
        self.actions = tuple(
            ActionTime(stage.name, action.name, action.status, round(action.seconds, 1), _began(action))
            for stage in stages
            for action in stage.actions
            if action.started is not None
        )
        for stage in stages:
            for action in stage.actions:
                key = (stage.execution_id, stage.name, action.name, _began(action))
                if action.status in (SUCCEEDED, FAILED) and key not in self._told:
                    self._told.add(key)
                    self._progress.log(
                        f"{action.seconds:5.1f} s  {stage.name}/{action.name} {word(action.status)}"
                    )

    def _can_help(self, stage: StageView) -> bool:
        failed = [action for action in stage.actions if action.status == FAILED]
        return all(
            (action.name.startswith(_DNS) and not self._entered)
            or (_PLACEHOLDER in action.name and self.executions == 1)  # a wave names the environment first
            for action in failed
        )

    def _retry(self, execution_id: str, stage: StageView) -> bool:
        """Do what a person does at the DNS preflight: enter the name servers it prints, and retry the step."""
        failed = next((action for action in stage.actions if action.name.startswith(_DNS)), None)
        if failed is None or failed.status != FAILED:
            return False
        name_servers = _NAME_SERVER.findall(failed.error)
        if not name_servers:
            raise PipelineError(f"{failed.name} names no name servers to enter:\n{failed.error}")
        self._entered = True
        self._enter(name_servers)
        self.helped.append(
            f"{failed.name} failed until its {len(name_servers)} name servers were entered at the (rehearsed) registrar"
        )
        self._access.api.retry_stage_execution(
            pipelineName=self._access.name,
            stageName=stage.name,
            pipelineExecutionId=execution_id,
            retryMode="FAILED_ACTIONS",
        )
        return True

    def _start_again(self) -> None:
        self.helped.append("RefusePlaceholder stopped the first run: the change was released again")
        self._access.api.start_pipeline_execution(name=self._access.name)


def artifact(access: PipelineAccess, s3: Any, execution_id: str, name: str) -> bytes:
    """Get an artifact of an execution.

    Args:
        access: the pipeline.
        s3: S3 client that may read the artifact bucket.
        execution_id: the execution.
        name: the artifact.

    Raises:
        PipelineError: no action made it.
    """
    pages = access.api.get_paginator("list_action_executions").paginate(
        pipelineName=access.name, filter={"pipelineExecutionId": execution_id}
    )
    for page in pages:
        for detail in page["actionExecutionDetails"]:
            for made in detail.get("output", {}).get("outputArtifacts", []):
                if made["name"] == name:
                    where = made["s3location"]
                    content: bytes = s3.get_object(Bucket=where["bucket"], Key=where["key"])["Body"].read()
                    return content
    raise PipelineError(f"no action of execution {execution_id} made the artifact {name}")


def _failure(view: PipelineView, stage: StageView) -> str:
    lines = []
    for action in stage.actions:
        if action.status == FAILED:
            lines += [f"{stage.name}/{action.name} failed:", *(f"  {line}" for line in error_lines(action))]
    return "\n".join([f"execution {view.execution_id} of the pipeline stopped", *lines])


def _began(action: ActionView) -> float:
    return action.started.timestamp() if action.started else 0.0
