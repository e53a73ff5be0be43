"""Runs an environment's release task, as it is or with another command, and follows it to its end.

One way for the pipeline's release step and for people's one-off commands.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.errors import CommandError
from operations.task_place import TaskPlace
from operations.tasklogs import TaskLog

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskOverrideTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient

STREAM_PREFIX = "release"  # of the release stack's log driver
UNSEEN_SECONDS = 60.0  # ECS may not know a task at once that it has just started
STOP_SECONDS = 180.0  # the task definition gives the container 120 s to end, ECS some more to notice
QUIET_POLLS = 2  # the log's last lines may arrive after the task has stopped
NOT_STARTED = frozenset(
    {"PROVISIONING", "PENDING", "ACTIVATING"}
)  # ECS Developer Guide, "Task lifecycle states"


class TaskRun:
    """One run of the task.

    Args:
        ecs: client of the workload account.
        logs: client of the workload account.
        place: where it runs.
        title: what it is, such as `release task`.
        started_by: who started it, as ECS shows it.
        say: told what happens.
        show: told each line that the task logs.
        poll_seconds: time between two looks at the task.
    """

    def __init__(
        self,
        ecs: "ECSClient",
        logs: "CloudWatchLogsClient",
        place: TaskPlace,
        *,
        title: str,
        started_by: str,
        say: Callable[[str], None],
        show: Callable[[str], None],
        poll_seconds: float = 5.0,
    ) -> None:
        self._ecs = ecs
        self._logs = logs
        self._place = place
        self._title = title
        self._started_by = started_by
        self._say = say
        self._show = show
        self._poll_seconds = poll_seconds
        self._arn = ""
        self._status = ""

    def start(self, overrides: "TaskOverrideTypeDef | None" = None) -> str:
        """Start the task.

        Args:
            overrides: what differs from its definition.

        Returns:
            Its id.

        Raises:
            CommandError: ECS did not start it.
        """
        more: dict[str, Any] = {"overrides": overrides} if overrides else {}
        answer = self._ecs.run_task(
            cluster=self._place.cluster,
            taskDefinition=self._place.definition,
            launchType="FARGATE",
            count=1,
            startedBy=self._started_by,
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": list(self._place.subnets),
                    "securityGroups": [self._place.security_group],
                    "assignPublicIp": "DISABLED",
                }
            },
            **more,
        )
        if not answer["tasks"]:
            reasons = "; ".join(failure.get("reason", "no reason given") for failure in answer["failures"])
            message = f"ECS did not start the {self._title} {self._place.definition}: {reasons}"
            raise CommandError(message, fix="run it again if this is about capacity", exit_code=1)
        self._arn = answer["tasks"][0]["taskArn"]
        task_id = self._arn.rpartition("/")[2]
        self._say(f"started {self._place.definition} as task {task_id} on {self._place.cluster}")
        return task_id

    def wait_until_started(self) -> None:
        """Wait until ECS has read all that the container gets, or the task has ended before.

        Raises:
            CommandError: ECS does not know the task.
        """
        began = time.monotonic()
        try:
            while True:
                task = self._look(unseen_since=began)
                if task is not None and task["lastStatus"] not in NOT_STARTED:
                    return
                time.sleep(self._poll_seconds)
        except KeyboardInterrupt:
            self._stop("interrupted by the person or the build that started it")
            raise

    def follow(self, *, deadline_seconds: float | None = None) -> int:
        """Show the task's log and wait for its end.

        Args:
            deadline_seconds: after so long the task is stopped; never if left out.

        Returns:
            The exit code of its container.

        Raises:
            CommandError: its container never ran, or the deadline passed.
        """
        stream = f"{STREAM_PREFIX}/{self._place.container}/{self._arn.rpartition('/')[2]}"
        log = TaskLog(self._logs, self._place.log_group, stream)
        try:
            ended = self._watch(log, seconds=deadline_seconds)
            if ended is None and deadline_seconds is not None:
                reason = f"the {self._title} took longer than {deadline_seconds / 60:g} minutes"
                self._stop(reason)
                self._watch(log, seconds=STOP_SECONDS)
                raise CommandError(f"{reason} and was stopped", exit_code=1)
        except KeyboardInterrupt:
            self._stop("interrupted by the person or the build that started it")
            raise
        except (BotoCoreError, ClientError) as error:
            # Nobody would watch it any more, and a second try would meet it.
            with contextlib.suppress(BotoCoreError, ClientError):
                self._stop(f"it can not be followed any more: {error}")
            raise
        return self._exit_code(ended or {})

    def _watch(self, log: TaskLog, *, seconds: float | None) -> Mapping[str, Any] | None:
        """Show status and log until the task has stopped; None if the time ran out first."""
        began = time.monotonic()
        while True:
            task = self._look(unseen_since=began)
            self._show_new(log)
            if task is not None and task["lastStatus"] == "STOPPED":
                for _ in range(QUIET_POLLS):
                    time.sleep(self._poll_seconds)
                    self._show_new(log)
                return task
            if seconds is not None and time.monotonic() - began >= seconds:
                return None
            time.sleep(self._poll_seconds)

    def _look(self, *, unseen_since: float) -> Mapping[str, Any] | None:
        """Describe the task and tell its new status; None while ECS does not know it."""
        answer = self._ecs.describe_tasks(cluster=self._place.cluster, tasks=[self._arn])
        if answer["tasks"]:
            task = answer["tasks"][0]
            if task["lastStatus"] != self._status:
                self._status = task["lastStatus"]
                self._say(f"task is {self._status}")
            return task
        if time.monotonic() - unseen_since >= UNSEEN_SECONDS:
            message = f"ECS does not know the task {self._arn} that it started"
            raise CommandError(message, exit_code=1)
        return None

    def _show_new(self, log: TaskLog) -> None:
        for line in log.new_lines():
            self._show(line)

    def _stop(self, reason: str) -> None:
        self._say(f"stopping the task: {reason}")
        self._ecs.stop_task(cluster=self._place.cluster, task=self._arn, reason=reason)

    def _exit_code(self, task: Mapping[str, Any]) -> int:
        """Tell how the task ended.

        Raises:
            CommandError: its container never ran.
        """
        containers = {container["name"]: container for container in task.get("containers", [])}
        container = containers.get(self._place.container, {})
        reason = task.get("stoppedReason", "no reason given")
        detail = f"{reason}; {container['reason']}" if container.get("reason") else reason
        if container.get("exitCode") is None:
            message = f"the {self._title} stopped before its container ran: {detail}"
            raise CommandError(message, exit_code=1)
        self._say(f"the {self._title} ended with exit code {container['exitCode']} ({detail})")
        return int(container["exitCode"])
