"""iam:PassRole, and the condition keys that the roles of a landing zone use."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.conftest import PRODUCTION, STAGING, TOOLING, Cloud

pytestmark = pytest.mark.rehearsal

TASKS = "ecs-tasks.amazonaws.com"
TEMPLATE = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})


def allow(cloud: Cloud, role_arn: str, *statements: dict[str, Any]) -> None:
    """Put a policy on a role of its account."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **item} for item in statements]}
    cloud.client("iam", role_arn.split(":")[4]).put_role_policy(
        RoleName=role_arn.rsplit("/", 1)[-1], PolicyName="p", PolicyDocument=json.dumps(document)
    )


def passing(role_arn: str, service: str) -> dict[str, Any]:
    condition = {"StringEquals": {"iam:PassedToService": service}}
    return {"Action": "iam:PassRole", "Resource": role_arn, "Condition": condition}


def test_a_task_gets_only_roles_that_the_caller_may_pass(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    task_role, starter = cloud.role(trust={"Service": TASKS}), cloud.role()
    ecs.create_cluster(clusterName="mine")
    ecs.register_task_definition(
        family="once",
        taskRoleArn=task_role,
        containerDefinitions=[{"name": "c", "image": "i", "memory": 128}],
    )
    anything = {"Action": "ecs:*", "Resource": "*"}
    limited = cloud.client("ecs", STAGING, credentials=cloud.session(starter))

    for statements in ([anything], [anything, passing(task_role, "lambda.amazonaws.com")]):
        allow(cloud, starter, *statements)
        with pytest.raises(ClientError, match=f"iam:PassRole on resource: {task_role}"):
            limited.run_task(cluster="mine", taskDefinition="once")
        with pytest.raises(ClientError, match="iam:PassRole"):
            limited.register_task_definition(family="other", taskRoleArn=task_role, containerDefinitions=[])

    allow(cloud, starter, anything, passing(task_role, TASKS))
    assert limited.run_task(cluster="mine", taskDefinition="once")["tasks"]


def test_a_stack_gets_only_a_role_that_the_caller_may_pass(cloud: Cloud) -> None:
    service = "cloudformation.amazonaws.com"
    executing, operator = cloud.role(trust={"Service": service}), cloud.role()
    anything = {"Action": "cloudformation:*", "Resource": "*"}
    allow(cloud, operator, anything)
    limited = cloud.client("cloudformation", STAGING, credentials=cloud.session(operator))

    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {executing}"):
        limited.create_stack(StackName="handed-over", TemplateBody=TEMPLATE, RoleARN=executing)

    allow(cloud, operator, anything, passing(executing, service))
    limited.create_stack(StackName="handed-over", TemplateBody=TEMPLATE, RoleARN=executing)
    assert cloud.stack("handed-over").status == "CREATE_COMPLETE"


@pytest.mark.parametrize("named", ["mine-too", f"arn:aws:ecs:eu-west-1:{STAGING}:cluster/mine-too"])
def test_a_role_for_one_cluster_starts_tasks_in_no_other(cloud: Cloud, named: str) -> None:
    ecs, starter = cloud.client("ecs"), cloud.role()
    for cluster in ("mine-too", "not-mine"):
        ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(
        family="any", containerDefinitions=[{"name": "c", "image": "i", "memory": 128}]
    )
    only = {"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:eu-west-1:{STAGING}:cluster/mine-too"}}
    allow(cloud, starter, {"Action": ["ecs:RunTask", "ecs:StopTask"], "Resource": "*", "Condition": only})
    limited = cloud.client("ecs", STAGING, credentials=cloud.session(starter))

    started = limited.run_task(cluster=named, taskDefinition="any")["tasks"][0]
    limited.stop_task(cluster=named, task=started["taskArn"])

    for other in ({"cluster": "not-mine"}, {}):
        with pytest.raises(ClientError, match="not authorized to perform: ecs:RunTask"):
            limited.run_task(taskDefinition="any", **other)


def test_a_role_is_assumed_by_its_tag(cloud: Cloud) -> None:
    caller = cloud.role(account=TOOLING)
    tagged, other = (cloud.role(account=PRODUCTION, trust={"AWS": caller}) for _ in range(2))
    tag = {"Key": "aws-cdk:bootstrap-role", "Value": "deploy"}
    cloud.client("iam", PRODUCTION).tag_role(RoleName=tagged.rsplit("/", 1)[-1], Tags=[tag])
    by_tag = {
        "ForAnyValue:StringEquals": {"iam:ResourceTag/aws-cdk:bootstrap-role": ["deploy", "file-publishing"]}
    }
    allow(cloud, caller, {"Action": "sts:AssumeRole", "Resource": "*", "Condition": by_tag})
    sts = cloud.client("sts", TOOLING, credentials=cloud.session(caller))

    sts.assume_role(RoleArn=tagged, RoleSessionName="test")

    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=other, RoleSessionName="test")
