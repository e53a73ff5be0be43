"""`lz status`."""

from pathlib import Path

import click

from config import load
from config.naming import Names
from operations.aws import CLIENT, operator_session
from operations.configuration import config_option
from operations.output import heading, say, table
from operations.rehearsed import use_kept_rehearsal
from operations.releases.serving import Serving, look, service_parameters
from operations.stopped_tasks import StoppedTasks
from operations.task_place import read_parameters

PURPOSE = "lz-status"
SHOWN = len("sha256:") + 12


@click.command()
@click.option(
    "--env", "--environment", "environment", required=True, metavar="NAME", help="Such as production."
)
@click.option("--rehearsal", is_flag=True, help="Look at the rehearsal that is up instead of AWS.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is the environment's.")
@config_option
def command(*, environment: str, rehearsal: bool, profile: str | None, config: Path | None) -> int:
    """Show what an environment's services run, and why tasks failed.

    Of each service: its image, its tasks, and the last task that failed within the hour, with its exit code and last
    lines, as the application wrote them. The exit code is 1 if a service is not settled.
    """
    configuration = load(config)
    stage = configuration.find_stage(environment)
    names = Names(configuration)
    if rehearsal:
        use_kept_rehearsal(stage.account_id, profile=profile)
    session = operator_session(
        names.role_arn(stage.account_id, names.rollback_role(stage.key)),
        region=configuration.organization.region,
        purpose=PURPOSE,
        profile=profile,
    )
    values = read_parameters(
        session.client("ssm", config=CLIENT),
        stage.stage_name,
        ("ClusterName", *service_parameters(stage.workload)),
    )
    ecs, logs = session.client("ecs", config=CLIENT), session.client("logs", config=CLIENT)
    serving = look(ecs, values)
    heading(f"{stage.key} (account {stage.account_id})")
    table(
        ("process", "runs", "tasks", "deployment"),
        [
            (one.process, one.digest[:SHOWN], f"{one.running} of {one.desired}", _rollout(one))
            for one in serving
        ],
    )
    if len({one.digest for one in serving}) > 1:
        say("the services do not run the same image", style="bold")
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
    return 0 if all(one.settled for one in serving) else 1


def _rollout(one: Serving) -> str:
    latest = one.deployments[0]
    word = latest.rollout.lower().replace("_", " ")
    return word if one.settled else f"{word}: {latest.reason}" if latest.reason else word
