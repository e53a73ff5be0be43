"""What a role needs to run the release task's family and to follow it, and nothing more."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from workloads.django.base import WorkloadStack
from workloads.django.containers import DjangoTask


def allow_running(scope: WorkloadStack, role: iam.Role, *, task: DjangoTask, cluster: ecs.ICluster) -> None:
    """Let a role run one task's family on one cluster, stop it, follow its log and read where it runs.

    Args:
        scope: the stack that holds the role.
        role: who may.
        task: the task; it has a family of its own name.
        cluster: the cluster.
    """
    on_cluster = {"ArnEquals": {"ecs:cluster": cluster.cluster_arn}}
    family = scope.format_arn(
        service="ecs", resource="task-definition", resource_name=f"{task.definition.family}:*"
    )
    tasks = scope.format_arn(service="ecs", resource="task", resource_name=f"{cluster.cluster_name}/*")
    # Not made from the group's own ARN, which ends in `:*` already.
    streams = scope.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{task.log_group.log_group_name}:log-stream:*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    parameters = scope.format_arn(
        service="ssm", resource="parameter", resource_name=f"{scope.stage_ref.stage_name}/*"
    )
    statements = (
        (["ecs:RunTask"], [family], on_cluster),
        (["ecs:DescribeTasks", "ecs:StopTask"], [tasks], on_cluster),
        (
            ["iam:PassRole"],
            [task.definition.task_role.role_arn, task.definition.obtain_execution_role().role_arn],
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        (["logs:GetLogEvents"], [streams], None),
        (["ssm:GetParameters"], [parameters], None),
    )
    for actions, resources, conditions in statements:
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions))
