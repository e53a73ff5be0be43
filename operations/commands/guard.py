"""`lz guard`."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import click
from botocore.exceptions import ClientError

from config import Configuration, load
from config.assembly import read_assembly
from config.naming import Names
from operations.aws import CLIENT
from operations.configuration import config_option
from operations.errors import CommandError
from operations.guard import Judgement, find_dangers, judge
from operations.node import ROOT
from operations.output import heading, say, write_json
from operations.rehearsed import use_kept_rehearsal
from operations.releases.templates import StackTemplate, recorded, stack_templates

EXAMPLE_DAYS = 7
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option(
    "--assembly",
    type=FOLDER,
    default=ROOT / "cdk.out",
    help="What would be released; cdk.out, from ./lz synth, if left out.",
)
@click.option(
    "--baseline",
    type=FOLDER,
    help="Assembly of an earlier commit to compare with, instead of the templates of the last releases.",
)
@click.option("--rehearsal", is_flag=True, help="Compare with the rehearsal that is up instead of AWS.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is tooling.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@config_option
def command(
    *,
    assembly: Path,
    baseline: Path | None,
    rehearsal: bool,
    profile: str | None,
    as_json: bool,
    config: Path | None,
) -> int:
    """Stop a release that would lose a stack or a resource with data.

    It compares an assembly with the templates that the last successful release of each environment deployed. A stack
    that is gone or renamed, and a database, bucket, queue, secret or zone that would be removed or replaced, fail it,
    unless `acknowledged_changes` in the configuration names that change.
    """
    configuration = load(config)
    if baseline is not None:
        before = stack_templates(read_assembly(baseline))
    else:
        if rehearsal:
            use_kept_rehearsal(configuration.accounts.tooling)
        before = _recorded(configuration, profile)
    after = stack_templates(read_assembly(assembly))
    today = datetime.now(tz=UTC).date()
    verdict = judge(find_dangers(before, after), configuration.acknowledged_changes, today=today)
    if as_json:
        write_json(_as_json(verdict))
    else:
        _show(verdict, compared=len(before), until=str(today + timedelta(days=EXAMPLE_DAYS)))
    return 1 if verdict.open else 0


def _recorded(configuration: Configuration, profile: str | None) -> tuple[StackTemplate, ...]:
    bucket = Names(configuration).records_bucket
    session = boto3.Session(region_name=configuration.organization.region, profile_name=profile)
    try:
        return recorded(session.client("s3", config=CLIENT), bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchBucket", "404"}:
            raise
        message = f"there is no bucket {bucket}, and so nobody knows what was released"
        fix = "deploy the stack Records, or compare with an assembly: --baseline FOLDER"
        raise CommandError(message, fix=fix, exit_code=1) from error


def _show(verdict: Judgement, *, compared: int, until: str) -> None:
    for warning in verdict.warnings:
        say(f"warning: {warning}")
    for danger, entry in verdict.let_through:
        say(f"acknowledged: {danger.change}\n    {danger.what}\n    reason: {entry.reason}")
    if verdict.open:
        heading(f"Changes that would lose something: {len(verdict.open)}")
    for danger in verdict.open:
        say(
            f"{danger.change}\n    {danger.what}\n    fix: {danger.fix}\n"
            "    if it is meant, in acknowledged_changes: "
            f'"{danger.change}": {{ "reason": "...", "until": "{until}" }}'
        )
    if not compared:
        say("nothing was released yet: there is nothing to lose")
    elif not verdict.open:
        say(f"nothing is lost that was not acknowledged: {compared} released stacks compared")


def _as_json(verdict: Judgement) -> dict[str, object]:
    return {
        "open": [asdict(danger) for danger in verdict.open],
        "acknowledged": [{**asdict(danger), **entry.model_dump()} for danger, entry in verdict.let_through],
        "warnings": list(verdict.warnings),
    }
