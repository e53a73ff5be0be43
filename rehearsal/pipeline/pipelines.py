"""The pipelines of a rehearsal, and what can be asked of one: start, stop, approve, retry, roll back.

An execution holds a stage until it is through, and others queue before it in the order in which they came (execution
mode QUEUED). A changed definition cancels what runs, as on AWS.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from rehearsal.pipeline import records
from rehearsal.pipeline.definition import Definition
from rehearsal.pipeline.errors import RequestError
from rehearsal.pipeline.passage import Passage, Work
from rehearsal.pipeline.records import ActionRun, Execution, StageRun

Perform = Callable[[Work], None]
MOST_EXECUTIONS = 50  # that wait or run, in mode QUEUED (CodePipeline user guide, Quotas)


class Pipeline:
    """One pipeline.

    Args:
        account: its account.
        region: its region.
        definition: its definition.
        perform: does the work of an action.

    Attributes:
        version: raised by each update.
        executions: all of them, the newest last.
        passages: stage -> what went through it, the newest last.
        changed: guards all of it, and tells of changes.
    """

    def __init__(self, account: str, region: str, definition: Definition, perform: Perform) -> None:
        self.account = account
        self.region = region
        self.definition = definition
        self.version = 1
        self.created = self.updated = time.time()
        self.executions: list[Execution] = []
        self.passages: dict[str, list[StageRun]] = {}
        self.changed = threading.Condition(threading.RLock())
        self._passage = Passage(self, perform)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.definition.name}"

    def start(self, kind: str, detail: str) -> Execution:
        """Start an execution.

        Args:
            kind: what started it, as the API names it, such as StartPipelineExecution.
            detail: who or what that was.
        """
        with self.changed:
            if sum(not one.has_ended for one in self.executions) >= MOST_EXECUTIONS:
                raise RequestError(
                    "ConcurrentPipelineExecutionsLimitExceededException",
                    f"The pipeline has reached the limit of {MOST_EXECUTIONS} concurrent executions",
                )
            execution = Execution(self.definition, self.version, (kind, detail))
            self._begin(execution, self.definition.stages[0].name)
        return execution

    def update(self, definition: Definition) -> None:
        """Take a new definition: what runs is cancelled, and starts again if the definition wants it."""
        with self.changed:
            self.definition, self.version, self.updated = definition, self.version + 1, time.time()
            for execution in self.executions:
                if not execution.has_ended:
                    summary = "The pipeline's definition was updated before the pipeline execution completed"
                    execution.end(records.CANCELLED, summary)
            # At once: who looks must not find the cancelled one as the newest.
            if definition.restart_on_update:
                self.start("StartPipelineExecution", "cloudformation.amazonaws.com")
            self.changed.notify_all()

    def close(self) -> None:
        """Stop everything: the pipeline is gone."""
        with self.changed:
            for execution in self.executions:
                if not execution.has_ended:
                    execution.abandoned = True
                    execution.end(records.STOPPED, "The pipeline was deleted")
            self.changed.notify_all()

    def stop(self, execution_id: str, *, abandon: bool, reason: str) -> None:
        """Let an execution begin no further action.

        Args:
            execution_id: the execution.
            abandon: do not wait for the actions that run.
            reason: why.
        """
        with self.changed:
            execution = self.execution(execution_id)
            if execution.has_ended or (execution.status == records.STOPPING and not abandon):
                code = "DuplicatedStopRequestException" if not execution.has_ended else ""
                raise RequestError(
                    code or "PipelineExecutionNotStoppableException",
                    f"The execution {execution_id} is {execution.status} and cannot be stopped",
                )
            execution.stop_reason, execution.abandoned = reason, abandon
            execution.end(records.STOPPING, reason)
            self.changed.notify_all()

    def approve(self, stage: str, action: str, *, token: str, approved: bool, summary: str) -> None:
        """Answer an approval.

        Args:
            stage: its stage.
            action: the action.
            token: as the pipeline's state tells it.
            approved: the answer.
            summary: why.
        """
        with self.changed:
            run = self._last_run(stage, action)
            if run is None or run.action.category != "Approval":
                raise RequestError("ActionNotFoundException", f"{stage} has no approval action {action}")
            if run.status != records.IN_PROGRESS or not run.token:
                raise RequestError(
                    "ApprovalAlreadyCompletedException",
                    "The approval action has already been approved or rejected.",
                )
            if run.token != token:
                raise RequestError(
                    "InvalidApprovalTokenException", "The approval token is not that of the request"
                )
            if approved:
                run.end(records.SUCCEEDED, summary=summary)
            else:
                run.end(records.FAILED, summary=summary, code="JobFailed", message=f"Rejected: {summary}")
            self.changed.notify_all()

    def retry(self, stage: str, execution_id: str, *, everything: bool) -> Execution:
        """Run what failed in a stage again, and go on.

        Args:
            stage: the stage.
            execution_id: the execution that failed there.
            everything: run all of the stage's actions again, not only those that failed.
        """
        with self.changed:
            execution = self.execution(execution_id)
            passages = self.passages.get(self.stage(stage), [])
            if not passages or passages[-1].execution_id != execution_id:
                raise RequestError(
                    "NotLatestPipelineExecutionException",
                    f"{execution_id} is not the latest execution of stage {stage}",
                )
            if passages[-1].status not in {records.FAILED, records.STOPPED}:
                raise RequestError(
                    "StageNotRetryableException",
                    f"Stage {stage} is {passages[-1].status}: there is nothing to retry",
                )
            if execution.version != self.version:
                raise RequestError(
                    "StageNotRetryableException", "The pipeline's definition changed after the stage failed"
                )
            execution.stop_reason, execution.abandoned = "", False
            execution.end(records.IN_PROGRESS)
            passages[-1].status = records.IN_PROGRESS
            self._passage.begin(execution, stage, again="all" if everything else "failed")
        return execution

    def roll_back(self, stage: str, target_id: str) -> Execution:
        """Run a stage with the artifacts and variables of an earlier execution.

        Args:
            stage: the stage; not the first.
            target_id: an execution that succeeded in it.
        """
        with self.changed:
            target = self.execution(target_id)
            if self.stage(stage) == self.definition.stages[0].name:
                raise RequestError("UnableToRollbackStageException", "A source stage cannot be rolled back")
            if target.version != self.version:
                raise RequestError(
                    "PipelineExecutionOutdatedException",
                    f"The execution {target_id} ran with version {target.version} of the pipeline, which now has "
                    f"version {self.version}",
                )
            through = target.stages.get(stage)
            if through is None or through.status != records.SUCCEEDED or target.kind == records.ROLLBACK:
                raise RequestError(
                    "UnableToRollbackStageException",
                    f"The execution {target_id} did not succeed in stage {stage}",
                )
            execution = replace(
                Execution(self.definition, self.version, ("ManualRollback", target_id)),
                kind=records.ROLLBACK,
                rollback_target=target_id,
                artifacts=dict(target.artifacts),
                variables=dict(target.variables),
                revisions=list(target.revisions),
            )
            self._begin(execution, stage)
        return execution

    def execution(self, execution_id: str) -> Execution:
        """Find an execution."""
        found = next((one for one in self.executions if one.id == execution_id), None)
        if found is None:
            raise RequestError(
                "PipelineExecutionNotFoundException",
                f"The execution {execution_id} of pipeline {self.definition.name} does not exist",
            )
        return found

    def stage(self, name: str) -> str:
        """Check that a stage exists; gives its name."""
        if self.definition.stage(name) is None:
            raise RequestError(
                "StageNotFoundException", f"Stage {name} of {self.definition.name} does not exist"
            )
        return name

    def waiting(self, stage: str) -> list[str]:
        """Ids of the executions that wait before a stage."""
        return self._passage.waiting(stage)

    def _last_run(self, stage: str, action: str) -> ActionRun | None:
        runs = (passage.latest(action) for passage in reversed(self.passages.get(self.stage(stage), [])))
        return next((run for run in runs if run is not None), None)

    def _begin(self, execution: Execution, stage: str) -> None:
        self.executions.append(execution)
        self._passage.begin(execution, stage)
