"""The templates that a release deployed, kept beside its record: what the next release is compared with offline."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from config.assembly import AssembledStack
from config.models import Model
from config.naming import RECORDED_TEMPLATES, SHARED_SERVICES_STAGE
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class StackTemplate(Model):
    """A stack and its template, from an assembly or as it is deployed."""

    name: str
    path: str
    stage: str
    account: str
    region: str
    template: dict[str, Any]

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it is deployed: to CloudFormation a stack in another account or region is another stack."""
        return self.name, self.account, self.region


class Templates(Model):
    """The templates of one stage, and of tooling and shared services, which the same run deployed before it."""

    version: Literal[1] = 1
    time: datetime
    execution_id: str
    stage: str
    stacks: tuple[StackTemplate, ...]

    def to_bytes(self) -> bytes:
        """Return the content of the object; the same templates give the same bytes."""
        return gzip.compress(self.model_dump_json().encode(), mtime=0)


def stack_templates(stacks: Sequence[AssembledStack]) -> tuple[StackTemplate, ...]:
    """Take the templates out of an assembly.

    Args:
        stacks: its stacks.
    """
    return tuple(
        StackTemplate(
            name=stack.name,
            path=stack.path,
            stage=stack.stage,
            account=stack.account,
            region=stack.region,
            template=dict(stack.template),
        )
        for stack in stacks
    )


def deployed_by(
    stacks: Sequence[AssembledStack], *, stage_name: str, time: datetime, execution_id: str
) -> Templates:
    """Say what a run has deployed once a stage's release succeeded.

    Args:
        stacks: the stacks of the assembly.
        stage_name: the stage.
        time: now, in UTC.
        execution_id: of the pipeline.
    """
    mine = [stack for stack in stacks if stack.stage in {"", SHARED_SERVICES_STAGE, stage_name}]
    return Templates(time=time, execution_id=execution_id, stage=stage_name, stacks=stack_templates(mine))


def read_templates(content: bytes, where: str) -> Templates:
    """Read recorded templates.

    Args:
        content: of the object.
        where: the object, for the message.

    Raises:
        CommandError: it is something else.
    """
    try:
        return Templates.model_validate_json(gzip.decompress(content))
    except (ValidationError, OSError, EOFError, zlib.error) as error:
        message = f"{where} does not hold the templates of a release"
        raise CommandError(message, fix="restore the object's version before", exit_code=1) from error


def recorded(s3: "S3Client", bucket: str) -> tuple[StackTemplate, ...]:
    """Return every stack that a release is known to have deployed.

    Tooling and shared services are in every stage's templates: the newest count.

    Args:
        s3: client with the right to list the bucket and to read the templates in it.
        bucket: `Names.records_bucket`.
    """
    return merged(_all(s3, bucket))


def merged(releases: Sequence[Templates]) -> tuple[StackTemplate, ...]:
    """Bring the templates of several stages together.

    Args:
        releases: one per stage.
    """
    newest_last = sorted(releases, key=lambda release: release.time)
    found: dict[tuple[str, str], StackTemplate] = {}
    for release in newest_last:
        shared: Mapping[tuple[str, str], StackTemplate] = {
            (stack.stage, stack.name): stack for stack in release.stacks if stack.stage != release.stage
        }
        # A shared stack that the newest release has no more is gone, whatever older ones say.
        found = {key: stack for key, stack in found.items() if stack.stage not in {"", SHARED_SERVICES_STAGE}}
        found |= shared
        found |= {
            (stack.stage, stack.name): stack for stack in release.stacks if stack.stage == release.stage
        }
    return tuple(found.values())


def _all(s3: "S3Client", bucket: str) -> tuple[Templates, ...]:
    def keys() -> Iterator[str]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            yield from (entry["Key"] for entry in page.get("Contents", []))

    return tuple(
        read_templates(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), f"s3://{bucket}/{key}")
        for key in keys()
        if key.endswith(f"/{RECORDED_TEMPLATES}")
    )
