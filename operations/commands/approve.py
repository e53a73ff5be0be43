"""`lz approve`."""

import sys
from pathlib import Path

import click

from config import StageRef
from operations.configuration import config_option
from operations.errors import CommandError
from operations.output import progress, say
from operations.pipeline_access import APPROVED, pipeline_access, waiting_approval
from operations.pipeline_view import ActionView, PipelineView


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
    _confirm(stage, access.view(), action, yes=yes)
    access.answer(where, action, status=APPROVED, summary=comment)
    where_to = " --rehearsal" if rehearsal else ""
    say(
        f"approved: the release goes on into {stage.key}; follow it with ./lz pipeline status --watch{where_to}"
    )


def _confirm(stage: StageRef, view: PipelineView, action: ActionView, *, yes: bool) -> None:
    """Ask before a release reaches production.

    Raises:
        CommandError: nobody can be asked.
    """
    if yes or not stage.is_production:
        return
    if not sys.stdin.isatty():
        message = f"{stage.key} is production, and there is no terminal to ask on"
        raise CommandError(message, fix="add --yes if you mean it")
    progress(action.summary)
    question = f"Release commit {view.commit or '(unknown)'} to {stage.key} ({stage.environment.domain})?"
    click.confirm(question, abort=True, err=True)
