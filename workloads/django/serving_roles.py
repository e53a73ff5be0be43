"""The roles around what serves: one sees which image runs, one returns it to an earlier image.

The release stack makes them, so that they are there before anything serves; each stack that serves adds the rights on
its own services. Nothing of it crosses stacks but the roles' names.
"""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from config.naming import record_prefix
from workloads.django.base import WorkloadStack
from workloads.django.containers import DjangoTask


def make_serving_roles(scope: WorkloadStack, *, release: DjangoTask) -> None:
    """Make both roles of an environment.

    Args:
        scope: the release stack.
        release: its task; its log says which migrations ran in a release that did not end well.
    """
    _reader(scope)
    _rollback(scope, release)


def allow_return(scope: WorkloadStack, services: Mapping[ecs.FargateService, DjangoTask]) -> None:
    """Let the reader see these services, and the rollback role give them another revision of their task.

    Args:
        scope: the stack that serves; it deploys after the release stack.
        services: service -> its task.
    """
    arns = [service.service_arn for service in services]
    passed = [
        role.role_arn
        for task in services.values()
        for role in (task.definition.task_role, task.definition.obtain_execution_role())
    ]
    key = scope.stage_ref.key
    _add_policy(
        scope,
        "ServingReader",
        scope.names.serving_reader_role(key),
        iam.PolicyStatement(actions=["ecs:DescribeServices"], resources=arns),
    )
    _add_policy(
        scope,
        "Rollback",
        scope.names.rollback_role(key),
        iam.PolicyStatement(actions=["ecs:DescribeServices", "ecs:UpdateService"], resources=arns),
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=passed,
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        *_see_why_tasks_stopped(scope, services),
    )


def _see_why_tasks_stopped(
    scope: WorkloadStack, services: Mapping[ecs.FargateService, DjangoTask]
) -> tuple[iam.PolicyStatement, ...]:
    """Let a role see the stopped tasks of the services' cluster, and what these services' own tasks wrote."""
    cluster = next(iter(services)).cluster
    on_cluster = {"ArnEquals": {"ecs:cluster": cluster.cluster_arn}}
    tasks = scope.format_arn(service="ecs", resource="task", resource_name=f"{cluster.cluster_name}/*")
    streams = [
        # Not made from the group's own ARN, which ends in `:*` already.
        scope.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{task.log_group.log_group_name}:log-stream:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        for task in services.values()
    ]
    return (
        # Service Authorization Reference, Amazon ECS: ListTasks is bounded by its cluster, which is a condition.
        iam.PolicyStatement(actions=["ecs:ListTasks"], resources=["*"], conditions=on_cluster),
        iam.PolicyStatement(actions=["ecs:DescribeTasks"], resources=[tasks], conditions=on_cluster),
        iam.PolicyStatement(actions=["logs:GetLogEvents"], resources=streams),
    )


def _add_policy(
    scope: WorkloadStack, construct_id: str, role_name: str, *statements: iam.PolicyStatement
) -> None:
    # By its name: a reference to the role would let neither stack change without the other.
    role = iam.Role.from_role_name(scope, f"{construct_id}Role", role_name)
    iam.Policy(
        scope,
        f"{construct_id}Policy",
        # The CDK's own name is the same in every stack, and a second policy of a name replaces the first.
        policy_name=f"ServicesOf{scope.node.id}",
        roles=[role],
        statements=list(statements),
    )


def _reader(scope: WorkloadStack) -> None:
    """Make the role with which the pipeline's record step sees what runs."""
    key, tooling = scope.stage_ref.key, scope.configuration.accounts.tooling
    step_role_arn = scope.names.role_arn(tooling, scope.names.record_step_role(key))
    reader = iam.Role(
        scope,
        "ServingReader",
        role_name=scope.names.serving_reader_role(key),
        description=f"Sees which image the services of {key} run",
        # The account, narrowed by a condition: IAM refuses a role principal that does not exist yet.
        assumed_by=iam.AccountPrincipal(tooling).with_conditions(
            {"ArnEquals": {"aws:PrincipalArn": step_role_arn}}
        ),
    )
    reader.add_to_policy(_read_parameters(scope))
    reader.add_to_policy(_any_definition("ecs:DescribeTaskDefinition"))


def _rollback(scope: WorkloadStack, release: DjangoTask) -> None:
    """Make the role for people of this account whose permission set says so."""
    stage_ref = scope.stage_ref
    role = iam.Role(
        scope,
        "Rollback",
        role_name=scope.names.rollback_role(stage_ref.key),
        description=f"Returns {stage_ref.key} to an earlier image",
        assumed_by=iam.AccountPrincipal(stage_ref.account_id),
    )
    bucket = f"arn:{scope.names.partition}:s3:::{scope.names.records_bucket}"
    prefix = record_prefix(stage_ref.stage_name)
    log = scope.format_arn(
        service="logs",
        resource="log-group",
        resource_name=release.log_group.log_group_name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    for statement in (
        _read_parameters(scope),
        _any_definition("ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"),
        # AWS judges this on the group's ARN with a star behind it, whatever its reference says of the group's own.
        iam.PolicyStatement(actions=["logs:FilterLogEvents"], resources=[log, f"{log}:*"]),
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"{bucket}/{prefix}*"]),
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket],
            conditions={"StringLike": {"s3:prefix": f"{prefix}*"}},
        ),
    ):
        role.add_to_policy(statement)


def _read_parameters(scope: WorkloadStack) -> iam.PolicyStatement:
    parameters = scope.format_arn(
        service="ssm", resource="parameter", resource_name=f"{scope.stage_ref.stage_name}/*"
    )
    return iam.PolicyStatement(actions=["ssm:GetParameters"], resources=[parameters])


def _any_definition(*actions: str) -> iam.PolicyStatement:
    # Service Authorization Reference, Amazon ECS: these actions have no resource. What can be registered is bounded
    # by the roles that may be passed.
    return iam.PolicyStatement(actions=list(actions), resources=["*"])
