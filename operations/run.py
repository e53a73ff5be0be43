"""A one-off command in an environment: what of its task differs, and how a secret value gets into it."""

import contextlib
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.fargate import MEMORY_OF_CPU, cpu_for, memory_for
from config.naming import ONE_OFF_PREFIX
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ContainerOverrideTypeDef, TaskOverrideTypeDef
    from mypy_boto3_s3 import S3Client

STARTED_BY = "lz-run"
LARGEST_OVERRIDES = 8192  # characters; Amazon ECS API Reference, TaskOverride
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LOOKS_SECRET = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|_KEY$", re.IGNORECASE
)


@dataclass(frozen=True)
class OneOff:
    """A command and what it gets.

    Args:
        command: argument list; it reaches the container as it is, without a shell.
        variables: environment variables that anybody may see.
        secrets: environment variables that nobody may see.
        cpu: CPU units; the task's own if None.
        memory: MiB; the task's own if None.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    cpu: int | None = None
    memory: int | None = None


def split_variables(given: Sequence[str]) -> dict[str, str]:
    """Read `NAME=VALUE` pairs.

    Args:
        given: as they were typed.

    Raises:
        CommandError: one has no value or a name that no shell takes.
    """
    found: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            message = f'"{name}" has no value'
            raise CommandError(
                message, fix=f"write --env-var {name}=VALUE, or --secret-env {name} to be asked for it"
            )
        found[checked_name(name)] = value
    return found


def checked_name(name: str) -> str:
    """Return the name of an environment variable.

    Raises:
        CommandError: it is none.
    """
    if VARIABLE.fullmatch(name) is None:
        message = f'"{name}" is not the name of an environment variable'
        raise CommandError(message, fix="use letters, digits and underscores, and no digit first")
    return name


def refuse_taken(one_off: OneOff, *, variables: Sequence[str], secrets: Sequence[str]) -> None:
    """Refuse variables that would not reach the command, or would replace a secret of the environment.

    Args:
        one_off: the command.
        variables: the task's own variables; an environment file does not replace them.
        secrets: the task's own secrets.

    Raises:
        CommandError: one is taken.
    """
    for name in one_off.secrets:
        if name in variables or name in secrets:
            message = f"{name} is set in the environment already, and a secret value cannot replace it"
            raise CommandError(message, fix="give the value under a name that is not taken")
    for name in one_off.variables:
        if name in secrets:
            message = f"{name} is a secret of the environment, and a command cannot replace it"
            raise CommandError(message, fix="give the value under a name that is not taken")


def size(cpu: int | None, memory: int | None) -> tuple[int | None, int | None]:
    """Complete a task's size.

    Args:
        cpu: CPU units, or None.
        memory: MiB, or None.

    Returns:
        Both, or two times None; the one that was left out is the smallest that goes with the other.

    Raises:
        CommandError: Fargate does not offer it.
    """
    if cpu is None and memory is None:
        return None, None
    if cpu is None:
        assert memory is not None  # noqa: S101 -- the case above
        fitting = cpu_for(memory)
        if not fitting:
            message = f"Fargate offers no task with {memory} MiB"
            raise CommandError(message, fix=f"with 1024 CPU units, choose {memory_for(1024)} MiB")
        return fitting[0], memory
    if cpu not in MEMORY_OF_CPU:
        message = f"Fargate offers no task with {cpu} CPU units"
        raise CommandError(message, fix=f"choose one of {', '.join(map(str, MEMORY_OF_CPU))}")
    if memory is not None and memory not in MEMORY_OF_CPU[cpu]:
        message = f"Fargate offers no task with {cpu} CPU units and {memory} MiB"
        raise CommandError(message, fix=f"with {cpu} CPU units, choose {memory_for(cpu)} MiB")
    return cpu, memory or MEMORY_OF_CPU[cpu][0]


def overrides(one_off: OneOff, *, container: str, file_arn: str | None) -> "TaskOverrideTypeDef":
    """Return what of the task differs. No secret value is in it: CloudTrail and DescribeTasks show all of it.

    Args:
        one_off: the command.
        container: name of the task's container.
        file_arn: the environment file with the secret values, if there are any.

    Raises:
        CommandError: it is longer than ECS takes.
    """
    changed: ContainerOverrideTypeDef = {"name": container, "command": list(one_off.command)}
    if one_off.variables:
        changed["environment"] = [{"name": name, "value": value} for name, value in one_off.variables.items()]
    if file_arn is not None:
        changed["environmentFiles"] = [{"value": file_arn, "type": "s3"}]
    result: TaskOverrideTypeDef = {"containerOverrides": [changed]}
    if one_off.cpu is not None:
        result |= {"cpu": str(one_off.cpu), "memory": str(one_off.memory)}
    if len(str(result)) > LARGEST_OVERRIDES:
        message = f"command and variables are longer than the {LARGEST_OVERRIDES} characters that ECS takes"
        raise CommandError(
            message, fix="put what is long into the image, or into the database or S3 and read it there"
        )
    return result


def environment_file(values: Mapping[str, str]) -> bytes:
    """Return variables in the format of an environment file: a line each, nothing quoted, nothing escaped.

    Raises:
        CommandError: a value has more than one line, which the format cannot say.
    """
    for name, value in values.items():
        if re.search(r"[\r\n\0]", value):
            message = f"the value of {name} has more than one line, and an environment file cannot hold that"
            raise CommandError(
                message, fix="encode it, with base64 for instance, and decode it in the command"
            )
    return "".join(f"{name}={value}\n" for name, value in values.items()).encode()


@contextlib.contextmanager
def secret_file(
    s3: "S3Client", bucket: str, values: Mapping[str, str], *, partition: str
) -> Iterator[str | None]:
    """Hold secret values in an environment file while the body runs.

    Args:
        s3: client of the workload account.
        bucket: bucket that the task's execution role alone may read.
        values: variable -> value; without any, no file is made.
        partition: AWS partition.

    Yields:
        Its ARN, or None.

    Raises:
        CommandError: a value does not fit into a file.
    """
    if not values:
        yield None
        return
    content = environment_file(values)
    key = f"{ONE_OFF_PREFIX}{uuid.uuid4().hex}.env"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    try:
        yield f"arn:{partition}:s3:::{bucket}/{key}"
    finally:
        s3.delete_object(Bucket=bucket, Key=key)
