"""The deployed pipeline, in AWS or in a rehearsal, with the caller's own credentials in the tooling account."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from config import Configuration, StageRef, load
from config.artifacts import source_of
from config.naming import SHARED_SERVICES_STAGE
from config.stages import waves
from operations.aws import CLIENT
from operations.configuration import typed
from operations.errors import CommandError
from operations.pipeline_view import FAILED, ActionView, PipelineView, StageView, find_pipeline, view
from operations.rehearsed import use_kept_rehearsal

APPROVAL, APPROVED, REJECTED = "Approval", "Approved", "Rejected"
_FAILED_SERVICE = "ECS Deployment Circuit Breaker was triggered"  # as CloudFormation says it
_PLACEHOLDER = "RefusePlaceholder"
_BEFORE_ENVIRONMENTS = (
    "Source",
    "Build",
    "UpdatePipeline",
    "Assets",
    SHARED_SERVICES_STAGE,
)  # as the CDK names them


@dataclass(frozen=True)
class PipelineAccess:
    """The pipeline.

    Args:
        api: CodePipeline client of the tooling account.
        name: the pipeline's name.
        configuration: the organization.
        rehearsed: whether it is a rehearsal's.
        profile: AWS profile that the caller named.
        config: configuration that the caller named.
    """

    api: Any
    name: str
    configuration: Configuration
    rehearsed: bool = False
    profile: str | None = None
    config: Path | None = None

    def view(self) -> PipelineView:
        """Look at it."""
        return view(self.api, self.name, source=source_of(self.configuration.pipeline.repository))

    def status(self, execution_id: str) -> str:
        """Return the status of an execution."""
        found = self.api.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution_id)
        return str(found["pipelineExecution"]["status"])

    def command(self, text: str) -> str:
        """Return a command as a person types it to reach the same pipeline.

        Args:
            text: the command, without `./lz`.
        """
        return typed(text, rehearsal=self.rehearsed, profile=self.profile, config=self.config)

    def how_to_answer(self, action: ActionView) -> tuple[str, ...]:
        """Return the commands that show and answer an approval.

        Args:
            action: the approval.
        """
        stages = self.configuration.stages()
        keys = [stage.key for stage in stages if action.name.endswith(f"-{stage.stage_name}")]
        name = keys[0] if keys else "ENVIRONMENT"
        return (
            f"what changes: {self.command(f'packet --env {name} --waiting')}",
            f"let it go on: {self.command(f'approve {name}')}",
            f"stop it: {self.command(f'reject {name} --reason TEXT')}",
        )

    def hints(self, found: PipelineView) -> tuple[str, ...]:
        """Return what a person does next: answer what waits, look at tasks that did not start, retry what failed.

        Args:
            found: the pipeline as it is.
        """
        answers = [line for _, action in found.waiting_approvals() for line in self.how_to_answer(action)]
        tasks = [
            self._why_tasks_stopped(ref)
            for stage in found.stages
            for action in stage.actions
            for ref in self.configuration.stages()
            if _FAILED_SERVICE in action.error and ref.stage_name in (stage.name, action.name.split(".")[0])
        ]
        failed = [
            action
            for stage in found.stages
            for action in stage.actions
            if action.status == FAILED and stage.execution_id == found.execution_id
        ]
        return (*answers, *dict.fromkeys(tasks), *self._what_to_do(failed))

    def _what_to_do(self, failed: Sequence[ActionView]) -> Iterator[str]:
        """Say how to go on; a run without an image says itself that retrying does not give it one."""
        if not failed or any(_PLACEHOLDER in action.name for action in failed):
            return
        retry = self.command("pipeline retry")
        if all(action.category == APPROVAL for action in failed):
            yield f"to be asked again: {retry}; or push something better"
        else:
            yield f"if the cause is gone: {retry}; if it is in the code, correct it and push"

    def _why_tasks_stopped(self, ref: StageRef) -> str:
        """An environment is looked at with its own account's credentials, not with those that reach the pipeline."""
        text = f"status --env {ref.key}"
        if self.rehearsed:
            return f"why its tasks stopped: {self.command(text)}"
        command = typed(text, rehearsal=False, profile="PROFILE", config=self.config)
        return f"why its tasks stopped, with a profile of account {ref.account_id}: {command}"

    def commit(self, execution_id: str) -> str:
        """Return the commit of this project that an execution releases; empty if its source has not run.

        Args:
            execution_id: the execution; the newest is not always the one that waits.
        """
        found = self.api.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution_id)
        source = source_of(self.configuration.pipeline.repository)
        for revision in found["pipelineExecution"].get("artifactRevisions", []):
            if revision.get("name") == source:  # the others are workloads' own repositories
                return str(revision.get("revisionId", ""))
        return ""

    def failed_stage(self, found: PipelineView, name: str | None) -> StageView:
        """Find the stage to retry: of the newest execution, or the one that somebody named.

        Args:
            found: the pipeline as it is.
            name: of the stage, if somebody named one; a stage that an earlier execution failed in has to be named.

        Raises:
            CommandError: it has not failed, or nothing has, or several have and none is named.
        """
        failed = [stage for stage in found.stages if stage.status == FAILED]
        newest = [stage for stage in failed if stage.execution_id == found.execution_id]
        wanted = newest if name is None else [stage for stage in failed if stage.name == name]
        if len(wanted) == 1:
            return wanted[0]
        names = ", ".join(stage.name for stage in failed)
        if not failed:
            message, fix = "no stage has failed", f"see where it is: {self.command('pipeline status')}"
        elif name is not None:
            message, fix = f"no stage {name} has failed", f"these have: {names}"
        elif newest:
            message = f"several stages have failed: {', '.join(stage.name for stage in newest)}"
            fix = "say which: --stage NAME"
        else:
            message = f"no stage of the newest release has failed, and of an earlier release: {names}"
            retry = self.command(f"pipeline retry --stage {failed[0].name}")
            fix = f"if you mean the earlier release, name its stage: {retry}"
        raise CommandError(message, fix=fix, exit_code=1)

    def environments(self, stage: StageView) -> tuple[StageRef, ...]:
        """Return the environments that a stage deploys; none if it is one before them, or an unknown one.

        Args:
            stage: the stage.
        """
        found = [wave.stages for wave in waves(self.configuration) if wave.name == _uncut(stage)]
        return found[0] if found else ()

    def is_known(self, stage: StageView) -> bool:
        """Whether it is known what a stage deploys.

        The configuration here may be another than the pipeline's: an older checkout, another size of waves.

        Args:
            stage: the stage.
        """
        return _uncut(stage) in _BEFORE_ENVIRONMENTS or bool(self.environments(stage))

    def retry(self, stage: StageView, *, everything: bool) -> None:
        """Run again what failed in a stage, and go on with the same execution.

        Args:
            stage: the stage.
            everything: run all of its actions again, not only those that failed.
        """
        self.api.retry_stage_execution(
            pipelineName=self.name,
            stageName=stage.name,
            pipelineExecutionId=stage.execution_id,
            retryMode="ALL_ACTIONS" if everything else "FAILED_ACTIONS",
        )

    def answer(self, stage: StageView, action: ActionView, *, status: str, summary: str) -> None:
        """Answer an approval that waits.

        Args:
            stage: its stage.
            action: the approval.
            status: Approved or Rejected.
            summary: why; it is kept with the execution.
        """
        self.api.put_approval_result(
            pipelineName=self.name,
            stageName=stage.name,
            actionName=action.name,
            result={"summary": summary, "status": status},
            token=action.token,
        )


