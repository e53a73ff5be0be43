"""The roles around what serves: one sees which image runs, one returns it to an earlier one."""

import pytest

from compliance.policies import identity_statements, statements, trust
from config import Configuration
from config.naming import Names
from tests import documents
from tests.assembly import Assembly, Json, Resource, Stack
from tests.conftest import Synthesize
from tests.workloads.tasks import definition, service

STAGES = pytest.mark.parametrize("stage_name", [documents.STAGING, documents.PRODUCTION])
SERVING = (("Web", "Web"), ("Worker", "Workers"), ("Beat", "Workers"))
Rights = dict[tuple[str, ...], tuple[set[str], Json]]


def _rights(policy: Resource) -> Rights:
    found = statements(policy, policy.get("PolicyDocument"))
    return {each.actions: (set(each.resources), each.condition) for each in found}


def _added(stack: Stack, role_name: str) -> Rights:
    """Return what a stack that serves adds to a role of the release stack."""
    (policy,) = [each for each in stack.resources("AWS::IAM::Policy") if each.get("Roles") == [role_name]]
    return _rights(policy)


def _services(assembly: Assembly, stage_name: str, stack_name: str) -> set[str]:
    stack = assembly[f"{stage_name}-{stack_name}"]
    return {
        f"${{{stack.name}/{service(stack, process).logical_id}}}"
        for process, holder in SERVING
        if holder == stack_name
    }


def _roles(assembly: Assembly, stage_name: str, stack_name: str) -> set[str]:
    tasks = [definition(assembly, stage_name, process) for process, holder in SERVING if holder == stack_name]
    return {task.text(member) for task in tasks for member in ("TaskRoleArn", "ExecutionRoleArn")}


@STAGES
def test_the_reader_sees_the_services_of_its_environment_and_no_more(
    organization: Assembly, configuration: Configuration, stage_name: str
) -> None:
    stage = configuration.find_stage(stage_name)
    name = Names(configuration).serving_reader_role(stage.key)
    reader = organization[f"{stage_name}-Release"].resource("AWS::IAM::Role", "ServingReader")
    assert reader.get("RoleName") == name
    parameters = f"arn:aws:ssm:eu-west-1:{stage.account_id}:parameter/{stage_name}/*"
    assert {each.actions: each.resources for each in identity_statements(reader)} == {
        ("ecs:DescribeTaskDefinition",): ("*",),
        ("ssm:GetParameters",): (parameters,),
    }
    for stack_name in ("Web", "Workers"):
        services = _services(organization, stage_name, stack_name)
        added = _added(organization[f"{stage_name}-{stack_name}"], name)
        assert added == {("ecs:DescribeServices",): (services, {})}


@STAGES
def test_a_rollback_updates_these_services_with_their_own_roles_and_nothing_else(
    organization: Assembly, configuration: Configuration, stage_name: str
) -> None:
    stage = configuration.find_stage(stage_name)
    name = Names(configuration).rollback_role(stage.key)
    cluster = f"${{{stage_name}-Network/ClusterEB0386A7"
    on_cluster = {"ArnEquals": {"ecs:cluster": f"{cluster}.Arn}}"}}
    account = f"eu-west-1:{stage.account_id}"
    logs = {"Web": ("Web",), "Workers": ("Worker", "Beat")}
    for stack_name in ("Web", "Workers"):
        assert _added(organization[f"{stage_name}-{stack_name}"], name) == {
            ("ecs:DescribeServices", "ecs:UpdateService"): (
                _services(organization, stage_name, stack_name),
                {},
            ),
            ("iam:PassRole",): (
                _roles(organization, stage_name, stack_name),
                {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
            # Why a task stopped, of this cluster; what it wrote, of these services alone.
            ("ecs:ListTasks",): ({"*"}, on_cluster),
            ("ecs:DescribeTasks",): ({f"arn:aws:ecs:{account}:task/{cluster}}}/*"}, on_cluster),
            ("logs:GetLogEvents",): (
                {
                    f"arn:aws:logs:{account}:log-group:"
                    + organization[f"{stage_name}-{stack_name}"].parameter(f"/{stage_name}/{process}LogGroup")
                    + ":log-stream:*"
                    for process in logs[stack_name]
                },
                {},
            ),
        }


@STAGES
def test_no_stack_replaces_what_another_gave_the_same_role(organization: Assembly, stage_name: str) -> None:
    given = [
        (role if isinstance(role, str) else policy.stack.name, policy.text("PolicyName"))
        for stack in organization.in_stage(stage_name)
        for policy in stack.resources("AWS::IAM::Policy")
        for role in policy.get("Roles")
    ]
    named = [(role, name) for role, name in given if role.startswith("acme-")]
    assert len(named) == len(set(named)) == 4


@STAGES
def test_people_of_the_environments_own_account_may_roll_back_and_read_its_records(
    organization: Assembly, configuration: Configuration, stage_name: str
) -> None:
    stage = configuration.find_stage(stage_name)
    role = organization[f"{stage_name}-Release"].resource("AWS::IAM::Role", "Rollback")
    (statement,) = trust(role)
    assert statement.principals == (f"AWS:arn:aws:iam::{stage.account_id}:root",)
    release = organization[f"{stage_name}-Release"]
    group = release.parameter(f"/{stage_name}/ReleaseLogGroup")
    log = f"arn:aws:logs:eu-west-1:{stage.account_id}:log-group:{group}"
    bucket = "arn:aws:s3:::acme-releases-111111111111-eu-west-1"
    assert {each.actions: (set(each.resources), each.condition) for each in identity_statements(role)} == {
        ("ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"): ({"*"}, {}),
        ("logs:FilterLogEvents",): ({log, f"{log}:*"}, {}),
        ("s3:GetObject",): ({f"{bucket}/{stage_name}/*"}, {}),
        ("s3:ListBucket",): ({bucket}, {"StringLike": {"s3:prefix": f"{stage_name}/*"}}),
        ("ssm:GetParameters",): (
            {f"arn:aws:ssm:eu-west-1:{stage.account_id}:parameter/{stage_name}/*"},
            {},
        ),
    }


def test_an_environment_without_workers_has_both_roles_for_its_web_service(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.bare())
    stages = {stack.name.partition("-")[0] for stack in assembly.stacks.values() if "-Web" in stack.name}
    assert stages
    for stage_name in stages:
        policies = assembly[f"{stage_name}-Web"].resources("AWS::IAM::Policy")
        names = [each.get("Roles") for each in policies if isinstance(each.get("Roles", 0), str)]
        assert [name for (name,) in names if "rollback" in name or "serving-reader" in name]
        assert f"{stage_name}-Workers" not in assembly.stacks
