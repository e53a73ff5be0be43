"""How tasks end: a request to stop is answered at once, the processes get their time, and their exit codes are kept.

MiniStack writes exit code 0 and "stopped" first and then waits for the containers, a few seconds for each.
"""

import datetime
import threading
import time
from collections.abc import Mapping, MutableMapping
from typing import Any

from rehearsal.engine.client import Client
from rehearsal.engine.containers import Container
from rehearsal.engine.draining import drain
from rehearsal.engine.ministack import CONCURRENCY, ECS, METADATA, get, put

STOPPING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING")
_OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
_FREE_FAILURES = 3  # as many as a deployment's circuit breaker counts at least
_LATELY_SECONDS = 300.0
_LONGEST_PAUSE_SECONDS = 60.0
_PREDECESSOR_SECONDS = 150.0  # above the longest stopTimeout of Fargate, 120 s

Task = MutableMapping[str, Any]


class Stopping:
    """Stops tasks.

    Args:
        engine: has their containers.
    """

    def __init__(self, engine: Client) -> None:
        self._engine = engine
        self._clean_up = get(ECS, "_cleanup_task_resources")
        self._mark_stopped = get(ECS, "_mark_task_stopped")
        self._stop = get(ECS, "_stop_task")

    def install(self) -> None:
        """Take over."""
        put(ECS, "_stop_task", self.stop_for_service)
        put(ECS, "_cleanup_task_resources", self.clean_up)
        put(ECS, "_mark_task_stopped", self.mark_stopped)
        get(ECS, "_ACTION_MAP")["StopTask"] = lambda sent: self._begin(sent, "UserInitiated")

    def stop_for_service(self, sent: Mapping[str, Any]) -> Any:
        """StopTask, as the service scheduler calls it."""
        return self._begin(sent, "ServiceSchedulerInitiated")

    def _begin(self, sent: Mapping[str, Any], code: str) -> Any:
        cluster = get(ECS, "_resolve_cluster_name")(sent.get("cluster", "default"))
        task = get(ECS, "_resolve_task")(sent.get("task", ""), cluster) if cluster else None
        if task is None:
            return self._stop(sent)  # answers with the right error
        reason = str(sent.get("reason") or "Task stopped by user")
        with get(CONCURRENCY, "resource_lock")("ecs-task", task["taskArn"]):
            begins = get(ECS, "_task_is_active")(task["taskArn"], task)
            if begins:
                get(ECS, "_bump_task_version")(task)
                task["desiredStatus"] = "STOPPED"
                task["stoppingAt"] = get(ECS, "_iso")()
                task["stopCode"], task["stoppedReason"] = code, reason
                task["lastStatus"] = STOPPING[0]  # no target of its load balancer any more
        if begins:
            get(METADATA, "set_task_status")(task["taskArn"], desired_status="STOPPED")
            _refresh(task)
            get(CONCURRENCY, "spawn_background")(self._finish, task, thread_name="stop-task")
        return get(ECS, "json_response")({"task": get(ECS, "_sanitize")(task)})

    def _finish(self, task: Task) -> None:
        """Stop the containers, all at once, when the load balancer is done with them; record how they ended."""
        drain(task)
        task["lastStatus"] = STOPPING[1]
        containers = self._containers(task)
        stops = [threading.Thread(target=container.stop, daemon=True) for container in containers.values()]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        with get(CONCURRENCY, "resource_lock")("ecs-task", task["taskArn"]):
            for index, record in enumerate(task["containers"]):
                record["lastStatus"] = "STOPPED"
                if index in containers:
                    record["exitCode"] = containers[index].wait()["StatusCode"]
            task["executionStoppedAt"] = task["stoppedAt"] = get(ECS, "_iso")()
            for status in (STOPPING[2], "STOPPED"):
                get(ECS, "_bump_task_version")(task)
                task["lastStatus"] = status
        get(METADATA, "set_task_status")(task["taskArn"], known_status="STOPPED")
        get(METADATA, "set_all_container_status")(task["taskArn"], "STOPPED")
        self.clean_up(task)
        _refresh(task)

    def _containers(self, task: Task) -> dict[int, Container]:
        """Index in the task's record -> container; one that never started has none."""
        return {
            index: self._engine.containers.get(identifier)
            for index, identifier in enumerate(task.get("_docker_ids") or [])
        }

    def clean_up(self, task: Task, _client: object = None, extra_container: Container | None = None) -> None:
        """Remove a task's containers in the background: those that still run get their time.

        MiniStack waits for each, and leaves them running where an essential one has ended.
        """
        containers = list(self._containers(task).values())
        if extra_container is not None and extra_container not in containers:
            containers.append(extra_container)
        self._clean_up(task, None)
        for container in containers:
            get(CONCURRENCY, "spawn_background")(container.remove, thread_name="remove-container")

    def mark_stopped(
        self, task_arn: str, task: Task, reason: str, stop_code: str, exit_code: int | None = None
    ) -> bool:
        """Say of a container that it needed too much memory, as ECS does; the rest is MiniStack's."""
        for index, container in self._containers(task).items():
            if container.process is not None and container.process.out_of_memory:
                task["containers"][index]["reason"] = _OUT_OF_MEMORY
        # One container's exit code is not that of the others.
        known = exit_code if len(task.get("containers", [])) == 1 else None
        stopped: bool = self._mark_stopped(task_arn, task, reason, stop_code, exit_code=known)
        return stopped


