"""`lz approve`."""

from pathlib import Path

import click

from config import StageRef
from operations.asking import ask_before_production
from operations.configuration import config_option
from operations.output import progress, say
from operations.pipeline_access import APPROVED, PipelineAccess, pipeline_access, waiting_approval
from operations.pipeline_table import COMMIT_DIGITS
from operations.pipeline_view import ActionView, StageView


@click.command()
@click.argument("environment")
@click.option("--comment", default="approved with lz", metavar="TEXT", help="Say why; it is kept.")
@click.option("--yes", is_flag=True, help="Do not ask, in production.")
@click.option("--rehearsal", is_flag=True, help="Answer in the rehearsal that is up instead.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is tooling.")
@config_option
def command(
    *, environment: str, comment: str, yes: bool, rehearsal: bool, profile: str | None, config: Path | None
) -> None:
    """Let a release go on into an environment that waits for it."""
    access = pipeline_access(config=config, rehearsal=rehearsal, profile=profile)
    stage = access.configuration.find_stage(environment)
    where, action = waiting_approval(access, stage)
    confirm(access, stage, where, action, yes=yes)
    access.answer(where, action, status=APPROVED, summary=comment)
    say(f"approved: the release goes on into {stage.key}")
    say(f"follow it: {access.command('pipeline status --watch')}")


def confirm(
    access: PipelineAccess, stage: StageRef, where: StageView, action: ActionView, *, yes: bool
) -> None:
    """Ask before a release reaches production, with what the packet says of it.

    Args:
        access: the pipeline.
        stage: the environment.
        where: the pipeline's stage.
        action: the approval.
        yes: the person has said so already.

    Raises:
        CommandError: nobody can be asked, or the answer is no.
    """
    if yes or not stage.is_production:
        return
    progress(action.summary)
    progress(access.how_to_answer(action)[0])
    commit = access.commit(where.execution_id) or "(unknown)"
    ask_before_production(
        stage,
        f"Release commit {commit[:COMMIT_DIGITS]} to {stage.key} ({stage.environment.domain})?",
        yes=yes,
        otherwise=f"not approved: the release still waits before {stage.key}",
        fix=access.how_to_answer(action)[2],
    )
