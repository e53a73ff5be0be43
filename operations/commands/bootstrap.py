"""`lz bootstrap`."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from config import load
from config.problems import did_you_mean
from operations.bootstrap import Bootstrap, bootstraps
from operations.configuration import config_option
from operations.errors import CommandError
from operations.node import ROOT, cdk_command, cdk_version, environment
from operations.output import heading, paragraph, progress, say, write_json

WHY = (
    "Each account is bootstrapped once by its own administrator, before the pipeline's first deployment: the "
    "key of the pipeline's artifacts names roles that this makes, and IAM refuses a policy that names a role "
    "which does not exist. The order is free until then; repeating a command does no harm. --trust lets the "
    "tooling account deploy here, and nobody else."
)


@click.command()
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--profile", metavar="NAME", help="AWS profile of an administrator of the account.")
@click.option("--print", "only_print", is_flag=True, help="Print the commands and run nothing.")
@click.option(
    "--execution-policy",
    metavar="ARN",
    multiple=True,
    help="What CloudFormation may do in the account; may be repeated. AdministratorAccess if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the commands as JSON, and run nothing.")
@config_option
def command(
    *,
    accounts: tuple[str, ...],
    profile: str | None,
    only_print: bool,
    execution_policy: tuple[str, ...],
    as_json: bool,
    config: Path | None,
) -> int:
    """Prepare an account for the pipeline, or print how.

    ACCOUNT is tooling, shared_services, or the name of a workload account. Without one, the commands for all
    of them are printed: what each account's administrator runs.
    """
    every = bootstraps(load(config), execution_policies=",".join(execution_policy) or None)
    chosen = _choose(every, accounts)
    if as_json:
        write_json([asdict(call) for call in chosen])
        return 0
    if only_print or not accounts:
        _print(chosen, profile)
        return 0
    if len(chosen) > 1 or profile is None:
        message = "each account needs the credentials of its own administrator"
        fix = f"./lz bootstrap {chosen[0].account_name} --profile NAME"
        raise CommandError(message, fix=fix)
    progress(f"bootstrapping {chosen[0].account_name}: {', '.join(chosen[0].environments)}")
    arguments = [*cdk_command(), *chosen[0].arguments, "--profile", profile]
    return subprocess.run(arguments, cwd=ROOT, env=environment(), check=False).returncode


def shell_command(call: Bootstrap, profile: str | None) -> str:
    """Return the command that an administrator without this project runs; it needs Node and nothing else."""
    words = ["npx", "--yes", f"aws-cdk@{cdk_version()}", *call.arguments, "--profile", profile or "PROFILE"]
    return shlex.join(words)


def _choose(calls: Sequence[Bootstrap], names: Sequence[str]) -> list[Bootstrap]:
    """Find the accounts by name, in the order of the calls.

    Raises:
        CommandError: no account has one of the names.
    """
    known = [call.account_name for call in calls]
    for name in names:
        if name not in known:
            message = f'no account is called "{name}"'
            otherwise = f"name one of: {', '.join(known)}"
            raise CommandError(message, fix=did_you_mean(name, known, otherwise=otherwise))
    return [call for call in calls if not names or call.account_name in names]


def _print(calls: Sequence[Bootstrap], profile: str | None) -> None:
    paragraph(WHY)
    for call in calls:
        heading(f"{call.account_name} ({call.account_id})")
        say(f"  {shell_command(call, profile)}")
        say(f"  from this project: ./lz bootstrap {call.account_name} --profile {profile or 'PROFILE'}")
