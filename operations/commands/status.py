"""`lz status`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config import StageRef, load
from config.naming import Names
from operations.aws import CLIENT, environment_session
from operations.configuration import config_option, environment_option
from operations.errors import CommandError
from operations.output import heading, paragraph, say, table
from operations.releases.serving import (
    SERVICE_PARAMETERS,
    Serving,
    look,
    service_parameters,
    shortcomings,
)
from operations.stopped_tasks import StoppedTasks
from operations.task_place import SERVING, find_parameters

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_ssm import SSMClient

PURPOSE = "lz-status"
SHOWN = len("sha256:") + 12


@click.command()
@environment_option
@click.option("--rehearsal", is_flag=True, help="Look at the rehearsal that is up instead of AWS.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is the environment's.")
@config_option
def command(*, environment: str, rehearsal: bool, profile: str | None, config: Path | None) -> int:
    """Show what an environment's services run, and why tasks failed.

    Of each service: its image, its tasks, and the last task that failed within the hour, with its exit code and last
    lines; the usual forms of passwords and all control characters are replaced. The exit code is 1 if a service is
    missing or not settled, if fewer tasks run than are wanted, or if the services do not run the same image.
    """
    configuration = load(config)
    stage = configuration.find_stage(environment)
    names = Names(configuration)
    role = names.rollback_role(stage.key)
    session = environment_session(names, stage, role, purpose=PURPOSE, rehearsal=rehearsal, profile=profile)
    return show(
        stage,
        session.client("ssm", config=CLIENT),
        session.client("ecs", config=CLIENT),
        session.client("logs", config=CLIENT),
    )


def show(stage: StageRef, ssm: "SSMClient", ecs: "ECSClient", logs: "CloudWatchLogsClient") -> int:
    """Show what there is, and name what is missing: the first deployment of one stack may fail, and others serve.

    Args:
        stage: the environment.
        ssm: client of its account.
        ecs: client of its account.
        logs: client of its account.

    Returns:
        The exit code.

    Raises:
        CommandError: there is not even a cluster.
    """
    wanted = service_parameters(stage.workload)
    values, missing = find_parameters(ssm, stage.stage_name, ("ClusterName", *wanted))
    if "ClusterName" not in values:
        message = f"{stage.key} is not deployed: these parameters do not exist: {', '.join(missing)}"
        raise CommandError(message, fix=f"deploy {stage.stage_name} first; the pipeline does", exit_code=1)
    serving = look(ecs, values)
    heading(f"{stage.key} (account {stage.account_id})")
    rows = [
        (one.process, one.digest[:SHOWN], f"{one.running} of {one.desired}", _rollout(one)) for one in serving
    ]
    table(("process", "runs", "tasks", "deployment"), rows)
    problems = (*_not_there(wanted, values), *shortcomings(serving))
    for problem in problems:
        say(problem, style="bold")
    if missing:
        paragraph(
            f"Not there: {', '.join(missing)}. The stacks {SERVING} publish them when they are created; the first "
            "deployment of one has failed, or was not reached. ./lz pipeline status tells which."
        )
    stopped = StoppedTasks(ecs, logs, values["ClusterName"])
    for one in serving:
        failed = stopped.last_failed(one.service)
        say("")
        if failed is None:
            say(f"{one.process}: no task failed within the hour")
            continue
        say(f"{one.process}: the last failure", style="bold")
        for line in failed.told():
            say(f"  {line}")
    return 1 if problems else 0


def _not_there(wanted: Sequence[str], values: Mapping[str, str]) -> list[str]:
    return [
        f"{process} is not there"
        for process, parameter in SERVICE_PARAMETERS.items()
        if parameter in wanted and parameter not in values
    ]


def _rollout(one: Serving) -> str:
    latest = one.deployments[0]
    word = latest.rollout.lower().replace("_", " ")
    return word if one.settled else f"{word}: {latest.reason}" if latest.reason else word
