"""The packet that the pipeline made of a release which waits for approval."""

from collections.abc import Mapping

import boto3

from config import StageRef
from config.naming import Names, packet_key
from operations.aws import CLIENT
from operations.errors import CommandError
from operations.pipeline_access import PipelineAccess, waiting_approval

FILES = ("packet.html", "packet.json", "packet.md")


def waiting_packet(
    access: PipelineAccess, session: boto3.Session, names: Names, stage: StageRef
) -> Mapping[str, str]:
    """Get the files that the waiting approval's link leads to.

    Args:
        access: the pipeline.
        session: of the tooling account.
        names: the organization's names.
        stage: the environment.

    Returns:
        Name -> content.

    Raises:
        CommandError: nothing waits, or its packet is gone.
    """
    where, _ = waiting_approval(access, stage)
    s3, bucket = session.client("s3", config=CLIENT), names.records_bucket
    found = {}
    for name in FILES:
        key = packet_key(stage.stage_name, where.execution_id, name)
        try:
            found[name] = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        except s3.exceptions.NoSuchKey as error:
            message = f"there is no packet s3://{bucket}/{key}"
            fix = "packets are kept 400 days; reject this release and release the change again"
            raise CommandError(message, fix=fix, exit_code=1) from error
    return found
