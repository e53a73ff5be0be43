"""MiniStack's ECS: its task records, and the parts of it that were written for a Docker engine and change here.

As `rehearsal/emulator/internals.py`, this is the only place that knows them.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.emulator import internals, internals_iam
from rehearsal.emulator.calls import client
from rehearsal.engine.ministack import ECS, METADATA, get, put
from rehearsal.engine.stopping import wait_for_turn

_TASKS_SERVICE = "ecs-tasks.amazonaws.com"
_ARN_PARTS = 6


@dataclass(frozen=True)
class TaskRecord:
    """A task and one of its containers.

    Args:
        arn: ARN of the task.
        account: its account.
        region: its region.
        record: MiniStack's record of the task.
        definition: its task definition.
        container: the container's definition.
    """

    arn: str
    account: str
    region: str
    record: dict[str, Any]
    definition: Mapping[str, Any]
    container: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def task_role(self) -> str:
        """ARN of the role whose credentials it gets; empty if it has none."""
        return str(self._override("taskRoleArn") or "")

    @property
    def execution_role(self) -> str:
        """ARN of the role that pulls its image and reads its secrets."""
        return str(self._override("executionRoleArn") or "")

    @property
    def cpu_units(self) -> int:
        """CPU units of the container, or of the task if it has none of its own; 1024 are one vCPU."""
        return int(self._own_override("cpu") or self.container.get("cpu") or self._override("cpu") or 0)

    @property
    def memory_mib(self) -> int:
        """Memory limit of the container, or of the task if it has none of its own."""
        return int(
            self._own_override("memory") or self.container.get("memory") or self._override("memory") or 0
        )

    def note_size(self) -> None:
        """Let DescribeTasks tell the size that was asked for; MiniStack tells the definition's."""
        for name in ("cpu", "memory"):
            if size := self._override(name):
                self.record[name] = str(size)

    def _own_override(self, name: str) -> Any:
        every = (self.record.get("overrides") or {}).get("containerOverrides") or []
        return next((one.get(name) for one in every if one.get("name") == self.container["name"]), None)

    def _override(self, name: str) -> Any:
        return (self.record.get("overrides") or {}).get(name) or self.definition.get(name)


def find_task(arn: str, container: str) -> TaskRecord:
    """Find a task.

    Args:
        arn: ARN of the task.
        container: name of the container.
    """
    region, account = arn.split(":")[3:5]
    record = get(ECS, "_tasks").get_scoped(account, region, arn)
    with internals.scope(account, region):
        definition = get(ECS, "_task_defs").get(get(ECS, "_resolve_td_key")(record["taskDefinitionArn"]))
    containers = {item["name"]: item for item in definition["containerDefinitions"]}
    return TaskRecord(arn, account, region, record, definition, containers[container])


def execution_credentials(task: TaskRecord) -> Mapping[str, str]:
    """Return the credentials with which ECS prepares a task.

    Raises:
        PermissionError: it has no execution role, or the role does not let ECS use it.
    """
    return service_credentials(task.execution_role, f"ecs-{task.id}")


def service_credentials(role_arn: str, session: str) -> Mapping[str, str]:
    """Return the credentials that ECS gets from a role.

    Args:
        role_arn: the role.
        session: name of the session.

    Raises:
        PermissionError: there is no such role, or it does not trust ECS.
    """
    if not trusts(role_arn, _TASKS_SERVICE):
        raise PermissionError(
            f"ECS was unable to assume the role '{role_arn}' that was provided for this task"
        )
    return internals_iam.role_session(role_arn, session)


def trusts(role_arn: str, service: str) -> bool:
    """Whether a role exists and lets a service use it.

    Args:
        role_arn: the role.
        service: such as `ecs-tasks.amazonaws.com`.
    """
    parts = role_arn.split(":")
    role = internals_iam.role(parts[4], role_arn.rpartition("/")[2]) if len(parts) == _ARN_PARTS else None
    return role is not None and service in str(role["AssumeRolePolicyDocument"])


