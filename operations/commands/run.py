"""`lz run`."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import boto3
import click

from config import StageRef, load
from config.naming import Names
from operations.asking import ask_before_production
from operations.aws import CLIENT, environment_session
from operations.configuration import config_option, environment_option
from operations.errors import CommandError
from operations.output import progress
from operations.run import (
    LOOKS_SECRET,
    STARTED_BY,
    OneOff,
    checked_name,
    overrides,
    refuse_taken,
    secret_file,
    size,
    split_variables,
)
from operations.task_place import PLACE_PARAMETERS, RELEASING, read_parameters, task_place
from operations.tasks import TaskRun

PARAMETERS = (*PLACE_PARAMETERS, "OneOffBucketName", "ReleaseSecretVariables", "ReleaseVariables")
POLL_SECONDS = 1.0  # somebody is watching


@click.command(context_settings={"allow_interspersed_args": False})
@environment_option
@click.option(
    "--env-var", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable; may be repeated."
)
@click.option(
    "--secret-env",
    "secrets",
    multiple=True,
    metavar="NAME",
    help="Set a variable that stays secret, asked for or read from standard input; may be repeated.",
)
@click.option("--cpu", type=int, metavar="UNITS", help="Run with so much CPU; 1024 units are one.")
@click.option("--memory", type=int, metavar="MIB", help="Run with so much memory.")
@click.option("--detach", is_flag=True, help="Do not wait for its end; write the id of its task.")
@click.option("--yes", is_flag=True, help="Do not ask, in production.")
@click.option("--rehearsal", is_flag=True, help="Run in the rehearsal that is up instead of AWS.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is the environment's.")
@config_option
@click.argument("command_line", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND...")
def command(
    *,
    environment: str,
    variables: tuple[str, ...],
    secrets: tuple[str, ...],
    cpu: int | None,
    memory: int | None,
    detach: bool,
    yes: bool,
    rehearsal: bool,
    profile: str | None,
    config: Path | None,
    command_line: tuple[str, ...],
) -> int:
    """Run a one-off command in an environment.

    It runs in a container of its own, with the image, the variables, the secrets and the network of the release
    task. What it writes is shown as it comes, and its exit code is the exit code. Ctrl-C stops it.

    \b
    ./lz run --env staging -- python manage.py showmigrations
    ./lz run --env staging --secret-env DJANGO_SUPERUSER_PASSWORD -- \\
        python manage.py createsuperuser --noinput --username admin --email admin@example.com
    """  # noqa: D301 -- click wants a real backspace where it must not fold lines
    configuration = load(config)
    stage = configuration.find_stage(environment)
    given = split_variables(variables)
    # A value on the command line is in the shell's history; at least it need not be in CloudTrail too.
    exposed = {name: value for name, value in given.items() if LOOKS_SECRET.search(name)}
    cpu, memory = size(cpu, memory)
    names = [checked_name(name) for name in secrets]
    ask_before_production(
        stage,
        f"Run {shlex.join(command_line)} in {stage.key} (account {stage.account_id})?",
        yes=yes,
        otherwise=f"nothing was run in {stage.key}",
    )
    for name in exposed:
        progress(
            f"{name} looks like a secret and is passed as one; --secret-env {name} keeps it off the command line"
        )
    one_off = OneOff(
        command_line,
        {name: value for name, value in given.items() if name not in exposed},
        {**exposed, **_ask_for(names)},
        cpu,
        memory,
    )
    named = Names(configuration)
    role = named.operator_role(stage.key)
    session = environment_session(
        named, stage, role, purpose=STARTED_BY, rehearsal=rehearsal, profile=profile
    )
    return _run(session, named, stage, one_off, detach=detach)


def _ask_for(names: Sequence[str]) -> Mapping[str, str]:
    """Ask for secret values without showing them, or read them from standard input.

    Raises:
        CommandError: standard input has too few lines, or an empty value.
    """
    if not names:
        return {}
    if sys.stdin is not None and sys.stdin.isatty():
        # An empty answer is asked again.
        return {
            name: click.prompt(name, hide_input=True, confirmation_prompt=True, err=True) for name in names
        }
    given = "" if sys.stdin is None else sys.stdin.read()  # Python has none where the caller closed it
    lines = [given.removesuffix("\n")] if len(names) == 1 else given.splitlines()
    if len(lines) < len(names):
        message = f"standard input has {len(lines)} lines for {len(names)} secret values"
        raise CommandError(message, fix=f"give one line each, in this order: {', '.join(names)}")
    values = dict(zip(names, lines, strict=False))
    empty = [name for name, value in values.items() if not value]
    if empty:
        message = f"standard input gave nothing for {', '.join(empty)}"
        fix = "write the value to standard input, or run it in a terminal to be asked for it"
        raise CommandError(message, fix=fix)
    return values


def _run(session: boto3.Session, names: Names, stage: StageRef, one_off: OneOff, *, detach: bool) -> int:
    values = read_parameters(
        session.client("ssm", config=CLIENT), stage.stage_name, PARAMETERS, published_by=RELEASING
    )
    refuse_taken(
        one_off,
        variables=values["ReleaseVariables"].split(","),
        secrets=values["ReleaseSecretVariables"].split(","),
    )
    place = task_place(values)
    run = TaskRun(
        session.client("ecs", config=CLIENT),
        session.client("logs", config=CLIENT),
        place,
        title="command",
        started_by=STARTED_BY,
        say=progress,
        show=click.echo,
        poll_seconds=POLL_SECONDS,
    )
    s3 = session.client("s3", config=CLIENT)
    with secret_file(s3, values["OneOffBucketName"], one_off.secrets, partition=names.partition) as file_arn:
        task_id = run.start(overrides(one_off, container=place.container, file_arn=file_arn))
        if one_off.secrets:
            run.wait_until_started()  # then ECS has read the file
    if detach:
        progress(f"it runs on; it logs to {place.log_group}")
        click.echo(task_id)
        return 0
    return run.follow()
