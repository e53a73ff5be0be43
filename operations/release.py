"""Runs an environment's release task and follows it to its end; its exit code decides."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.naming import parameter_name
from operations.errors import CommandError
from operations.tasklogs import TaskLog

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_ssm import SSMClient

# What the stacks publish under /<StageName>/; SSM gives ten at once.
PARAMETERS = (
    "ClusterName",
    "ContainerName",
    "PrivateSubnetIds",
    "ReleaseLogGroup",
    "ReleaseSecurityGroupId",
    "ReleaseTaskDefinition",
)
STARTED_BY = "lz-release"
STREAM_PREFIX = "release"  # of the release stack's log driver
UNSEEN_SECONDS = 60.0  # ECS may not know a task at once that it has just started
STOP_SECONDS = 180.0  # the task definition gives the container 120 s to end, ECS some more to notice
QUIET_POLLS = 2  # the log's last lines may arrive after the task has stopped


@dataclass(frozen=True)
class ReleaseTask:
    """Where and how the release task runs, as the stacks published it.

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


def read_release_task(ssm: "SSMClient", stage_name: str) -> ReleaseTask:
    """Read the task's parameters by name: a policy names them the same way, which a path with its slash does not.

    Args:
        ssm: client of the workload account.
        stage_name: name of the CDK stage.

    Raises:
        CommandError: a parameter is missing; the message names it.
    """
    names = {parameter_name(stage_name, name): name for name in PARAMETERS}
    answer = ssm.get_parameters(Names=list(names))
    missing = answer.get("InvalidParameters", [])
    if missing:
        message = f"these parameters do not exist: {', '.join(sorted(missing))}"
        fix = f"deploy {stage_name} up to its stack Release first; the pipeline does"
        raise CommandError(message, fix=fix, exit_code=1)
    values = {names[entry["Name"]]: entry["Value"] for entry in answer["Parameters"]}
    return ReleaseTask(
        cluster=values["ClusterName"],
        definition=values["ReleaseTaskDefinition"],
        subnets=tuple(values["PrivateSubnetIds"].split(",")),
        security_group=values["ReleaseSecurityGroupId"],
        log_group=values["ReleaseLogGroup"],
        container=values["ContainerName"],
    )


class Release:
    """One run of the task.

    Args:
        ecs: client of the workload account.
        logs: client of the workload account.
        task: what to run.
        say: told what happens and what the task logs.
        poll_seconds: time between two looks at the task.
    """

    def __init__(
        self,
        ecs: "ECSClient",
        logs: "CloudWatchLogsClient",
        task: ReleaseTask,
        *,
        say: Callable[[str], None],
        poll_seconds: float = 5.0,
    ) -> None:
        self._ecs = ecs
        self._logs = logs
        self._task = task
        self._say = say
        self._poll_seconds = poll_seconds

    def run(self, *, deadline_seconds: float) -> int:
        """Start the task and wait for its end.

        Args:
            deadline_seconds: after so long the task is stopped.

        Returns:
            The exit code of its container.

        Raises:
            CommandError: the task could not start, its container never ran, or the deadline passed.
        """
        arn = self._start()
        task_id = arn.rpartition("/")[2]
        self._say(f"started {self._task.definition} as task {task_id} on {self._task.cluster}")
        log = TaskLog(self._logs, self._task.log_group, f"{STREAM_PREFIX}/{self._task.container}/{task_id}")
        try:
            ended = self._follow(arn, log, seconds=deadline_seconds)
            if ended is None:
                self._stop(arn, f"the release took longer than {deadline_seconds / 60:g} minutes")
                self._follow(arn, log, seconds=STOP_SECONDS)
                message = f"the release took longer than {deadline_seconds / 60:g} minutes and was stopped"
                raise CommandError(message, exit_code=1)
        except KeyboardInterrupt:
            self._stop(arn, "interrupted by the person or the build that started it")
            raise
        return self._exit_code(ended)

    def _start(self) -> str:
        answer = self._ecs.run_task(
            cluster=self._task.cluster,
            taskDefinition=self._task.definition,
            launchType="FARGATE",
            count=1,
            startedBy=STARTED_BY,
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": list(self._task.subnets),
                    "securityGroups": [self._task.security_group],
                    "assignPublicIp": "DISABLED",
                }
            },
        )
        if not answer["tasks"]:
            reasons = "; ".join(failure.get("reason", "no reason given") for failure in answer["failures"])
            message = f"ECS did not start the task {self._task.definition}: {reasons}"
            raise CommandError(message, fix="run the step again if this is about capacity", exit_code=1)
        return answer["tasks"][0]["taskArn"]

    def _follow(self, arn: str, log: TaskLog, *, seconds: float) -> Mapping[str, Any] | None:
        """Show status and log until the task has stopped; None if the time ran out first."""
        started = time.monotonic()
        status = ""
        while True:
            task = self._describe(arn, unseen_since=started)
            if task is not None and task["lastStatus"] != status:
                status = task["lastStatus"]
                self._say(f"task is {status}")
            self._show(log)
            if task is not None and status == "STOPPED":
                for _ in range(QUIET_POLLS):
                    time.sleep(self._poll_seconds)
                    self._show(log)
                return task
            if time.monotonic() - started >= seconds:
                return None
            time.sleep(self._poll_seconds)

    def _describe(self, arn: str, *, unseen_since: float) -> Mapping[str, Any] | None:
        answer = self._ecs.describe_tasks(cluster=self._task.cluster, tasks=[arn])
        if answer["tasks"]:
            return answer["tasks"][0]
        if time.monotonic() - unseen_since >= UNSEEN_SECONDS:
            message = f"ECS does not know the task {arn} that it started"
            raise CommandError(message, exit_code=1)
        return None

    def _show(self, log: TaskLog) -> None:
        for line in log.new_lines():
            self._say(f"  {line}")

    def _stop(self, arn: str, reason: str) -> None:
        self._say(f"stopping the task: {reason}")
        self._ecs.stop_task(cluster=self._task.cluster, task=arn, reason=reason)

    def _exit_code(self, task: Mapping[str, Any]) -> int:
        """Tell how the task ended.

        Raises:
            CommandError: its container never ran.
        """
        containers = {container["name"]: container for container in task.get("containers", [])}
        container = containers.get(self._task.container, {})
        reason = task.get("stoppedReason", "no reason given")
        detail = f"{reason}; {container['reason']}" if container.get("reason") else reason
        if container.get("exitCode") is None:
            message = f"the release task stopped before its container ran: {detail}"
            raise CommandError(message, exit_code=1)
        self._say(f"the release task ended with exit code {container['exitCode']} ({detail})")
        return int(container["exitCode"])
