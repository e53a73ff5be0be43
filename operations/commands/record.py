"""`lz record`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from compliance.excerpt import excerpt
from config import load
from config.assembly import read_assembly
from config.naming import Names, current_record_key, judged_key, record_key, templates_key
from operations.aws import CLIENT, assumed_session, session
from operations.configuration import config_option
from operations.output import say
from operations.polling import poll_option
from operations.releases.judged import to_bytes
from operations.releases.record import Records
from operations.releases.recording import gather, judged_now, make_record, refuse_other_images
from operations.releases.serving import service_parameters, wait_until_settled
from operations.releases.templates import deployed_by
from operations.task_place import SERVING, read_parameters

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--environment", required=True, metavar="NAME", help="Such as my-django-app/staging.")
@click.option("--assembly", required=True, type=FOLDER, help="The assembly that was deployed.")
@click.option(
    "--images", required=True, type=FOLDER, help="Folder with <workload>/image.json and migrations.json."
)
@click.option("--release", required=True, type=FOLDER, help="Folder with the release step's release.json.")
@click.option(
    "--execution",
    required=True,
    envvar="PIPELINE_EXECUTION_ID",
    metavar="ID",
    help="Id of the pipeline's execution; PIPELINE_EXECUTION_ID if left out.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for services that are between two images.",
)
@poll_option
@config_option
def command(
    *,
    environment: str,
    assembly: Path,
    images: Path,
    release: Path,
    execution: str,
    deadline: float,
    poll_seconds: float,
    config: Path | None,
) -> int:
    """Check that the release's image runs, and write the release record.

    It runs after everything else of an environment. If a service runs another image, the exit code is 1 and nothing
    is recorded.
    """
    configuration = load(config)
    stage = configuration.find_stage(environment)
    names, region = Names(configuration), configuration.organization.region
    evidence = gather(stage, assembly=assembly, images=images, release=release)
    reader = assumed_session(
        names.role_arn(stage.account_id, names.serving_reader_role(stage.key)),
        region=region,
        purpose="lz-record",
    )
    values = read_parameters(
        reader.client("ssm", config=CLIENT),
        stage.stage_name,
        ("ClusterName", *service_parameters(stage.workload)),
        published_by=SERVING,
    )
    serving = wait_until_settled(
        reader.client("ecs", config=CLIENT),
        values,
        deadline_seconds=deadline,
        poll_seconds=poll_seconds,
        say=say,
    )
    refuse_other_images(stage, serving, evidence.digest)
    say(f"{', '.join(one.process for one in serving)} of {stage.key} run {evidence.digest}")

    s3 = session(region).client("s3", config=CLIENT)
    records = Records(s3, names.records_bucket, stage.stage_name)
    now = datetime.now(UTC).replace(microsecond=0)
    record = make_record(
        stage,
        evidence,
        before=records.current(),
        time=now,
        execution_id=execution,
        commit=os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION"),
    )
    # What the next release is compared with: by the guard before it is synthesized, and in its approval packet.
    templates = deployed_by(
        read_assembly(assembly), stage_name=stage.stage_name, time=now, execution_id=execution
    )
    judged = excerpt(judged_now(assembly, configuration), stage.key)
    for key, content in (
        (templates_key(stage.stage_name), templates.to_bytes()),
        (judged_key(stage.stage_name), to_bytes(judged)),
    ):
        s3.put_object(Bucket=names.records_bucket, Key=key, Body=content, ContentType="application/gzip")
    # The one that is kept goes first: a current record without it would have no history.
    key = record_key(stage.stage_name, now, execution)
    for each in (key, current_record_key(stage.stage_name)):
        s3.put_object(
            Bucket=names.records_bucket, Key=each, Body=record.to_json(), ContentType="application/json"
        )
    say(f"recorded as s3://{names.records_bucket}/{key}, with {len(record.new_migrations)} new migrations")
    return 0
