"""What holds for every resource of the organization, besides what the rules of `compliance/rules` check."""

import copy
import json

import pytest

from compliance.policies import all_statements
from tests import documents
from tests.assembly import Assembly


def test_tasks_get_the_tags_of_their_service(organization: Assembly) -> None:
    services = organization.resources("AWS::ECS::Service")
    assert len(services) == 6
    assert {each.get("PropagateTags") for each in services} == {"SERVICE"}
    assert {each.get("EnableECSManagedTags") for each in services} == {True}


def _unsafe_buckets(assembly: Assembly) -> list[str]:
    problems = []
    for bucket in assembly.resources("AWS::S3::Bucket"):
        block = bucket.get("PublicAccessBlockConfiguration", default={})
        wanted = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        if not all(block.get(key) is True for key in wanted):
            problems.append(f"{bucket} may become public")
        if not bucket.get("BucketEncryption"):
            problems.append(f"{bucket} is not encrypted")
    return problems


def test_every_bucket_is_private_and_encrypted(every_organization: Assembly) -> None:
    assert every_organization.resources("AWS::S3::Bucket")
    assert not _unsafe_buckets(every_organization)


@pytest.mark.parametrize("what", ["PublicAccessBlockConfiguration", "BucketEncryption"])
def test_the_check_of_buckets_finds_each_fault(organization: Assembly, what: str) -> None:
    broken = copy.deepcopy(organization)
    broken[f"{documents.STAGING}-Media"].resource("AWS::S3::Bucket").properties.pop(what)
    assert len(_unsafe_buckets(broken)) == 1


def test_every_queue_is_encrypted(every_organization: Assembly) -> None:
    queues = every_organization.resources("AWS::SQS::Queue")
    assert queues
    assert all(queue.get("SqsManagedSseEnabled") is True for queue in queues)


def test_secrets_are_made_of_random_characters(every_organization: Assembly) -> None:
    for secret in every_organization.resources("AWS::SecretsManager::Secret"):
        assert secret.get("GenerateSecretString", "PasswordLength") >= 40
        template = json.loads(secret.get("GenerateSecretString", "SecretStringTemplate", default="{}"))
        assert set(template) <= {"username"}


def test_no_policy_appends_to_the_arn_of_a_log_group(every_organization: Assembly) -> None:
    """What CloudFormation returns as a log group's ARN ends in `:*` already; with more behind it, nothing matches."""
    groups = {
        f"${{{group.stack.name}/{group.logical_id}.Arn}}:"
        for group in every_organization.resources("AWS::Logs::LogGroup")
    }
    for statement in all_statements(every_organization):
        for resource in statement.resources:
            assert not [arn for arn in groups if arn in resource], f"{statement.owner}: {resource}"


def test_no_statement_allows_every_action_except_a_key_to_its_own_account(
    every_organization: Assembly,
) -> None:
    for statement in all_statements(every_organization):
        if statement.allows and any(
            action in {"*", "s3:*", "iam:*", "sts:*"} for action in statement.actions
        ):
            pytest.fail(f"{statement.owner}: {statement.body}")
        if statement.allows and statement.actions == ("kms:*",):
            assert statement.principals == (f"AWS:arn:aws:iam::{statement.owner.stack.account}:root",)
