"""`lz rollback`."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from config import StageRef, load
from config.naming import Names
from operations.asking import ask_before_production
from operations.aws import CLIENT, environment_session
from operations.configuration import config_option, environment_option, typed
from operations.errors import CommandError
from operations.output import heading, paragraph, progress, say, table
from operations.releases.choosing import Choice, applied_since, choose, dangers
from operations.releases.record import Records
from operations.releases.rollback import Rollback
from operations.releases.serving import Serving, look, service_parameters
from operations.task_place import SERVING, read_parameters

PURPOSE = "lz-rollback"
REHEARSED_POLL_SECONDS = 1.0
POLL_SECONDS = 10.0
SHOWN = len("sha256:") + 12


@click.command()
@environment_option
@click.option("--to", metavar="DIGEST", help="Go to this image; the one before what runs if left out.")
@click.option("--even-if-unsafe", is_flag=True, help="Go although a migration may break the earlier version.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, in production.")
@click.option("--rehearsal", is_flag=True, help="Work on the rehearsal that is up instead of AWS.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is the environment's.")
@config_option
def command(
    *,
    environment: str,
    to: str | None,
    even_if_unsafe: bool,
    dry_run: bool,
    yes: bool,
    rehearsal: bool,
    profile: str | None,
    config: Path | None,
) -> int:
    """Return an environment to an earlier image.

    Web, workers and beat get the image of the release before, in today's configuration; the database stays as it is.
    If a migration has come since that the earlier version cannot live with, it says so and stops. It waits until all
    are stable.
    """
    configuration = load(config)
    stage = configuration.find_stage(environment)
    names = Names(configuration)
    role = names.rollback_role(stage.key)
    session = environment_session(names, stage, role, purpose=PURPOSE, rehearsal=rehearsal, profile=profile)
    values = read_parameters(
        session.client("ssm", config=CLIENT),
        stage.stage_name,
        ("ClusterName", "ReleaseLogGroup", "ReleaseTaskDefinition", *service_parameters(stage.workload)),
        published_by=SERVING,
    )
    ecs = session.client("ecs", config=CLIENT)
    logs = session.client("logs", config=CLIENT)
    again = partial(typed, rehearsal=rehearsal, profile=profile, config=config)
    rollback = Rollback(
        ecs,
        logs,
        values,
        say=progress,
        see_why=again(f"status --env {stage.key}"),
        poll_seconds=REHEARSED_POLL_SECONDS if rehearsal else POLL_SECONDS,
    )
    s3 = session.client("s3", config=CLIENT)
    records = list(Records(s3, names.records_bucket, stage.stage_name).newest_first())
    last = records[0] if records else None
    serving = look(ecs, values)
    released = rollback.released_digest(values["ReleaseTaskDefinition"])
    choice = choose(stage, records, [one.digest for one in serving], wanted=to, released=released)
    since = applied_since(logs, values["ReleaseLogGroup"], last)
    unsafe = dangers(choice, since, recorded_last=last)
    _show(stage, serving, choice, unsafe)
    if dry_run:
        say("nothing was done (--dry-run)")
        return 0
    if unsafe and not even_if_unsafe:
        message = f"{stage.key} was left as it is: the earlier version may not work with today's database"
        fix = "correct forward with a new release; or, if you know better, add --even-if-unsafe"
        raise CommandError(message, fix=fix, exit_code=1)
    ask_before_production(
        stage,
        f"Return {stage.key} to {choice.digest[:SHOWN]}?",
        yes=yes,
        otherwise=f"nothing was changed in {stage.key}",
    )
    found = rollback.run(serving, choice.digest)
    say(f"{', '.join(one.process for one in found)} of {stage.key} run {choice.digest}")
    _tell_what_is_next(stage, serving, choice, released=released, again=again)
    return 0


def _show(stage: StageRef, serving: Sequence[Serving], choice: Choice, unsafe: Sequence[str]) -> None:
    heading(f"{stage.key} (account {stage.account_id})")
    rows = [(one.process, one.digest[:SHOWN], choice.digest[:SHOWN]) for one in serving]
    table(("process", "runs", "shall run"), rows)
    if choice.record is not None:
        record = choice.record
        revision = record.revisions.get(stage.workload_name) or record.commit or "not known"
        say(f"{choice.digest[:SHOWN]} was released {record.time:%Y-%m-%d %H:%M} UTC, commit {revision}")
    else:
        say(f"{choice.digest[:SHOWN]} has no release record in this environment")
    if unsafe:
        say("UNSAFE: the database has what this image may not be able to live with", style="bold")
        for danger in unsafe:
            paragraph(f"- {danger}")
    else:
        say("no migration stands against it")


def _tell_what_is_next(
    stage: StageRef, before: Sequence[Serving], choice: Choice, *, released: str, again: Callable[[str], str]
) -> None:
    say("")
    if choice.digest == released and choice.record is not None and not choice.newer:
        # Recorded last, so its release went to its end.
        paragraph(
            "This is the newest image, and the one that was recorded last: CloudFormation knows it, and the next "
            "release finds all as it was, unless a release has failed since."
        )
    elif choice.digest == released:
        paragraph(
            "This is the newest image, but its release was not recorded: where CloudFormation took a stack back, "
            "it knows the image before. The next release with another image replaces it as usual. A release with the "
            "image that CloudFormation knows changes nothing there: its record step stops and says so. Release and "
            "one-off commands use the newest image."
        )
    else:
        paragraph(
            "CloudFormation does not know of this. The next release with a new image replaces it as usual. A release "
            "with the image that was replaced here changes nothing, for to CloudFormation it is there already: its "
            "record step stops and says so. Release and one-off commands still use the newest image."
        )
    for digest in dict.fromkeys(one.digest for one in before if one.digest != choice.digest):
        way = "back again" if choice.digest == released else "forward again"
        say(f"{way}: {again(f'rollback --env {stage.key} --to {digest}')}")
