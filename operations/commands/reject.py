"""`lz reject`."""

from pathlib import Path

import click

from operations.configuration import config_option
from operations.output import say
from operations.pipeline_access import REJECTED, pipeline_access, waiting_approval


@click.command()
@click.argument("environment")
@click.option("--reason", required=True, metavar="TEXT", help="Say why; it is kept with the execution.")
@click.option("--rehearsal", is_flag=True, help="Answer in the rehearsal that is up instead.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is tooling.")
@config_option
def command(
    *, environment: str, reason: str, rehearsal: bool, profile: str | None, config: Path | None
) -> None:
    """Stop a release before an environment that waits for it."""
    access = pipeline_access(config=config, rehearsal=rehearsal, profile=profile)
    stage = access.configuration.find_stage(environment)
    where, action = waiting_approval(access, stage)
    access.answer(where, action, status=REJECTED, summary=reason)
    say(f"rejected: the release stops before {stage.key}; what is there runs on")
    # By name: while this release waited, a newer one may have come, and that one is retried otherwise.
    retry = access.command(f"pipeline retry --stage {where.name}")
    say(f"to be asked again: {retry}; or push something better")
