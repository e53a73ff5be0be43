"""Environment files of containers: ECS reads them from S3 with the task's execution role when it starts a container.

MiniStack takes them and does nothing with them. Here their variables reach the container, and the record of the task
keeps the file's ARN alone, as AWS's does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.emulator import internals_iam, internals_services
from rehearsal.emulator.calls import client

_TASKS_SERVICE = "ecs-tasks.amazonaws.com"
_ARN_START = "arn:aws:s3:::"

Overrides = Sequence[Mapping[str, Any]]


def install() -> None:
    """Stand before the start of every task."""
    internals_services.wrap_task_start(resolved)


def resolved(task: Mapping[str, Any], definition: Mapping[str, Any], overrides: Overrides) -> Overrides:
    """Put the variables of environment files into a task's overrides.

    Args:
        task: the task's record.
        definition: its task definition.
        overrides: what its containers override; the task's record is another object.

    Raises:
        ValueError: a file cannot be read; ECS stops the task with that reason.
    """
    given = {override["name"]: override for override in overrides}
    result = {name: dict(override) for name, override in given.items()}
    for container in definition.get("containerDefinitions", []):
        override = given.get(container["name"], {})
        files = override.get("environmentFiles") or container.get("environmentFiles") or []
        if not files:
            continue
        own = [*container.get("environment", []), *container.get("secrets", [])]
        chosen = list(override.get("environment", []))
        taken = {str(variable["name"]) for variable in (*own, *chosen)}
        role = str(definition.get("executionRoleArn", ""))
        found: dict[str, str] = {}
        for file in files:
            found |= read(str(file["value"]), role=role, task_arn=str(task["taskArn"]))
        # What the definition or the request sets itself comes before a file.
        more = [{"name": name, "value": value} for name, value in found.items() if name not in taken]
        result[container["name"]] = {"name": container["name"], **override, "environment": [*chosen, *more]}
    return list(result.values())


def read(arn: str, *, role: str, task_arn: str) -> dict[str, str]:
    """Read one file.

    Args:
        arn: ARN of the object.
        role: ARN of the execution role.
        task_arn: ARN of the task that it is for.

    Returns:
        Variable -> value.

    Raises:
        ValueError: the role does not let ECS use it or may not read the object, or there is none.
    """
    if not _is_trusted(role):
        raise ValueError(f"ECS was unable to assume the role '{role}' that was provided for this task")
    bucket, _, key = arn.removeprefix(_ARN_START).partition("/")
    if not arn.startswith(_ARN_START) or not key.endswith(".env"):
        raise ValueError(
            f"invalid environment file {arn}: it must be an object of S3 whose name ends in .env"
        )
    session = internals_iam.role_session(role, task_arn.rpartition("/")[2])
    try:
        body = client("s3", credentials=session).get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise ValueError(f"failed to download env files: file download command: {arn}: {code}") from error
    return parse(body.decode())


def parse(text: str) -> dict[str, str]:
    """Read the format: a variable each line, a sharp before a comment, nothing quoted and nothing escaped."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name.strip()] = value
    return found


def _is_trusted(role: str) -> bool:
    """Whether a role exists and lets ECS use it for tasks."""
    parts = role.split(":")
    if len(parts) < 6:  # noqa: PLR2004 -- arn:aws:iam::account:role/name
        return False
    record = internals_iam.role(parts[4], role.rpartition("/")[2])
    return record is not None and _TASKS_SERVICE in str(record["AssumeRolePolicyDocument"])
