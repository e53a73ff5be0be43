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
from operations.configuration import config_option, typed
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
    of them are printed: what each account's administrator runs. Without --profile the credentials of your shell
    are used, such as AWS_PROFILE, if they are of this account.
    """
    configuration = load(config)
    every = bootstraps(configuration, execution_policies=",".join(execution_policy) or None)
    chosen = _choose(every, accounts)
    if as_json:
        write_json([asdict(call) for call in chosen])
        return 0
    if only_print or not accounts:
        _print(chosen, profile)
        return 0
    if len(chosen) > 1:
        message = "each account needs the credentials of its own administrator"
        raise CommandError(message, fix=_with_profile(chosen[0], config))
    if profile is None:
        _check_account(chosen[0], configuration.organization.region, fix=_with_profile(chosen[0], config))
    progress(f"bootstrapping {chosen[0].account_name}: {', '.join(chosen[0].environments)}")
    arguments = [*cdk_command(), *chosen[0].arguments, *(["--profile", profile] if profile else [])]
    return subprocess.run(arguments, cwd=ROOT, env=environment(), check=False).returncode


def shell_command(call: Bootstrap, profile: str | None) -> str:
    """Return the command that an administrator without this project runs; it needs Node and nothing else."""
    words = ["npx", "--yes", f"aws-cdk@{cdk_version()}", *call.arguments, "--profile", profile or "PROFILE"]
    return shlex.join(words)


def _with_profile(call: Bootstrap, config: Path | None) -> str:
    return typed(f"bootstrap {call.account_name}", rehearsal=False, profile="NAME", config=config)


def _check_account(call: Bootstrap, region: str, *, fix: str) -> None:
    """Ask STS whose credentials are in use, before another account is bootstrapped.

    Raises:
        CommandError: there are none, or they are of another account.
    """
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 -- boto3 is slow to load: --print needs none

    from operations.aws import CLIENT, session  # noqa: PLC0415

    try:
        caller = session(region).client("sts", config=CLIENT).get_caller_identity()
    except NoCredentialsError:
        message = f"{call.account_name} needs the credentials of its own administrator, and there are none"
        raise CommandError(message, fix=f"set AWS_PROFILE, or {fix}") from None
    if caller["Account"] != call.account_id:
        message = (
            f"{call.account_name} is account {call.account_id}, and these credentials are of account "
            f"{caller['Account']} ({caller['Arn']})"
        )
        raise CommandError(message, fix=f"use those of an administrator of {call.account_id}: {fix}")


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