def metadata(path: str, address: Callable[[str], str]) -> tuple[int, bytes]:
    """Answer a request to the task metadata endpoint, version 4.

    Args:
        path: its path.
        address: ARN of a task -> its address; MiniStack knows none.
    """
    handle = get(METADATA, "handle_request")
    status, _, body = asyncio.run(handle("GET", path, {}, b"", {}))
    found = json.loads(body)
    for one in [found, *found.get("Containers", [])]:
        task = (one.get("Labels") or {}).get("com.amazonaws.ecs.task-arn")
        if task:
            one["Networks"] = [{"NetworkMode": "awsvpc", "IPv4Addresses": [address(task)]}]
    return status, json.dumps(found).encode()


def install(engine: Any) -> None:
    """Let ECS use the engine, and prepare tasks with the rights of their execution role.

    Args:
        engine: the Docker client.
    """
    put(ECS, "_get_docker", lambda: engine)
    put(ECS, "_resolve_container_secrets", _secrets_reader())
    put(ECS, "_make_deployment", _begun(get(ECS, "_make_deployment")))


def _begun(make: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Let a service's first deployment be in progress until its tasks run; MiniStack has it completed at once."""

    def deployment(*settings: Any, **named: Any) -> dict[str, Any]:
        return {**make(*settings, **named), "rolloutState": "IN_PROGRESS", "rolloutStateReason": ""}

    return deployment


def _secrets_reader() -> Callable[[Mapping[str, Any]], dict[str, str]]:
    """Replace the function that resolves a container's secrets, which asks nobody for leave."""
    start = get(ECS, "_start_task_worker")
    error = get(ECS, "_SecretResolutionError")
    current: dict[int, Mapping[str, Any]] = {}

    def started(task: Mapping[str, Any], definition: Mapping[str, Any], *rest: Any) -> Any:
        # The function below gets the container's definition alone; both run in the task's own thread.
        for container in definition.get("containerDefinitions", []):
            current[id(container)] = {"task": task, "definition": definition}
        try:
            wait_for_turn(task)
            return start(task, definition, *rest)
        finally:
            for container in definition.get("containerDefinitions", []):
                current.pop(id(container), None)

    def resolve(container: Mapping[str, Any]) -> dict[str, str]:
        if not container.get("secrets"):
            return {}
        known = current[id(container)]
        role = known["definition"].get("executionRoleArn", "")
        try:
            credentials = service_credentials(role, f"ecs-{known['task']['taskArn'].rpartition('/')[2]}")
            return read_secrets(container["secrets"], credentials)
        except (ClientError, PermissionError, KeyError, ValueError) as problem:
            raise error(str(problem)) from problem

    put(ECS, "_start_task_worker", started)
    return resolve


def read_secrets(secrets: list[Mapping[str, str]], credentials: Mapping[str, str]) -> dict[str, str]:
    """Read a container's secrets.

    Args:
        secrets: `name` and `valueFrom` of each: a secret's ARN, with `:key:stage:version` if need be, or the name or
            ARN of a parameter.
        credentials: the execution role's.

    Returns:
        Variable -> value.

    Raises:
        ClientError: one is not there, or the role may not read it.
        KeyError: the secret has no such key.
        ValueError: a key is wanted of a secret that is no JSON.
    """
    texts: dict[tuple[str, str, str], str] = {}
    found = {}
    for secret in secrets:
        source = secret["valueFrom"]
        if ":secretsmanager:" not in source:
            name = source.partition(":parameter")[2] or source
            answer = client("ssm", credentials=credentials).get_parameter(Name=name, WithDecryption=True)
            found[secret["name"]] = answer["Parameter"]["Value"]
            continue
        # arn:aws:secretsmanager:region:account:secret:name[:key[:stage[:version]]]
        parts = [*source.split(":"), "", "", ""]
        arn, key, stage, version = ":".join(parts[:7]), *parts[7:10]
        if (arn, stage, version) not in texts:
            request = {"SecretId": arn, "VersionStage": stage, "VersionId": version}
            answer = client("secretsmanager", credentials=credentials).get_secret_value(
                **{name: value for name, value in request.items() if value}
            )
            texts[arn, stage, version] = answer["SecretString"]
        text = texts[arn, stage, version]
        found[secret["name"]] = str(json.loads(text)[key]) if key else text
    return found
