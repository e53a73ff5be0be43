"""Data outlives mistakes."""

from collections.abc import Iterator

from compliance.rules.rule import Finding, Organization, judged, rule
from compliance.templates import Resource

STATEFUL = (
    "AWS::ECR::Repository",
    "AWS::KMS::Key",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Route53::HostedZone",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
)
"""Types of what holds data."""

KEPT = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})


@rule(
    "LZ-DAT-1",
    text="In production, and for images and zones everywhere, what holds data is kept when it leaves the template "
    "or is replaced; production's databases refuse to be deleted.",
    fix="Use `data_removal` of the stack's base class; deletion protection is `database.deletion_protection`.",
)
def data_is_kept(organization: Organization) -> Iterator[Finding]:
    """Look at everything in production that holds data, and at the registry and the parent zone."""
    for resource in organization.assembly.resources(*STATEFUL):
        if _must_be_kept(resource, organization):
            yield from judged(resource, list(_ways_to_lose(resource)))


def _must_be_kept(resource: Resource, organization: Organization) -> bool:
    if resource.type == "AWS::RDS::DBInstance" and resource.get("DBClusterIdentifier"):
        return False  # the data is the cluster's
    stage = organization.environments.get(resource.stack.stage)
    if stage is not None:
        return stage.is_production
    # Build artifacts can be made again.
    return resource.type in {"AWS::ECR::Repository", "AWS::Route53::HostedZone"}


def _ways_to_lose(resource: Resource) -> Iterator[str]:
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.body.get(key, "Delete")
        if policy not in KEPT:
            yield f"its {key} is {policy}"
    if resource.type.startswith("AWS::RDS::") and resource.get("DeletionProtection") is not True:
        yield "it may be deleted by one call"
