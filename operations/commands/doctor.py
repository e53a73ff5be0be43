"""`lz doctor`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import boto3
import click

from config import Configuration, load
from operations.bootstrap import bootstraps
from operations.commands.bootstrap import shell_command
from operations.configuration import config_option
from operations.doctor import Health, examine
from operations.output import heading, paragraph, say, table, write_json
from operations.rehearsed import use_kept_rehearsal

WHAT_NOW = (
    "Each account's administrator runs the command below, with credentials of that account; repeating it does no "
    "harm. Then run this again, or ./lz pipeline retry. Nothing was deployed and the pipeline has not "
    "changed itself: its keys name roles of every account, and would have broken."
)


@click.command()
@click.option("--profile", metavar="NAME", help="AWS profile of the tooling account.")
@click.option("--rehearsal", is_flag=True, help="Look at the rehearsal that is up instead of AWS.")
@click.option("--json", "as_json", is_flag=True, help="Write what was found as JSON.")
@config_option
def command(*, profile: str | None, rehearsal: bool, as_json: bool, config: Path | None) -> int:
    """Check that every account is bootstrapped and trusts tooling.

    It looks at each account and region that the configuration names, with the bootstrap's look-up role. The exit
    code is 1 if one is not ready; the command that mends each is printed. The pipeline runs it before it changes
    itself.
    """
    configuration = load(config)
    if rehearsal:
        use_kept_rehearsal(configuration.accounts.tooling, profile=profile)
    session = boto3.Session(region_name=configuration.organization.region, profile_name=profile)
    found = examine(configuration, session)
    sick = [health for health in found if health.problem]
    if as_json:
        write_json([asdict(health) for health in found])
        return 1 if sick else 0
    rows = [
        (one.place.account_name, one.place.account_id, one.place.region, one.problem or "ready")
        for one in found
    ]
    table(("account", "id", "region", "bootstrap and trust"), rows)
    if not sick:
        say(f"all {len(found)} places in {len({one.place.account_id for one in found})} accounts are ready")
        return 0
    _instruct(configuration, sick)
    return 1


def _instruct(configuration: Configuration, sick: Sequence[Health]) -> None:
    say("")
    paragraph(WHAT_NOW)
    names = {health.place.account_name for health in sick}
    for call in bootstraps(configuration):
        if call.account_name in names:
            heading(f"{call.account_name} ({call.account_id})")
            say(f"  ./lz bootstrap {call.account_name} --profile PROFILE")
            say(f"  without this project: {shell_command(call, None)}")
