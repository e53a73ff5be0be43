"""Every use of the internals of MiniStack's ECS and Route 53 that changes them (see `internals.py`)."""

import importlib
from collections.abc import Callable
from typing import Any

from rehearsal.emulator.internals import account, internal


def name_servers(find: Callable[[str, str], list[str]]) -> None:
    """Give each zone name servers of its own; MiniStack gives all the same.

    Args:
        find: (account id, name of the zone with its final dot) -> names of its servers with their final dots.
    """
    module = importlib.import_module("ministack.services.route53")
    describe, first_records = (
        internal("ministack.services.route53", name)
        for name in ("_build_delegation_set_el", "_default_records")
    )

    def described(parent: Any, zone: str) -> None:
        describe(parent, zone)
        servers = parent.find("DelegationSet/NameServers")
        for element, server in zip(servers, find(account(), zone), strict=True):
            element.text = server

    def recorded(zone: str) -> list[dict[str, Any]]:
        servers = find(account(), zone)
        made: list[dict[str, Any]] = first_records(zone)
        for record in made:
            if record["Type"] == "NS":
                record["ResourceRecords"] = list(servers)
            else:
                first = str(record["ResourceRecords"][0]).partition(" ")[2]
                record["ResourceRecords"] = [f"{servers[0]} {first}"]
        return made

    module._build_delegation_set_el = described  # type: ignore[attr-defined]
    module._default_records = recorded  # type: ignore[attr-defined]


def wrap_task_start(resolve: Callable[[Any, Any, Any], Any]) -> None:
    """Let something change a task's overrides just before its containers start; the task's record stays as it is.

    Args:
        resolve: (task, task definition, overrides of its containers) -> overrides; its ValueError stops the task.
    """
    module = importlib.import_module("ministack.services.ecs")
    start = internal("ministack.services.ecs", "_start_task_worker")
    failure = internal("ministack.services.ecs", "_SecretResolutionError")

    def started(task: Any, definition: Any, overrides: Any, *rest: Any) -> Any:
        try:
            complete = resolve(task, definition, overrides)
        except ValueError as error:
            raise failure(str(error)) from error
        return start(task, definition, complete, *rest)

    module._start_task_worker = started  # type: ignore[attr-defined]
