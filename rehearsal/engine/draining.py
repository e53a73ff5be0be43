"""A task that has left its load balancer goes on for a moment: ECS tells it to stop when its target is deregistered."""

import time
from collections.abc import Mapping
from typing import Any

from rehearsal.engine.ministack import ALB, ECS, get

SEEN_SECONDS = 3.0
"""Until nothing new is sent to a target that has left: the door works by what it has read a second ago, and reading
takes its time on a busy machine. What the task still answers then, its own graceful stop has to finish; AWS waits for
it as long as the deregistration delay."""
_DELAY = "deregistration_delay.timeout_seconds"
_DEFAULT_SECONDS = 300.0  # AWS's own


def drain(task: Mapping[str, Any]) -> None:
    """Wait until no load balancer sends anything to a task any more, at most its deregistration delay.

    Args:
        task: the task, no target any more, of the account and region in progress.
    """
    cluster = get(ECS, "_cluster_name_from_arn")(task.get("clusterArn", ""))
    service = get(ECS, "_services").get(f"{cluster}/{str(task.get('group')).removeprefix('service:')}") or {}
    groups = [
        each["targetGroupArn"] for each in service.get("loadBalancers") or [] if "targetGroupArn" in each
    ]
    if groups:
        time.sleep(min(SEEN_SECONDS, max(map(_delay, groups))))


def _delay(group: str) -> float:
    attributes = get(ALB, "_tg_attrs").get(group) or []
    return next((float(each["Value"]) for each in attributes if each["Key"] == _DELAY), _DEFAULT_SECONDS)
