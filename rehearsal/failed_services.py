"""Why the tasks of a service failed, for the report of a rehearsal: it takes tasks and logs down with it."""

from dataclasses import replace

from operations.stopped_tasks import StoppedContainer, StoppedTasks, shown
from rehearsal.emulator import Emulator
from rehearsal.engine.tasks import last_words_file

SERVICE = "AWS::ECS::Service"


def why_tasks_stopped(
    emulator: Emulator, account: str, region: str, *, stack: str, logical_id: str
) -> tuple[str, ...]:
    """Say how the last task of a service that failed has ended, as the account's root.

    Args:
        emulator: the running emulator.
        account: the service's account.
        region: its region.
        stack: name of its stack.
        logical_id: of the service; it may be gone already, as after a first deployment that was rolled back.

    Returns:
        Lines for a person; none if no task failed.
    """
    ecs, logs = (emulator.client(name, account, region) for name in ("ecs", "logs"))
    for cluster in ecs.list_clusters()["clusterArns"]:
        failed = StoppedTasks(ecs, logs, cluster).last_failed_of(stack, logical_id)
        if failed is not None:
            containers = tuple(_with_last_words(emulator, failed.id, one) for one in failed.containers)
            return replace(failed, containers=containers).told()
    return ()


def _with_last_words(emulator: Emulator, task_id: str, container: StoppedContainer) -> StoppedContainer:
    """Give a container whose log is gone the end that the engine has kept of it."""
    file = last_words_file(emulator.directory, task_id, container.name)
    if container.lines or not file.is_file():
        return container
    lines = shown(file.read_text(encoding="utf-8", errors="replace").splitlines())
    return replace(container, log="its log is gone; at last:", lines=lines)