def wait_for_turn(task: Mapping[str, Any]) -> None:
    """Wait before a task of a service starts, as ECS's scheduler does and MiniStack's does not.

    Tasks that fail again and again are started more and more rarely. Tasks that are stopping count against
    maximumPercent: there must not be two of a singleton.

    Args:
        task: the task, of the account and region in progress.
    """
    group = str(task.get("group") or "")
    if not group.startswith("service:"):
        return
    others = [
        other
        for other in list(get(ECS, "_tasks").values())
        if other.get("group") == group and other.get("clusterArn") == task["clusterArn"]
    ]
    failures = sum(1 for other in others if _failed_lately(other))
    if failures >= _FREE_FAILURES:
        time.sleep(min(_LONGEST_PAUSE_SECONDS, 2.0 ** (failures - _FREE_FAILURES)))
    cluster = get(ECS, "_cluster_name_from_arn")(task["clusterArn"])
    service = get(ECS, "_services").get(f"{cluster}/{group.removeprefix('service:')}") or {}
    if int((service.get("deploymentConfiguration") or {}).get("maximumPercent", 200)) > 100:  # noqa: PLR2004
        return
    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    while time.monotonic() < deadline and any(other.get("lastStatus") in STOPPING for other in others):
        time.sleep(0.1)


def _failed_lately(task: Mapping[str, Any]) -> bool:
    if task.get("stopCode") not in ("EssentialContainerExited", "TaskFailedToStart") or not task.get(
        "stoppedAt"
    ):
        return False
    stopped = datetime.datetime.fromisoformat(str(task["stoppedAt"]))
    return (datetime.datetime.now(datetime.UTC) - stopped).total_seconds() < _LATELY_SECONDS


def _refresh(task: Mapping[str, Any]) -> None:
    """Let cluster and service count their tasks anew, and the service register its targets."""
    cluster = get(ECS, "_cluster_name_from_arn")(task.get("clusterArn", ""))
    if cluster:
        get(ECS, "_recount_cluster")(cluster)
        get(ECS, "_refresh_service_state")(cluster, task.get("group", ""))


def stop_unhealthy(task: Mapping[str, Any], reason: str) -> None:
    """Stop a service's task as its scheduler does when a health check fails, and start another.

    Args:
        task: the task, of the account and region in progress.
        reason: why, as ECS says it.
    """
    cluster = get(ECS, "_cluster_name_from_arn")(task["clusterArn"])
    service = str(task.get("group", "")).removeprefix("service:")
    get(ECS, "_stop_task")({"task": task["taskArn"], "cluster": cluster, "reason": reason})
    get(ECS, "_record_service_task_failure")(task)
    get(ECS, "_reconcile_service_tasks")(cluster, f"{cluster}/{service}")
