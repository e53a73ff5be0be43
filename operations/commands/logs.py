"""`lz logs`."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config import StageRef, load
from config.naming import Names
from operations.aws import CLIENT, environment_session
from operations.configuration import config_option, environment_option, typed
from operations.errors import CommandError
from operations.live_logs import LiveLogs
from operations.output import progress, say
from operations.releases.serving import SERVICE_PARAMETERS, service_parameters
from operations.task_place import SERVING, read_parameters

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_ssm import SSMClient

PURPOSE = "lz-logs"
POLL_SECONDS = 2.0
REHEARSED_POLL_SECONDS = 0.5
LINES = 20
_TASKS_EVERY = 5  # looks at the logs for each look at the tasks: ECS allows fewer requests


@click.command()
@environment_option
@click.option(
    "--process",
    "processes",
    multiple=True,
    type=click.Choice(tuple(SERVICE_PARAMETERS)),
    help="Only this one; may be given more than once.",
)
@click.option(
    "--lines",
    type=click.IntRange(min=1, max=10_000),
    default=LINES,
    show_default=True,
    help="Last lines of each task.",
)
@click.option("--follow", is_flag=True, help="Go on with what is written next, until Ctrl-C.")
@click.option("--rehearsal", is_flag=True, help="Look at the rehearsal that is up instead of AWS.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is the environment's.")
@config_option
def command(
    *,
    environment: str,
    processes: Sequence[str],
    lines: int,
    follow: bool,
    rehearsal: bool,
    profile: str | None,
    config: Path | None,
) -> int:
    """Show what an environment's web, worker and beat tasks write.

    Each line comes with its time in UTC, its process and the beginning of its task's id. Hidden are passwords in
    addresses and what follows password=, secret= or token=; control characters are replaced. The exit code is 1 if a
    process has no task that always has one. Tasks that failed are shown by lz status.
    """
    configuration = load(config)
    stage = configuration.find_stage(environment)
    names = Names(configuration)
    role = names.rollback_role(stage.key)
    session = environment_session(names, stage, role, purpose=PURPOSE, rehearsal=rehearsal, profile=profile)
    found = live_logs(
        stage,
        processes,
        session.client("ssm", config=CLIENT),
        session.client("ecs", config=CLIENT),
        session.client("logs", config=CLIENT),
    )
    idle = found.find_tasks()
    for line in found.last(lines):
        say(line.told())
    missing = [process for process in idle if not may_sleep(stage, process)]
    hint = typed(f"status --env {stage.key}", rehearsal=rehearsal, profile=profile, config=config)
    for process in idle:
        why = f"{hint} tells why" if process in missing else "it waits for something to do"
        progress(f"no task of {process} runs: {why}")
    if follow:
        with suppress(KeyboardInterrupt):  # how one stops to follow
            follow_on(found, seconds=REHEARSED_POLL_SECONDS if rehearsal else POLL_SECONDS)
    return 1 if missing else 0


def may_sleep(stage: StageRef, process: str) -> bool:
    """Return whether an environment has no task of a process while there is nothing to do.

    Args:
        stage: the environment.
        process: `web`, `worker` or `beat`.
    """
    return process == "worker" and stage.environment.worker.min_tasks == 0


def live_logs(
    stage: StageRef,
    processes: Sequence[str],
    ssm: "SSMClient",
    ecs: "ECSClient",
    logs: "CloudWatchLogsClient",
) -> LiveLogs:
    """Return the logs of an environment's services.

    Args:
        stage: the environment.
        processes: `web`, `worker` and `beat`, or some of them; all that the workload has if empty.
        ssm: client of its account.
        ecs: client of its account.
        logs: client of its account.

    Raises:
        CommandError: the workload has no such process, or it is not deployed.
    """
    has = service_parameters(stage.workload)
    parameters = {process: name for process, name in SERVICE_PARAMETERS.items() if name in has}
    unknown = [process for process in processes if process not in parameters]
    if unknown:
        message = f"{stage.workload_name} has no {', '.join(unknown)}"
        raise CommandError(message, fix=f"it has: {', '.join(parameters)}")
    wanted = {process: name for process, name in parameters.items() if process in (processes or parameters)}
    values = read_parameters(ssm, stage.stage_name, ("ClusterName", *wanted.values()), published_by=SERVING)
    services = {process: values[name] for process, name in wanted.items()}
    return LiveLogs(ecs, logs, values["ClusterName"], services)


def follow_on(found: LiveLogs, *, seconds: float, wait: Callable[[float], None] = time.sleep) -> None:
    """Show what is written next, until it is interrupted.

    Args:
        found: the logs, their last lines read.
        seconds: between two looks.
        wait: waits so long.
    """
    looks = 0
    while True:
        wait(seconds)
        looks += 1
        if looks % _TASKS_EVERY == 0:
            found.find_tasks()
        for line in found.new():
            say(line.told())
