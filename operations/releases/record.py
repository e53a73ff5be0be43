"""The release record: what one successful release of one environment was; kept in the tooling account's bucket."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from config.models import Model
from config.naming import current_record_key, record_prefix
from operations.errors import CommandError
from operations.releases.migrations import Concern, Verdict, verdict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AppliedBy = Literal["release task", "assumed", "unknown"]


class AppliedMigration(Model):
    """A migration that came with this release."""

    app: str
    name: str
    atomic: bool | None = Field(default=None, description="None: the image could not be asked.")
    judged: bool = Field(description="Whether the image's `migrations.json` has it.")
    concerns: tuple[Concern, ...] = ()

    @property
    def key(self) -> str:
        """`app.name`."""
        return f"{self.app}.{self.name}"

    @property
    def verdict(self) -> Verdict:
        """The verdict of `migrations.json`; unknown where that could not be made."""
        return verdict(self.concerns) if self.judged else "unknown"

    @property
    def lets_the_version_before_run(self) -> bool:
        """Whether the release before can work with it: nothing breaks, and nothing is unknown."""
        return self.judged and all(concern.effect == "locks" for concern in self.concerns)


class Waived(Model):
    """A finding that is accepted, by the waiver ledger."""

    report: str = Field(description="Name of the cdk-nag report, which names pack, stage and stack.")
    rule: str
    resource: str = Field(description="Construct path.")
    reason: str


class Nag(Model):
    """What cdk-nag said about the whole assembly of this release."""

    judged: int = Field(description="Rows in all reports.")
    compliant: int
    open: int = Field(
        description="Rows with neither a fix nor a waiver; zero, or synthesis would have stopped."
    )
    waived: tuple[Waived, ...]


class ReleaseRecord(Model):
    """One successful release of one environment."""

    version: Literal[1] = 1
    environment: str = Field(description="Such as `my-django-app/staging`.")
    stage: str = Field(description="Name of the CDK stage, such as `MyDjangoAppStaging`.")
    time: datetime = Field(description="When it was recorded, in UTC.")
    execution_id: str = Field(description="Of the pipeline.")
    commit: str | None = Field(description="Of the repository with the infrastructure.")
    images: Mapping[str, str] = Field(description="Workload -> digest that runs.")
    revisions: Mapping[str, str | None] = Field(
        description="Workload -> commit of its source, where the build knew it."
    )
    applied: Mapping[str, tuple[str, ...]] | None = Field(
        description="App -> names of all migrations in the database after this release; None: not known."
    )
    applied_by: AppliedBy = Field(
        description="release task: it said so. assumed: it ended well and said nothing, so all of the image's. "
        "unknown: neither it nor the image said anything."
    )
    new_migrations: tuple[AppliedMigration, ...] = Field(
        description="What `applied` has and the record before had not; all of it in the first record."
    )
    nag: Nag

    def to_json(self) -> bytes:
        """Return the content of the object."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def read_record(content: bytes, where: str) -> ReleaseRecord:
    """Read a record.

    Args:
        content: of the object.
        where: the object, for the message.

    Raises:
        CommandError: it is something else.
    """
    try:
        return ReleaseRecord.model_validate_json(content)
    except ValidationError as error:
        message = f"{where} is no release record: {error.errors()[0]['msg']}"
        raise CommandError(message, fix="restore the object's version before, or delete it") from error


class Records:
    """The records of one environment.

    Args:
        s3: client with the right to read them.
        bucket: `Names.records_bucket`.
        stage_name: name of the CDK stage.
    """

    def __init__(self, s3: "S3Client", bucket: str, stage_name: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._stage_name = stage_name

    def current(self) -> ReleaseRecord | None:
        """Return the record of the last successful release, or None if there was none yet."""
        key = current_record_key(self._stage_name)
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return None
        return read_record(answer["Body"].read(), f"s3://{self._bucket}/{key}")

    def newest_first(self) -> Iterator[ReleaseRecord]:
        """Yield all records, the newest first; each is fetched when it is asked for."""
        prefix, current = record_prefix(self._stage_name), current_record_key(self._stage_name)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        for key in sorted(keys, reverse=True):  # they begin with the time
            if key != current and key.endswith(".json"):  # beside them are the templates
                body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
                yield read_record(body, f"s3://{self._bucket}/{key}")
