"""The deployed pipeline, in AWS or in a rehearsal, with the caller's own credentials in the tooling account."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from config import Configuration, StageRef, load
from operations.aws import CLIENT
from operations.errors import CommandError
from operations.pipeline_view import ActionView, PipelineView, StageView, find_pipeline, view
from operations.rehearsed import use_kept_rehearsal

APPROVED, REJECTED = "Approved", "Rejected"


@dataclass(frozen=True)
class PipelineAccess:
    """The pipeline.

    Args:
        api: CodePipeline client of the tooling account.
        name: the pipeline's name.
        configuration: the organization.
    """

    api: Any
    name: str
    configuration: Configuration

    def view(self) -> PipelineView:
        """Look at it."""
        return view(self.api, self.name)

    def status(self, execution_id: str) -> str:
        """Return the status of an execution."""
        found = self.api.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution_id)
        return str(found["pipelineExecution"]["status"])

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
        use_kept_rehearsal(configuration.accounts.tooling)
    session = boto3.Session(region_name=configuration.organization.region, profile_name=profile)
    name = find_pipeline(session.client("cloudformation", config=CLIENT))
    return PipelineAccess(session.client("codepipeline", config=CLIENT), name, configuration)


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
    raise CommandError(message, fix="see where the pipeline is: ./lz pipeline status", exit_code=1)
