"""The packet as data; the page and the text are made from it, and from nothing else."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from compliance.changes import ComplianceChange
from config.models import Model
from operations.packet.differences import Difference
from operations.releases.migrations import Migration
from operations.supply.image_scans import ImageScans

Fate = Literal["new", "changed", "unchanged", "left behind"]
Kind = Literal[
    "data",
    "stack",
    "stuck",
    "identity",
    "replacement",
    "access",
    "network",
    "protection",
    "migration",
    "image",
    "compliance",
]


class Highlight(Model):
    """Something that the approver must not miss."""

    kind: Kind
    where: str = Field(description="Stack or migration.")
    what: str
    fix: str = ""
    blocks: bool = Field(default=False, description="Whether the release stops here.")
    acknowledged: str | None = Field(
        default=None, description="The configuration's reason, where it lets this very change through."
    )


class StackChange(Model):
    """What becomes of one stack."""

    name: str
    path: str = Field(description="Construct path; empty for a stack that the assembly has no more.")
    account: str
    region: str
    fate: Fate
    state: str = Field(description="Its state in CloudFormation; empty for a new one.")
    difference: Difference | None = None


class ImageChange(Model):
    """The image that runs, and the one that would."""

    workload: str
    before: str | None = Field(description="Digest; None if nothing was released yet.")
    after: str = Field(description="Digest.")
    revision_before: str | None = Field(description="Commit of the workload's source, where it is known.")
    revision_after: str | None

    @property
    def differs(self) -> bool:
        """Whether another image would run."""
        return self.before != self.after


class SchemaChange(Model):
    """What the release step would do to the database."""

    known: bool
    problem: str = Field(default="", description="Why it is not known.")
    pending: tuple[Migration, ...] = ()


class Compliance(Model):
    """What the gate says of what this environment stands on, and what it did not say of the last release."""

    judged: int
    judged_before: int | None = Field(description="None if there is no release to compare with.")
    open: int = Field(description="Findings and problems that stop a release.")
    accepted: int = Field(description="Findings that the ledger accepts.")
    problem: str = Field(default="", description="Why there is nothing to compare with.")
    change: ComplianceChange | None

    @property
    def differs(self) -> bool:
        """Whether a person has to look."""
        return bool(self.open) or (self.change is not None and not self.change.empty)


class PreviousRelease(Model):
    """The last successful release of the environment."""

    time: datetime
    execution_id: str
    commit: str | None


class Packet(Model):
    """What a release would change in one environment."""

    version: Literal[1] = 1
    organization: str
    environment: str = Field(description="Such as `my-django-app/production`.")
    stage: str
    domain: str
    account: str
    time: datetime
    execution_id: str | None = Field(description="Of the pipeline; None if a person asked.")
    commit: str | None = Field(description="Of the repository with the infrastructure.")
    uncommitted: bool = Field(
        default=False, description="Whether a person asked about a checkout that no commit holds."
    )
    previous: PreviousRelease | None
    highlights: tuple[Highlight, ...]
    image: ImageChange
    scans: ImageScans | None = Field(
        default=None, description="What the registry's scan found in the images; None if nobody asked it."
    )
    database: SchemaChange
    stacks: tuple[StackChange, ...]
    compliance: Compliance
    warnings: tuple[str, ...] = Field(description="Acknowledgements without effect.")

    @property
    def changed_stacks(self) -> tuple[StackChange, ...]:
        """The stacks that a deployment would touch, and those that it would leave behind."""
        return tuple(stack for stack in self.stacks if stack.fate != "unchanged")

    @property
    def is_empty(self) -> bool:
        """Whether a deployment would change nothing at all."""
        return not (
            self.changed_stacks
            or self.image.differs
            or self.database.pending
            or not self.database.known
            or self.compliance.differs
        )

    @property
    def blocked(self) -> tuple[Highlight, ...]:
        """Why the release stops here, before anybody is asked."""
        return tuple(one for one in self.highlights if one.blocks)
