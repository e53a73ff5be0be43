"""`lz release`."""

from pathlib import Path

import click

from config import load
from config.naming import Names
from operations.aws import CLIENT, assumed_session
from operations.configuration import config_option
from operations.output import say
from operations.polling import poll_option
from operations.releases.outcome import Listener, explain, write_outcome
from operations.task_place import PLACE_PARAMETERS, RELEASING, read_parameters, task_place
from operations.tasks import TaskRun

# An assumed role's session ends after an hour when a role assumed it; the step's build does too.
LONGEST_MINUTES = 55


@click.command()
@click.option("--environment", required=True, metavar="NAME", help="Such as my-django-app/staging.")
@click.option(
    "--deadline",
    type=click.IntRange(1, LONGEST_MINUTES),
    default=50,
    show_default=True,
    metavar="MINUTES",
    help="Stop the task after so long.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for release.json, which says what became of the migrations.",
)
@poll_option
@config_option
def command(
    *, environment: str, deadline: int, output: Path | None, poll_seconds: float, config: Path | None
) -> int:
    """Run an environment's release task and follow it.

    It assumes the role in the workload account that may start this task and nothing else. The exit code is the
    task's own. If it fails, what the database has of this release is told, and what to do.
    """
    configuration = load(config)
    stage = configuration.find_stage(environment)
    names = Names(configuration)
    session = assumed_session(
        names.role_arn(stage.account_id, names.release_runner_role(stage.key)),
        region=configuration.organization.region,
        purpose="lz-release",
    )
    values = read_parameters(
        session.client("ssm", config=CLIENT), stage.stage_name, PLACE_PARAMETERS, published_by=RELEASING
    )
    listener = Listener()

    def show(line: str) -> None:
        listener.hear(line)
        say(f"  {line}")

    run = TaskRun(
        session.client("ecs", config=CLIENT),
        session.client("logs", config=CLIENT),
        task_place(values),
        title="release task",
        started_by="lz-release",
        say=say,
        show=show,
        poll_seconds=poll_seconds,
    )
    run.start()
    exit_code = run.follow(deadline_seconds=deadline * 60)
    outcome = listener.outcome(stage.key, exit_code)
    if output is not None:
        write_outcome(outcome, output)
    if exit_code != 0:
        for line in explain(outcome):
            say(line)
    return exit_code
