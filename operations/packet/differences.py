"""What changes between templates, found by the CDK's own diff library in the Node that the project brings."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, TypeAdapter

from config.models import Model
from config.node import bundled_node
from operations.errors import CommandError

SCRIPT = Path(__file__).with_name("diff.mjs")

Template = Mapping[str, Any]

Impact = Literal[
    "WILL_UPDATE",
    "WILL_CREATE",
    "WILL_REPLACE",
    "MAY_REPLACE",
    "WILL_DESTROY",
    "WILL_ORPHAN",
    "WILL_IMPORT",
    "NO_CHANGE",
]

# What holds no data, and yet cannot be made again: others know it by an id that AWS makes up. Type -> who does.
IDENTITIES: Mapping[str, str] = {
    "AWS::EC2::VPC": "databases, load balancers and tasks of other stacks are in it, and do not move",
    "AWS::EC2::TransitGateway": "attachments and routes of other accounts name its id",
    "AWS::Route53::HostedZone": "the parent delegates to its name servers, and certificates are validated in it",
}
# What cannot be made again with the same content or identity, besides what AWS's resource specification calls stateful
# (databases, buckets, queues, secrets, keys, tables, file systems, user pools, log groups ...).
ALSO_STATEFUL = (
    *IDENTITIES,
    "AWS::ECR::Repository",  # the images, and the digests that task definitions name
    "AWS::RDS::GlobalCluster",
)
# Called stateful there, and not guarded: its loss is listed like any other change. Logs of production outlive their
# group's removal by policy, and the groups of the CDK's own functions come and go with the library's versions.
NOT_GUARDED = frozenset({"AWS::Logs::LogGroup", "AWS::CloudFormation::Stack"})


class Change(Model):
    """A property of a resource, or another attribute such as its deletion policy, that differs."""

    name: str
    impact: Impact
    before: Any = None
    after: Any = None


class ResourceChange(Model):
    """A resource that differs."""

    id: str = Field(description="Logical id.")
    path: str = Field(description="Construct path; empty if the template does not say it.")
    type: str
    impact: Impact
    type_changed: bool
    stateful: bool = Field(description="Whether it holds data, or an identity that others know.")
    properties: tuple[Change, ...]
    attributes: tuple[Change, ...]

    @property
    def is_metadata_only(self) -> bool:
        """Whether CloudFormation would do nothing: notes to people and tools alone differ."""
        return not self.properties and {change.name for change in self.attributes} == {"Metadata"}

    @property
    def is_guarded(self) -> bool:
        """Whether its loss has to be acknowledged."""
        return self.stateful and self.type not in NOT_GUARDED

    @property
    def is_replaced(self) -> bool:
        """Whether another resource may take its place."""
        return self.type_changed or self.impact in {"WILL_REPLACE", "MAY_REPLACE"}

    @property
    def is_removed(self) -> bool:
        """Whether it leaves the stack, with or without its data."""
        return self.impact in {"WILL_DESTROY", "WILL_ORPHAN"}


class StatementChange(Model):
    """A permission that is new or gone: one statement of a policy, or a managed policy on a role."""

    added: bool
    broadens: bool
    resource: str
    effect: str
    action: str
    principal: str
    condition: str


class RuleChange(Model):
    """A rule of a security group that is new or gone."""

    added: bool
    broadens: bool
    subject: str = Field(description="The security group.")
    direction: Literal["in", "out"]
    protocol: str
    peer: str


class Difference(Model):
    """What differs between two templates."""

    name: str
    resources: tuple[ResourceChange, ...]
    iam: tuple[StatementChange, ...]
    network: tuple[RuleChange, ...]
    others: tuple[str, ...] = Field(
        description="Outputs, parameters and what else differs: section and name."
    )

    @property
    def is_empty(self) -> bool:
        """Whether a deployment would change nothing."""
        return not self.others and all(resource.is_metadata_only for resource in self.resources)


class Pair(Model):
    """Two templates of one stack."""

    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def differences(pairs: Sequence[Pair]) -> tuple[Difference, ...]:
    """Compare templates.

    Args:
        pairs: any number; for those that differ, Node and AWS's resource specification cost half a second, once.

    Returns:
        One difference per pair, in their order.

    Raises:
        CommandError: the library is not installed, or it could not read a template.
    """
    differing = [pair for pair in pairs if pair.before != pair.after]
    found = iter(_ask(differing) if differing else ())
    same = {pair.name for pair in pairs} - {pair.name for pair in differing}
    return tuple(_nothing(pair) if pair.name in same else next(found) for pair in pairs)


def _nothing(pair: Pair) -> Difference:
    return Difference(name=pair.name, resources=(), iam=(), network=(), others=())


def _ask(pairs: Sequence[Pair]) -> tuple[Difference, ...]:
    question = {
        "stateful": ALSO_STATEFUL,
        "pairs": [{"name": pair.name, "before": pair.before, "after": pair.after} for pair in pairs],
    }
    node = bundled_node()
    if node is None or not (SCRIPT.parents[2] / "node_modules" / "@aws-cdk" / "cloudformation-diff").is_dir():
        message = "the CDK's diff library is not installed"
        raise CommandError(message, fix="run any command through ./lz: it installs from the lock files")
    done = subprocess.run(
        [str(node), str(SCRIPT)], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        message = f"the CDK's diff library could not compare the templates:\n{done.stderr.strip()}"
        raise CommandError(message, exit_code=1)
    return TypeAdapter(tuple[Difference, ...]).validate_json(done.stdout)
