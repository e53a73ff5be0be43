"""Why a service's tasks stopped: what ECS says of the last one that failed, and what it wrote at last."""

import math
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from operations.printable import printable
from operations.task_streams import log_options, log_stream

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient

LINES = 10
WIDEST_LINE = 400
_ENDED_BY_ITSELF = frozenset(
    {"EssentialContainerExited", "TaskFailedToStart"}
)  # ECS API Reference, Task.stopCode
_STOPPED = "STOPPED"
_UNHEALTHY = "health check"  # in the reason with which the scheduler stops such a task
# Up to the last @, for a password may hold an @ or a slash that nobody has encoded.
_PASSWORD_IN_URL = re.compile(r"(://[^:/@\s]*:)\S+@")
# DB_PASSWORD= and SECRET_KEY= too. libpq allows quotes around a value.
_NAMED_SECRET = re.compile(
    r"""((?:password|passwd|secret|token)\w{0,40}=)(?:'[^']*'|"[^"]*"|\S+)""", re.IGNORECASE
)
_LOOKED_AT = 4096  # characters of a line: the patterns' time grows with its square


@dataclass(frozen=True)
class StoppedContainer:
    """One container of a task that stopped.

    Args:
        name: its name.
        exit_code: None if it never ran, or has not ended yet.
        stopped: whether it has ended; a task that is to stop gives its containers their time.
        reason: what ECS says of it; often nothing.
        log: where it wrote.
        lines: what it wrote at last.
    """

    name: str
    exit_code: int | None
    stopped: bool
    reason: str
    log: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class StoppedTask:
    """The last task of a service that failed.

    Args:
        id: its id.
        stopped: when; None while it is stopping.
        definition: family and revision of its definition.
        reason: why, as ECS says it.
        containers: its containers.
        failures: number of tasks of the service that failed and that ECS still knows; it forgets them after an hour.
    """

    id: str
    stopped: datetime | None
    definition: str
    reason: str
    containers: tuple[StoppedContainer, ...]
    failures: int

    def told(self) -> tuple[str, ...]:
        """It in lines, for a person."""
        # boto3 gives times in the machine's zone.
        how = (
            f"stopped {self.stopped.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if self.stopped else "is stopping"
        )
        lines = [f"task {self.id} of {self.definition} {how}: {self.reason}"]
        if self.failures > 1:
            lines[0] += f" (the last of {self.failures} that failed within the hour)"
        for container in self.containers:
            reason = f", {container.reason}" if container.reason else ""
            lines.append(f"{container.name}: {_end(container)}{reason}; {container.log}")
            lines += [f"  {line}" for line in container.lines]
        return tuple(lines)


class StoppedTasks:
    """Looks at stopped tasks.

    Args:
        ecs: client of the workload account.
        logs: client of the workload account.
        cluster: name or ARN of the cluster.
    """

    def __init__(self, ecs: "ECSClient", logs: "CloudWatchLogsClient", cluster: str) -> None:
        self._ecs = ecs
        self._logs = logs
        self._cluster = cluster

    def last_failed(self, service: str, *, of: Container[str] | None = None) -> StoppedTask | None:
        """Find the last task of a service that ended by itself, never started or was unhealthy.

        Args:
            service: name or ARN of the service; it may be gone already.
            of: ARNs of the task definitions that count; all if left out.

        Returns:
            None if no task that ECS still knows failed.
        """
        name = service.rpartition("/")[2]
        return self._last(lambda other: other == name, of=of)

    def last_failed_of(self, stack: str, logical_id: str) -> StoppedTask | None:
        """Find the same for a service that a stack has made, by the name that CloudFormation gives it.

        Args:
            stack: name of the stack.
            logical_id: of the service; it may be gone already.
        """
        return self._last(lambda name: name.startswith(f"{stack}-{logical_id}-"))

    def _last(
        self, is_meant: Callable[[str], bool], *, of: Container[str] | None = None
    ) -> StoppedTask | None:
        failed = [
            task
            for task in self._stopped()
            if is_meant(task.get("group", "").removeprefix("service:"))
            and (of is None or task["taskDefinitionArn"] in of)
            and _has_failed(task)
        ]
        if not failed:
            return None
        last = max(failed, key=_ended)
        return StoppedTask(
            id=last["taskArn"].rpartition("/")[2],
            stopped=last.get("stoppedAt"),
            definition=last["taskDefinitionArn"].rpartition("/")[2],
            reason=last.get("stoppedReason", "no reason given"),
            containers=tuple(self._containers(last)),
            failures=len(failed),
        )

    def _stopped(self) -> Iterator[Any]:
        # Not asked by service: of one that was deleted ECS lists nothing. Tasks that are stopping are listed, too.
        pages = self._ecs.get_paginator("list_tasks").paginate(cluster=self._cluster, desiredStatus="STOPPED")
        for page in pages:
            if page["taskArns"]:
                yield from self._ecs.describe_tasks(cluster=self._cluster, tasks=page["taskArns"])["tasks"]

    def _containers(self, task: Mapping[str, Any]) -> Iterator[StoppedContainer]:
        options = log_options(self._ecs, task["taskDefinitionArn"])
        for container in task["containers"]:
            name, code = container["name"], container.get("exitCode")
            log, lines = self._log(log_stream(options.get(name, {}), name, task["taskArn"]))
            stopped = container.get("lastStatus") == _STOPPED
            yield StoppedContainer(name, code, stopped, container.get("reason", ""), log, lines)

    def _log(self, place: tuple[str, str] | None) -> tuple[str, tuple[str, ...]]:
        """Say where a container wrote, and give its last lines."""
        if place is None:
            return "it has no log in CloudWatch", ()
        group, stream = place
        try:
            answer = self._logs.get_log_events(logGroupName=group, logStreamName=stream, limit=LINES)
        except self._logs.exceptions.ResourceNotFoundException:
            return f"there is no log of it in {group}", ()
        except ClientError as error:
            return f"its log in {group} cannot be read: {error}", ()
        lines = shown([event["message"] for event in answer["events"]])
        return (f"at last, in {group}:" if lines else f"it wrote nothing to {group}"), lines


def _end(container: StoppedContainer) -> str:
    if container.exit_code is not None:
        return f"exit code {container.exit_code}"
    return "never ran" if container.stopped else "is stopping"


def _ended(task: Mapping[str, Any]) -> float:
    """When a task ended or began to, as a POSIX time; what ECS gives no time for is the newest."""
    moment: datetime | None = task.get("stoppedAt") or task.get("stoppingAt")
    return moment.timestamp() if moment else math.inf


def _has_failed(task: Mapping[str, Any]) -> bool:
    return task.get("stopCode") in _ENDED_BY_ITSELF or _UNHEALTHY in task.get("stoppedReason", "").lower()


def shown(messages: Sequence[str]) -> tuple[str, ...]:
    """Shorten an application's last lines, and make them fit for a terminal.

    Args:
        messages: what it wrote.
    """
    lines = [line for message in messages for line in message.splitlines() if line.strip()]
    hidden = [harmless(line) for line in lines[-LINES:]]
    return tuple(line if len(line) <= WIDEST_LINE else f"{line[:WIDEST_LINE]}..." for line in hidden)


def harmless(line: str) -> str:
    """Make an application's line fit for a terminal.

    Hidden are a password within an address, which drivers like to quote, and what follows `password=` and its like.

    Args:
        line: what it wrote; of a very long one only its beginning is kept, with three dots behind it.
    """
    kept = _NAMED_SECRET.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1***@", printable(line[:_LOOKED_AT])))
    return kept if len(line) <= _LOOKED_AT else f"{kept}..."
