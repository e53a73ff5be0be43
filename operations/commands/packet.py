"""`lz packet`."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import boto3
import click

from config import Configuration, StageRef, load
from config.naming import CDN_REGION, Names, packet_key
from operations.aws import CLIENT
from operations.configuration import config_option, environment_option
from operations.errors import CommandError
from operations.output import progress, say
from operations.packet.deployed import deployed_stacks
from operations.packet.evidence import built, from_checkout
from operations.packet.make import make_packet, running_digest
from operations.packet.model import Packet
from operations.packet.page import page
from operations.packet.text import text
from operations.packet.waiting import waiting_packet
from operations.packet.words import summary
from operations.pipeline_access import pipeline_access
from operations.rehearsed import use_kept_rehearsal
from operations.releases.judged import baseline
from operations.releases.record import Records

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
CONTENT_TYPES = {
    "packet.html": "text/html; charset=utf-8",
    "packet.json": "application/json",
    "packet.md": "text/markdown; charset=utf-8",
}


@click.command()
@environment_option
@click.option(
    "--assembly",
    type=FOLDER,
    help="What would be released; this checkout with the running image if left out.",
)
@click.option(
    "--waiting", is_flag=True, help="What the pipeline would release: the packet of the waiting approval."
)
@click.option("--images", type=FOLDER, help="With --assembly: folder with <workload>/image.json.")
@click.option(
    "--scan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --assembly: what lz image-scan --output wrote.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write packet.html, packet.json, packet.md and summary.txt into this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the packet as JSON.")
@click.option(
    "--publish", is_flag=True, help="Put the packet where the approval's link leads (the pipeline)."
)
@click.option(
    "--execution",
    envvar="PIPELINE_EXECUTION_ID",
    metavar="ID",
    help="Id of the pipeline's execution; PIPELINE_EXECUTION_ID if left out.",
)
@click.option("--rehearsal", is_flag=True, help="Look at the rehearsal that is up instead of AWS.")
@click.option("--profile", metavar="NAME", help="Use this AWS profile; its account is tooling.")
@config_option
def command(
    *,
    environment: str,
    assembly: Path | None,
    waiting: bool,
    images: Path | None,
    scan: Path | None,
    output: Path | None,
    as_json: bool,
    publish: bool,
    execution: str | None,
    rehearsal: bool,
    profile: str | None,
    config: Path | None,
) -> int:
    """Show what a release would change in an environment.

    What is deployed is read with the account's look-up role; nothing is written to it. The exit code is 1 if the
    release would lose something that `acknowledged_changes` in the configuration does not name, or if a stack is
    in a state in which CloudFormation does not update it.
    """
    _check_use(
        assembly=assembly, waiting=waiting, images=images, scan=scan, publish=publish, execution=execution
    )
    configuration = load(config)
    stage = configuration.find_stage(environment)
    if rehearsal:
        use_kept_rehearsal(configuration.accounts.tooling, profile=profile)
    session = boto3.Session(region_name=configuration.organization.region, profile_name=profile)
    if waiting:
        access = pipeline_access(config=config, rehearsal=rehearsal, profile=profile)
        files = waiting_packet(access, session, Names(configuration), stage)
        _show(files, output, as_json=as_json)
        return 0  # what would be lost has stopped the pipeline before anybody was asked
    packet = _packet(
        configuration,
        stage,
        session,
        assembly=assembly,
        images=images,
        scan=scan,
        execution=execution,
        config=config,
    )
    files = {"packet.html": page(packet), "packet.json": packet.model_dump_json(), "packet.md": text(packet)}
    if publish and execution is not None:
        _publish(session, Names(configuration), stage, execution, files)
    _show(files, output, as_json=as_json, summary=summary(packet))
    return 1 if packet.blocked else 0


def _check_use(
    *,
    assembly: Path | None,
    waiting: bool,
    images: Path | None,
    scan: Path | None,
    publish: bool,
    execution: str | None,
) -> None:
    if waiting and (assembly or publish):
        message = (
            "--waiting shows a packet that the pipeline has made: it takes no --assembly and no --publish"
        )
        raise click.UsageError(message)
    if (assembly is None) != (images is None):
        message = "--assembly and --images belong together: what a build and a synthesis handed over"
        raise click.UsageError(message)
    if scan is not None and assembly is None:
        message = "--scan belongs to --assembly: it is about the images that the assembly deploys"
        raise click.UsageError(message)
    if publish and not execution:
        message = "--publish needs --execution: the approval's link leads to the packet of one execution"
        raise click.UsageError(message)


def _packet(
    configuration: Configuration,
    stage: StageRef,
    session: boto3.Session,
    *,
    assembly: Path | None,
    images: Path | None,
    scan: Path | None,
    execution: str | None,
    config: Path | None,
) -> Packet:
    names = Names(configuration)
    s3 = session.client("s3", config=CLIENT)
    try:
        record = Records(s3, names.records_bucket, stage.stage_name).current()
    except s3.exceptions.NoSuchBucket as error:
        message = f"there is no bucket {names.records_bucket}, and so nobody knows what was released"
        raise CommandError(message, fix="deploy the stack Records", exit_code=1) from error
    progress("reading what is deployed")
    deployed = deployed_stacks(
        session,
        names,
        account=stage.account_id,
        regions=list(dict.fromkeys([configuration.organization.region, CDN_REGION])),
        prefix=f"{stage.stage_name}-",
    )
    with ExitStack() as stack:
        if assembly is not None and images is not None:
            commit = os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION")
            candidate = built(
                configuration,
                stage,
                assembly=assembly,
                images=images,
                scan=scan,
                commit=commit,
                execution_id=execution,
            )
        else:
            progress("synthesizing this checkout (a few seconds)")
            draft = from_checkout(
                configuration, stage, record, running=running_digest(deployed), config=config
            )
            candidate = stack.enter_context(draft)
        return make_packet(
            configuration,
            stage,
            candidate=candidate,
            deployed=deployed,
            record=record,
            baseline=baseline(s3, names.records_bucket, stage.stage_name),
            now=datetime.now(UTC).replace(microsecond=0),
        )


def _show(
    files: Mapping[str, str], folder: Path | None, *, as_json: bool, summary: str | None = None
) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        written = files if summary is None else {**files, "summary.txt": f"{summary}\n"}
        for name, content in written.items():
            (folder / name).write_text(content, encoding="utf-8")
    say(files["packet.json" if as_json else "packet.md"].rstrip())


def _publish(
    session: boto3.Session, names: Names, stage: StageRef, execution: str, files: Mapping[str, str]
) -> None:
    s3, bucket = session.client("s3", config=CLIENT), names.records_bucket
    for name, content in files.items():
        key = packet_key(stage.stage_name, execution, name)
        s3.put_object(Bucket=bucket, Key=key, Body=content.encode(), ContentType=CONTENT_TYPES[name])
    address = names.object_in_console(bucket, packet_key(stage.stage_name, execution, "packet.html"))
    progress(f"the packet, in the console of the tooling account: {address}")
