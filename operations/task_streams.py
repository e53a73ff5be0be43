"""Where the containers of a task write, as its definition says it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient


def log_options(ecs: "ECSClient", definition: str) -> Mapping[str, Mapping[str, str]]:
    """Return container -> options of its log driver; none where it has no log.

    Args:
        ecs: client of the workload account.
        definition: ARN of the task definition.
    """
    answer = ecs.describe_task_definition(taskDefinition=definition)
    return {
        container["name"]: container.get("logConfiguration", {}).get("options", {})
        for container in answer["taskDefinition"]["containerDefinitions"]
    }


def log_stream(options: Mapping[str, str], container: str, task_arn: str) -> tuple[str, str] | None:
    """Return the group and the stream of a container's log in CloudWatch; None if it has none there.

    The driver `awslogs` names a stream so: Amazon ECS Developer Guide, "Send Amazon ECS logs to CloudWatch".

    Args:
        options: of its log driver.
        container: its name.
        task_arn: ARN of its task.
    """
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    if group is None or prefix is None:
        return None
    return group, f"{prefix}/{container}/{task_arn.rpartition('/')[2]}"
