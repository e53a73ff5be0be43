"""Changes that open or loosen something, beyond what the CDK's diff library knows: ways in, boundaries, protections."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from operations.packet.differences import Difference, ResourceChange, Template

Properties = Mapping[str, Any]
Look = Callable[[Properties | None, Properties], str | None]
"""Takes the properties before, None for a new resource, and after; says what opens or loosens."""

KEEPING = ("Retain", "RetainExceptOnCreate", "Snapshot")
PUBLIC_ACCESS_BLOCK = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _becomes(name: str, value: object, text: str) -> Look:
    """Tell if a property gets a value that it had not."""
    return lambda old, new: text if _is(new, name, value) and not _is(old, name, value) else None


def _ceases(name: str, value: object, text: str) -> Look:
    """Tell if a property had a value and has it no more."""
    return lambda old, new: text if _is(old, name, value) and not _is(new, name, value) else None


def _is(properties: Properties | None, name: str, value: object) -> bool:
    # Templates write true, "true" and "True" alike.
    return str((properties or {}).get(name)).lower() == str(value).lower()


def _shrinks(name: str, text: str) -> Look:
    """Tell if a number gets smaller."""

    def look(old: Properties | None, new: Properties) -> str | None:
        before, after = (old or {}).get(name), new.get(name)
        if isinstance(before, int) and isinstance(after, int) and after < before:
            return text.format(before=before, after=after)
        return None

    return look


def _new(text: str) -> Look:
    """Tell if the resource is new."""
    return lambda old, new: text if old is None else None  # noqa: ARG005 -- the signature of a look


def _route(old: Properties | None, new: Properties) -> str | None:
    if old == new or new.get("Blackhole") is True:
        return None
    targets = [name for name in new if name.endswith("Id") and "RouteTable" not in name]
    to = new.get("DestinationCidrBlock") or new.get("DestinationIpv6CidrBlock") or "a destination"
    return f"a way to {to} through {' and '.join(sorted(targets)) or 'a target'}"


def _public_access(old: Properties | None, new: Properties) -> str | None:
    name = "PublicAccessBlockConfiguration"
    before, after = (old or {}).get(name, {}), new.get(name, {})
    lifted = [
        each for each in PUBLIC_ACCESS_BLOCK if before.get(each) is True and after.get(each) is not True
    ]
    return f"no longer blocks public access: {', '.join(lifted)}" if lifted else None


def _acl_entry(old: Properties | None, new: Properties) -> str | None:
    allows = new.get("RuleAction") == "allow" and old != new
    return f"lets {new.get('CidrBlock', 'a network')} through" if allows else None


def _boundary(old: Properties | None, new: Properties) -> str | None:
    before = (old or {}).get("PermissionsBoundary")
    changes = before is not None and before != new.get("PermissionsBoundary")
    return "loses or changes its permissions boundary" if changes else None


def _versioning(old: Properties | None, new: Properties) -> str | None:
    def on(properties: Properties) -> bool:
        return bool(properties.get("VersioningConfiguration", {}).get("Status") == "Enabled")

    return "no longer keeps earlier versions" if on(old or {}) and not on(new) else None


NETWORK: Mapping[str, Look] = {
    "AWS::EC2::InternetGateway": _new("a new way to the internet"),
    "AWS::EC2::NetworkAclEntry": _acl_entry,
    "AWS::EC2::Route": _route,
    "AWS::EC2::Subnet": _becomes("MapPublicIpOnLaunch", True, "gives public addresses to what starts in it"),  # noqa: FBT003
    "AWS::EC2::TransitGatewayRoute": _route,
    "AWS::EC2::TransitGatewayRouteTablePropagation": _new("another network learns this one's routes"),
    "AWS::EC2::VPCPeeringConnection": _new("a new connection to another network"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _becomes(
        "Scheme", "internet-facing", "can be reached from the internet"
    ),
    "AWS::Lambda::Url": _becomes("AuthType", "NONE", "can be called by anybody"),
    "AWS::RDS::DBInstance": _becomes("PubliclyAccessible", True, "gets a public address"),  # noqa: FBT003
    "AWS::S3::Bucket": _public_access,
}
ACCESS: Mapping[str, Look] = {"AWS::IAM::Role": _boundary, "AWS::IAM::User": _boundary}
PROTECTION: Mapping[str, tuple[Look, ...]] = {
    "AWS::RDS::DBCluster": (
        _ceases("DeletionProtection", True, "loses its deletion protection"),  # noqa: FBT003
        _shrinks("BackupRetentionPeriod", "keeps backups for {after} days instead of {before}"),
    ),
    "AWS::DynamoDB::Table": (
        _ceases("DeletionProtectionEnabled", True, "loses its deletion protection"),  # noqa: FBT003
    ),
    "AWS::ECR::Repository": (_ceases("ImageTagMutability", "IMMUTABLE", "lets images be overwritten"),),
    "AWS::KMS::Key": (_ceases("EnableKeyRotation", True, "is no longer rotated"),),  # noqa: FBT003
    "AWS::Logs::LogGroup": (_shrinks("RetentionInDays", "keeps logs for {after} days instead of {before}"),),
    "AWS::S3::Bucket": (_versioning,),
}


def network_concerns(difference: Difference, before: Template, after: Template) -> Iterator[tuple[str, str]]:
    """Yield title and text of each way that opens, besides the rules of security groups.

    Args:
        difference: of the two templates.
        before: the one that is deployed; empty for a new stack.
        after: the new one.
    """
    for resource, old, new in _staying(difference, before, after):
        look = NETWORK.get(resource.type)
        if look and (text := look(old, new)):
            yield title(resource), text


def access_concerns(difference: Difference, before: Template, after: Template) -> Iterator[tuple[str, str]]:
    """Yield title and text of each boundary of permissions that falls; arguments as of `network_concerns`."""
    for resource, old, new in _staying(difference, before, after):
        look = ACCESS.get(resource.type)
        if look and (text := look(old, new)):
            yield title(resource), text


def protection_concerns(
    difference: Difference, before: Template, after: Template
) -> Iterator[tuple[str, str]]:
    """Yield title and text of each protection of data that weakens; arguments as of `network_concerns`."""
    for resource, old, new in _staying(difference, before, after):
        for look in PROTECTION.get(resource.type, ()):
            if text := look(old, new):
                yield title(resource), text
        for change in resource.attributes if resource.is_guarded else ():
            kept = change.before in KEEPING and change.after not in KEEPING
            if kept and change.name in {"DeletionPolicy", "UpdateReplacePolicy"}:
                yield title(resource), f"{change.name} {change.before} becomes {change.after or 'Delete'}"


def _staying(
    difference: Difference, before: Template, after: Template
) -> Iterator[tuple[ResourceChange, Properties | None, Properties]]:
    """Yield each resource that differs and is there afterwards, with its properties then and now."""
    old, new = before.get("Resources", {}), after.get("Resources", {})
    for resource in difference.resources:
        if resource.id in new:
            earlier = old[resource.id].get("Properties", {}) if resource.id in old else None
            yield resource, earlier, new[resource.id].get("Properties", {})


def title(resource: ResourceChange) -> str:
    """Return what a person calls a resource: its construct path within the stack, or its logical id."""
    path = resource.path.removesuffix("/Resource").split("/")
    return "/".join(path[2:]) or resource.id