def _uncut(stage: StageView) -> str:
    """The CDK cuts a stage of many actions: ProductionWave1.1, ProductionWave1.2."""
    return stage.name.partition(".")[0]


def pipeline_access(*, config: Path | None, rehearsal: bool, profile: str | None) -> PipelineAccess:
    """Find the pipeline.

    Args:
        config: another configuration than the project's.
        rehearsal: work on the rehearsal that is up.
        profile: AWS profile of the caller.

    Raises:
        CommandError: there is none.
    """
    configuration = load(config)
    if rehearsal:
        use_kept_rehearsal(configuration.accounts.tooling, profile=profile)
    session = boto3.Session(region_name=configuration.organization.region, profile_name=profile)
    name = find_pipeline(session.client("cloudformation", config=CLIENT))
    return PipelineAccess(
        session.client("codepipeline", config=CLIENT),
        name,
        configuration,
        rehearsed=rehearsal,
        profile=profile,
        config=config,
    )


def waiting_approval(access: PipelineAccess, stage: StageRef) -> tuple[StageView, ActionView]:
    """Find the approval that an environment waits for.

    Args:
        access: the pipeline.
        stage: the environment.

    Raises:
        CommandError: it waits for none.
    """
    found = access.view()
    waiting = found.waiting_approvals()
    for where, action in waiting:
        if where.name == stage.stage_name or action.name.endswith(f"-{stage.stage_name}"):
            return where, action
    others = ", ".join(action.name for _, action in waiting)
    message = f"no approval of {stage.key} waits" + (f"; there waits {others}" if others else "")
    fix = f"see where the pipeline is: {access.command('pipeline status')}"
    raise CommandError(message, fix=fix, exit_code=1)
