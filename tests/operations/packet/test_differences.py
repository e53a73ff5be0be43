"""What the CDK's diff library says of two templates, as this project reads it."""

from pathlib import Path
from typing import Any

import pytest

from operations.errors import CommandError
from operations.packet import differences as module
from operations.packet.differences import Pair, differences
from tests.operations.packet.templates import difference, resource, template

BUCKET = resource("S3::Bucket", {"BucketName": "photos"})


def _statement(effect: str, action: str, target: str = "*") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": target}
    return resource(
        "IAM::Policy",
        {"PolicyName": "p", "Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [statement]}},
    )


def _group(*rules: dict[str, Any]) -> dict[str, Any]:
    return resource("EC2::SecurityGroup", {"GroupDescription": "web", "SecurityGroupIngress": list(rules)})


def test_the_same_templates_differ_in_nothing() -> None:
    assert difference(template(Bucket=BUCKET), template(Bucket=BUCKET)).is_empty


def test_a_bucket_with_another_name_is_replaced() -> None:
    renamed = resource("S3::Bucket", {"BucketName": "pictures"})
    (found,) = difference(template(Bucket=BUCKET), template(Bucket=renamed)).resources
    assert (found.id, found.impact, found.is_replaced, found.is_guarded) == (
        "Bucket",
        "WILL_REPLACE",
        True,
        True,
    )
    assert found.path == "ShopProduction/Media/Bucket/Resource"
    (change,) = found.properties
    assert (change.name, change.before, change.after) == ("BucketName", "photos", "pictures")


@pytest.mark.parametrize(
    ("attributes", "impact"), [({}, "WILL_DESTROY"), ({"DeletionPolicy": "Retain"}, "WILL_ORPHAN")]
)
def test_a_resource_that_leaves_is_destroyed_or_left_behind(attributes: dict[str, str], impact: str) -> None:
    queue = resource("SQS::Queue", None, **attributes)
    (found,) = difference(template(Bucket=BUCKET, Queue=queue), template(Bucket=BUCKET)).resources
    assert (found.impact, found.is_removed, found.is_guarded) == (impact, True, True)


def test_what_holds_data_or_an_identity_is_guarded_and_what_can_be_made_again_is_not() -> None:
    guarded = [
        *(
            "Cognito::UserPool",
            "DynamoDB::Table",
            "EC2::TransitGateway",
            "ECR::Repository",
            "EFS::FileSystem",
        ),
        *("KMS::Key", "RDS::DBCluster", "Route53::HostedZone", "S3::Bucket", "SQS::Queue"),
        "SecretsManager::Secret",
    ]
    free = ["EC2::Subnet", "ECS::Service", "ECS::TaskDefinition", "Logs::LogGroup"]
    kinds = {kind.replace("::", ""): resource(kind) for kind in [*guarded, *free]}
    found = difference(template(**kinds), template()).resources
    assert sorted(each.type.removeprefix("AWS::") for each in found if each.is_guarded) == guarded
    assert len(found) == len(kinds)


def test_a_note_for_tools_alone_changes_nothing() -> None:
    noted = resource("S3::Bucket", {"BucketName": "photos"}, Metadata={"cdk_nag": {"reason": "other words"}})
    found = difference(template(Bucket=BUCKET), template(Bucket=noted))
    assert found.is_empty
    assert [each.id for each in found.resources if each.is_metadata_only] == ["Bucket"]


@pytest.mark.parametrize(
    ("before", "after", "broadens"),
    [
        (("Allow", "s3:Get*"), ("Allow", "s3:*"), [True, False]),
        (("Allow", "s3:*"), ("Deny", "s3:*"), [False, False]),
        (("Deny", "s3:*"), ("Allow", "s3:*"), [True, True]),
    ],
)
def test_a_permission_broadens_if_it_allows_and_is_new_or_denies_and_is_gone(
    before: tuple[str, str], after: tuple[str, str], broadens: list[bool]
) -> None:
    found = difference(template(Policy=_statement(*before)), template(Policy=_statement(*after)))
    assert [(each.added, each.broadens) for each in found.iam] == list(
        zip([True, False], broadens, strict=True)
    )
    assert found.iam[0].principal == "AWS:${Role}"


def test_a_managed_policy_on_a_role_broadens() -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    before = template(Role=resource("IAM::Role", {"AssumeRolePolicyDocument": {"Statement": []}}))
    after = template(
        Role=resource(
            "IAM::Role", {"AssumeRolePolicyDocument": {"Statement": []}, "ManagedPolicyArns": [arn]}
        )
    )
    (found,) = difference(before, after).iam
    assert (found.added, found.broadens, found.principal) == (True, True, arn)


def test_a_security_group_that_opens_broadens_and_one_that_closes_does_not() -> None:
    world = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    (opened,) = difference(template(Group=_group()), template(Group=_group(world))).network
    assert (opened.added, opened.broadens, opened.direction, opened.protocol) == (
        True,
        True,
        "in",
        "TCP 5432",
    )
    assert opened.peer == "Everyone (IPv4)"
    (closed,) = difference(template(Group=_group(world)), template(Group=_group())).network
    assert (closed.added, closed.broadens) == (False, False)


def test_a_new_stack_is_all_new_and_a_gone_one_all_gone() -> None:
    found = difference(None, {**template(Bucket=BUCKET), "Outputs": {"Name": {"Value": "x"}}})
    assert [each.impact for each in found.resources] == ["WILL_CREATE"]
    assert found.others == ("outputs: Name",)
    assert [each.impact for each in difference(template(Bucket=BUCKET), None).resources] == ["WILL_DESTROY"]


def test_nothing_to_compare_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "bundled_node", lambda: None)
    assert differences([]) == ()


def test_without_the_library_the_fix_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SCRIPT", tmp_path / "a" / "b" / "diff.mjs")
    with pytest.raises(CommandError, match="diff library is not installed") as told:
        differences([Pair(name="x", before=None, after={})])
    assert "./lz" in str(told.value)


def test_a_template_that_the_library_cannot_read_is_told() -> None:
    with pytest.raises(CommandError, match="could not compare"):
        differences([Pair(name="x", before={"Resources": {"A": None}}, after={"Resources": {"A": 1}})])
