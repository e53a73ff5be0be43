"""What the gate found at a release, kept beside its record: what the next one is compared with."""

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from compliance.results import ComplianceResult
from config.naming import judged_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Baseline:
    """What the last release of an environment was judged as.

    Args:
        result: its result; None if there is none to compare with.
        problem: why there is none.
    """

    result: ComplianceResult | None
    problem: str = ""


def to_bytes(result: ComplianceResult) -> bytes:
    """Return the content of the object; the same result gives the same bytes.

    Args:
        result: what the gate found, as far as the environment stands on it.
    """
    return gzip.compress(result.model_dump_json(exclude_defaults=True).encode(), mtime=0)


def baseline(s3: "S3Client", bucket: str, stage_name: str) -> Baseline:
    """Read what the last successful release of a stage was judged as.

    Something that this version cannot read stops nobody: the packet says that there is nothing to compare with.

    Args:
        s3: client with the right to read the environment's records.
        bucket: `Names.records_bucket`.
        stage_name: name of the CDK stage.
    """
    key = judged_key(stage_name)
    try:
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return Baseline(None, "no release was recorded yet")
    try:
        return Baseline(ComplianceResult.model_validate_json(gzip.decompress(content)))
    except (ValidationError, OSError, EOFError, zlib.error):
        return Baseline(None, f"this version cannot read s3://{bucket}/{key}")
