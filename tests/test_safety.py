"""What holds for every resource of the organization: tags, logs, encryption, transport, secrets."""

import copy
import json
import re

import pytest

from tests import documents
from tests.assembly import Assembly, Resource, walk
from tests.policies import all_statements, denies_plain_transport

LOOKS_SECRET = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE|CREDENTIAL|_KEY\b", re.IGNORECASE)


def test_every_stack_says_whose_it_is(organization: Assembly) -> None:
    for stack in organization.stacks.values():
        expected = {"organization": "acme", "managed-by": "cdk"}
        if stack.stage in {documents.STAGING, documents.PRODUCTION}:
            name = "staging" if stack.stage == documents.STAGING else "production"
            expected |= {"workload": "my-django-app", "environment": name}
        assert stack.tags == expected, stack.name


def test_tasks_get_the_tags_of_their_service(organization: Assembly) -> None:
    services = organization.resources("AWS::ECS::Service")
    assert len(services) == 6
    assert {each.get("PropagateTags") for each in services} == {"SERVICE"}
    assert {each.get("EnableECSManagedTags") for each in services} == {True}


def _logs_without_retention(assembly: Assembly) -> list[str]:
    """List log groups that are kept for ever, and functions that would make such a group themselves."""
    groups = assembly.resources("AWS::Logs::LogGroup")
    problems = [f"{group} has no retention" for group in groups if not group.get("RetentionInDays")]
    for function in assembly.resources("AWS::Lambda::Function"):
        implied = f"/aws/lambda/${{{function.stack.name}/{function.logical_id}}}"
        own = function.text("LoggingConfig", "LogGroup")
        made = {f"${{{each.stack.name}/{each.logical_id}}}" for each in groups}
        if own not in made and implied not in {each.text("LogGroupName") for each in groups}:
            problems.append(f"{function} logs into a group of its own making")
    return problems


def test_every_log_has_a_retention(every_organization: Assembly) -> None:
    assert not _logs_without_retention(every_organization)


@pytest.mark.parametrize("resource_type", ["AWS::Logs::LogGroup", "AWS::Lambda::Function"])
def test_the_check_of_logs_finds_a_log_without_retention(organization: Assembly, resource_type: str) -> None:
    broken = copy.deepcopy(organization)
    resource = broken.resources(resource_type)[0]
    resource.properties.pop("RetentionInDays", None)
    resource.properties.pop("LoggingConfig", None)
    assert len(_logs_without_retention(broken)) == 1


def _unsafe_buckets(assembly: Assembly) -> list[str]:
    problems = []
    for bucket in assembly.resources("AWS::S3::Bucket"):
        block = bucket.get("PublicAccessBlockConfiguration", default={})
        wanted = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        if not all(block.get(key) is True for key in wanted):
            problems.append(f"{bucket} may become public")
        if not bucket.get("BucketEncryption"):
            problems.append(f"{bucket} is not encrypted")
        if not denies_plain_transport(bucket):
            problems.append(f"{bucket} answers plain HTTP")
    return problems


def test_every_bucket_is_private_and_encrypted_and_refuses_plain_http(every_organization: Assembly) -> None:
    assert every_organization.resources("AWS::S3::Bucket")
    assert not _unsafe_buckets(every_organization)


@pytest.mark.parametrize("what", ["PublicAccessBlockConfiguration", "BucketEncryption", "policy"])
def test_the_check_of_buckets_finds_each_fault(organization: Assembly, what: str) -> None:
    broken = copy.deepcopy(organization)
    media = broken[f"{documents.STAGING}-Media"]
    if what == "policy":
        media.resource("AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"].pop(0)
    else:
        media.resource("AWS::S3::Bucket").properties.pop(what)
    assert len(_unsafe_buckets(broken)) == 1


def _open_queues(assembly: Assembly) -> list[str]:
    return [
        str(queue)
        for queue in assembly.resources("AWS::SQS::Queue")
        if not denies_plain_transport(queue) or queue.get("SqsManagedSseEnabled") is not True
    ]


def test_every_queue_is_encrypted_and_refuses_plain_transport(every_organization: Assembly) -> None:
    assert not _open_queues(every_organization)


def test_the_check_of_queues_finds_a_queue_without_a_policy(organization: Assembly) -> None:
    broken = copy.deepcopy(organization)
    queues = broken[f"{documents.STAGING}-Queues"]
    del queues.template["Resources"][queues.resources("AWS::SQS::QueuePolicy")[0].logical_id]
    assert len(_open_queues(broken)) == 1


def _secrets_in_the_open(assembly: Assembly) -> list[str]:
    """List values that only Secrets Manager should know, and names of variables that look like such a value."""
    problems = [
        f"{resource} holds {key}"
        for resource in assembly.resources()
        for value in walk(resource.body)
        if isinstance(value, dict)
        for key in ("SecretString", "MasterUserPassword", "Password")
        if key in value
    ]
    for definition in assembly.resources("AWS::ECS::TaskDefinition"):
        for container in definition.get("ContainerDefinitions"):
            names = [variable["Name"] for variable in container.get("Environment", [])]
            problems += [f"{definition} shows {name}" for name in names if LOOKS_SECRET.search(name)]
            problems += [
                f"{definition} takes {secret['Name']} from {secret['ValueFrom']}"
                for secret in container.get("Secrets", [])
                if not _is_reference(definition, secret["ValueFrom"])
            ]
    return problems


def _is_reference(definition: Resource, value: object) -> bool:
    """Tell whether a value points to a secret that this stage's own templates make."""
    match = re.match(
        r"\$\{([^/}]+)/(\w+)(\.MasterUserSecret\.SecretArn)?\}(:\w+::)?$", definition.stack.text(value)
    )
    return match is not None and match[1].startswith(definition.stack.stage)


def test_no_template_holds_a_secret(every_organization: Assembly) -> None:
    assert every_organization.resources("AWS::SecretsManager::Secret")
    assert not _secrets_in_the_open(every_organization)


@pytest.mark.parametrize("fault", ["value", "variable", "copy"])
def test_the_check_of_secrets_finds_each_fault(organization: Assembly, fault: str) -> None:
    broken = copy.deepcopy(organization)
    container = (
        broken[f"{documents.STAGING}-Web"].resource("AWS::ECS::TaskDefinition").get("ContainerDefinitions", 0)
    )
    if fault == "value":
        secret = broken[f"{documents.STAGING}-Parameters"].resources("AWS::SecretsManager::Secret")[0]
        secret.properties["SecretString"] = "hunter2"
    elif fault == "variable":
        container["Environment"].append({"Name": "DATABASE_PASSWORD", "Value": "hunter2"})
    else:
        container["Secrets"][0]["ValueFrom"] = "hunter2"
    assert len(_secrets_in_the_open(broken)) == 1


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


def test_nothing_is_allowed_to_everybody(every_organization: Assembly) -> None:
    everything = list(all_statements(every_organization))
    assert len(everything) > 100
    for statement in everything:
        if statement.allows:
            assert not {"*", "AWS:*"} & set(statement.principals), f"{statement.owner}: {statement.body}"


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
