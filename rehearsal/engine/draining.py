"""The requests that targets are answering: a task that leaves its load balancer is not told to stop in their middle."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rehearsal.engine.ministack import ALB, ECS, get

_DELAY = "deregistration_delay.timeout_seconds"
_DEFAULT_SECONDS = 300.0  # AWS's own


class InFlight:
    """Counts requests by the address that answers them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._changed = threading.Condition()

    def begin(self, address: str) -> None:
        """Count a request that is sent to an address."""
        with self._changed:
            self._counts[address] += 1

    def end(self, address: str) -> None:
        """Count a request as answered, or given up."""
        with self._changed:
            self._counts[address] -= 1
            if self._counts[address] <= 0:
                del self._counts[address]
                self._changed.notify_all()

    def wait(self, address: str, seconds: float) -> bool:
        """Wait until an address answers nothing any more.

        Args:
            address: IP address.
            seconds: the longest wait.

        Returns:
            Whether all was answered.
        """
        with self._changed:
            return self._changed.wait_for(lambda: address not in self._counts, timeout=seconds)


def drain(task: Mapping[str, Any], in_flight: InFlight) -> None:
    """Wait for the requests that a task of a service still answers, at most its groups' deregistration delay.

    ECS tells a task to stop when its target has left the load balancer, and a target leaves at once if nothing is
    under way.

    Args:
        task: the task, no target any more, of the account and region in progress.
        in_flight: the requests.
    """
    cluster = get(ECS, "_cluster_name_from_arn")(task.get("clusterArn", ""))
    service = get(ECS, "_services").get(f"{cluster}/{str(task.get('group')).removeprefix('service:')}") or {}
    groups = [
        each["targetGroupArn"] for each in service.get("loadBalancers") or [] if "targetGroupArn" in each
    ]
    if groups:
        in_flight.wait(get(ECS, "_task_ip")(task), max(map(_delay, groups)))


def _delay(group: str) -> float:
    attributes = get(ALB, "_tg_attrs").get(group) or []
    return next((float(each["Value"]) for each in attributes if each["Key"] == _DELAY), _DEFAULT_SECONDS)
