"""Where an environment's release task runs, as its stacks published it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.naming import parameter_name
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

RELEASING, SERVING = "Release and OneOff", "Web and Workers"
"""Stacks that publish last what runs a task, and what names the services."""

# What the stacks publish under /<StageName>/; SSM gives ten at once.
PLACE_PARAMETERS = (
    "ClusterName",
    "ContainerName",
    "PrivateSubnetIds",
    "ReleaseLogGroup",
    "ReleaseSecurityGroupId",
    "ReleaseTaskDefinition",
)


@dataclass(frozen=True)
class TaskPlace:
    """Where and how the task runs, as the stacks published it.

    Args:
        cluster: name of the ECS cluster.
        definition: family of the task definition; its newest revision runs.
        subnets: ids of the private subnets.
        security_group: id of its security group.
        log_group: where it logs.
        container: name of its one container.
    """

    cluster: str
    definition: str
    subnets: tuple[str, ...]
    security_group: str
    log_group: str
    container: str


def find_parameters(
    ssm: "SSMClient", stage_name: str, names: Sequence[str]
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Read parameters by name: a policy names them the same way, which a path with its slash does not.

    Args:
        ssm: client of the workload account.
        stage_name: name of the CDK stage.
        names: last parts of their names; ten at most.

    Returns:
        Name -> value; and the whole names of those that do not exist.
    """
    known = {parameter_name(stage_name, name): name for name in names}
    answer = ssm.get_parameters(Names=list(known))
    values = {known[entry["Name"]]: entry["Value"] for entry in answer["Parameters"]}
    return values, tuple(sorted(answer.get("InvalidParameters", [])))


def read_parameters(
    ssm: "SSMClient", stage_name: str, names: Sequence[str], *, published_by: str
) -> Mapping[str, str]:
    """Read parameters of which none may be missing.

    Args:
        ssm: client of the workload account.
        stage_name: name of the CDK stage.
        names: last parts of their names; ten at most.
        published_by: the last stacks that publish some of them, as a person calls them.

    Returns:
        Name -> value.

    Raises:
        CommandError: some are missing; the message names them.
    """
    values, missing = find_parameters(ssm, stage_name, names)
    if missing:
        message = f"these parameters do not exist: {', '.join(missing)}"
        fix = f"deploy {stage_name} up to its stacks {published_by} first; the pipeline does"
        raise CommandError(message, fix=fix, exit_code=1)
    return values


def task_place(values: Mapping[str, str]) -> TaskPlace:
    """Return where the task runs.

    Args:
        values: the parameters in `PLACE_PARAMETERS`, at least.
    """
    return TaskPlace(
        cluster=values["ClusterName"],
        definition=values["ReleaseTaskDefinition"],
        subnets=tuple(values["PrivateSubnetIds"].split(",")),
        security_group=values["ReleaseSecurityGroupId"],
        log_group=values["ReleaseLogGroup"],
        container=values["ContainerName"],
    )
