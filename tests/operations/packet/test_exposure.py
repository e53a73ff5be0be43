"""Ways in, boundaries and protections that the CDK's diff library does not look at."""

from typing import Any

import pytest

from operations.packet.differences import Pair, differences
from operations.packet.exposure import access_concerns, network_concerns, protection_concerns
from tests.operations.packet.templates import resource, template

BLOCKED = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
)
ROUTE = {"RouteTableId": {"Ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0"}
BOUNDARY = {"AssumeRolePolicyDocument": {}, "PermissionsBoundary": "arn:aws:iam::1:policy/lz"}
VERSIONS = {"VersioningConfiguration": {"Status": "Enabled"}}

OPENED: list[tuple[str, dict[str, Any] | None, dict[str, Any], str]] = [
    ("EC2::InternetGateway", None, {}, "a new way to the internet"),
    ("EC2::Route", None, {**ROUTE, "NatGatewayId": "nat-1"}, "a way to 0.0.0.0/0 through NatGatewayId"),
    ("EC2::Route", {**ROUTE, "NatGatewayId": "n"}, {**ROUTE, "GatewayId": "i"}, "through GatewayId"),
    (
        "EC2::NetworkAclEntry",
        None,
        {"RuleAction": "allow", "CidrBlock": "10.0.0.0/8"},
        "lets 10.0.0.0/8 through",
    ),
    ("EC2::Subnet", {}, {"MapPublicIpOnLaunch": True}, "gives public addresses"),
    ("EC2::VPCPeeringConnection", None, {"VpcId": "v"}, "a new connection to another network"),
    ("EC2::TransitGatewayRoute", None, {"DestinationCidrBlock": "10.2.0.0/16"}, "a way to 10.2.0.0/16"),
    ("EC2::TransitGatewayRouteTablePropagation", None, {}, "another network learns"),
    (
        "ElasticLoadBalancingV2::LoadBalancer",
        {"Scheme": "internal"},
        {"Scheme": "internet-facing"},
        "from the internet",
    ),
    ("Lambda::Url", {"AuthType": "AWS_IAM"}, {"AuthType": "NONE"}, "called by anybody"),
    ("RDS::DBInstance", {}, {"PubliclyAccessible": True}, "gets a public address"),
    (
        "S3::Bucket",
        {"PublicAccessBlockConfiguration": BLOCKED},
        {"PublicAccessBlockConfiguration": {**BLOCKED, "BlockPublicPolicy": False}},
        "no longer blocks public access: BlockPublicPolicy",
    ),
    ("IAM::Role", BOUNDARY, {"AssumeRolePolicyDocument": {}}, "loses or changes its permissions boundary"),
    (
        "RDS::DBCluster",
        {"DeletionProtection": True},
        {"DeletionProtection": False},
        "loses its deletion protection",
    ),
    (
        "RDS::DBCluster",
        {"BackupRetentionPeriod": 14},
        {"BackupRetentionPeriod": 7},
        "for 7 days instead of 14",
    ),
    ("DynamoDB::Table", {"DeletionProtectionEnabled": True}, {}, "loses its deletion protection"),
    (
        "ECR::Repository",
        {"ImageTagMutability": "IMMUTABLE"},
        {"ImageTagMutability": "MUTABLE"},
        "be overwritten",
    ),
    ("KMS::Key", {"EnableKeyRotation": True}, {"EnableKeyRotation": False}, "no longer rotated"),
    ("Logs::LogGroup", {"RetentionInDays": 365}, {"RetentionInDays": 30}, "for 30 days instead of 365"),
    ("S3::Bucket", VERSIONS, {}, "no longer keeps earlier versions"),
]


def _concerns(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    (found,) = differences([Pair(name="Stack", before=before, after=after)])
    return [
        text
        for look in (network_concerns, access_concerns, protection_concerns)
        for _, text in look(found, before, after)
    ]


def _template(side: dict[int, dict[str, Any] | None]) -> dict[str, Any]:
    return template(
        **{
            f"R{number}": resource(OPENED[number][0], found)
            for number, found in side.items()
            if found is not None
        }
    )


BEFORE = {number: case[1] for number, case in enumerate(OPENED)}
AFTER: dict[int, dict[str, Any] | None] = {number: case[2] for number, case in enumerate(OPENED)}


def test_everything_that_opens_or_loosens_is_told_and_what_closes_is_not() -> None:
    found = _concerns(_template(BEFORE), _template(AFTER))
    assert len(found) == len(OPENED), found
    for _, _, _, text in OPENED:
        assert any(text in one for one in found), text
    # The other way round only the routes are ways that were not there.
    closed = _concerns(_template(AFTER), _template(BEFORE))
    assert closed == ["a way to 0.0.0.0/0 through NatGatewayId"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("Retain", "Delete", True),
        ("Snapshot", None, True),
        ("Delete", "Retain", False),
        ("Retain", "Snapshot", False),
    ],
)
def test_a_policy_that_no_longer_keeps_data_is_told(before: str, after: str | None, told: bool) -> None:  # noqa: FBT001
    attributes = {"DeletionPolicy": after} if after else {}
    found = _concerns(
        template(Bucket=resource("S3::Bucket", None, DeletionPolicy=before)),
        template(Bucket=resource("S3::Bucket", None, **attributes)),
    )
    assert found == ([f"DeletionPolicy {before} becomes {after or 'Delete'}"] if told else [])
