"""One-off commands: what people may do, and who may read the values that stay secret."""

import pytest

from compliance.policies import identity_statements, policy_of, trust
from config import Configuration
from config.naming import Names
from tests import documents
from tests.assembly import Assembly, Json, Resource

pytestmark = pytest.mark.parametrize("stage_name", [documents.STAGING, documents.PRODUCTION])


def test_people_of_the_environments_own_account_may_become_its_operator(
    organization: Assembly, configuration: Configuration, stage_name: str
) -> None:
    stage = configuration.find_stage(stage_name)
    operator = organization[f"{stage_name}-OneOff"].resource("AWS::IAM::Role", "Operator")
    (statement,) = trust(operator)
    assert operator.get("RoleName") == Names(configuration).operator_role(stage.key)
    assert statement.principals == (f"AWS:arn:aws:iam::{stage.account_id}:root",)


def test_an_operator_may_run_the_release_task_and_hand_it_values_and_nothing_else(
    organization: Assembly, stage_name: str
) -> None:
    stack = organization[f"{stage_name}-OneOff"]
    runner = organization[f"{stage_name}-Release"].resource("AWS::IAM::Role", "Runner")
    operator = stack.resource("AWS::IAM::Role", "Operator")
    (bucket,) = stack.resources("AWS::S3::Bucket")

    def may(role: Resource) -> dict[tuple[str, ...], tuple[set[str], Json]]:
        return {
            statement.actions: (set(statement.resources), statement.condition)
            for statement in identity_statements(role)
        }

    values: tuple[set[str], Json] = (
        {f"${{{stage_name}-OneOff/{bucket.logical_id}.Arn}}/one-off/*"},
        {},
    )
    assert may(operator) == {**may(runner), ("s3:DeleteObject", "s3:PutObject"): values}
    assert not [action for actions in may(operator) for action in actions if "TaskDefinition" in action]


def test_the_execution_role_alone_reads_the_values(organization: Assembly, stage_name: str) -> None:
    stack = organization[f"{stage_name}-OneOff"]
    (bucket,) = stack.resources("AWS::S3::Bucket")
    role = organization[f"{stage_name}-Release"].parameter(f"/{stage_name}/ReleaseExecutionRoleArn")
    reads = [each for each in policy_of(bucket) if "s3:GetObject" in each.actions]
    allowed = [each for each in reads if each.allows]
    (denied,) = [each for each in reads if not each.allows]

    assert [each.principals for each in allowed] == [(f"AWS:{role}",)]
    assert denied.principals in {("*",), ("AWS:*",)}
    assert denied.resources == (f"${{{stage_name}-OneOff/{bucket.logical_id}.Arn}}/*",)
    assert denied.condition == {"ArnNotEquals": {"aws:PrincipalArn": role}}


def test_a_value_that_is_deleted_is_gone_and_one_that_is_forgotten_goes_after_a_day(
    organization: Assembly, stage_name: str
) -> None:
    (bucket,) = organization[f"{stage_name}-OneOff"].resources("AWS::S3::Bucket")
    assert bucket.get("VersioningConfiguration") is None
    assert bucket.get("LifecycleConfiguration", "Rules", 0, "ExpirationInDays") == 1


def test_the_tasks_own_variables_are_published_for_a_command_to_respect(
    organization: Assembly, stage_name: str
) -> None:
    release = organization[f"{stage_name}-Release"]
    container = release.resource("AWS::ECS::TaskDefinition").get("ContainerDefinitions", 0)
    variables = {each["Name"] for each in container["Environment"]}
    secrets = {each["Name"] for each in container["Secrets"]}
    assert set(release.parameter(f"/{stage_name}/ReleaseVariables").split(",")) == variables
    assert set(release.parameter(f"/{stage_name}/ReleaseSecretVariables").split(",")) == secrets
