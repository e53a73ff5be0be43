"""MiniStack's load balancers: targets have a health of their own, and services depend on it."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from rehearsal.emulator import internals
from rehearsal.engine.health import HEALTHY, HealthChecker, State, Target
from rehearsal.engine.ministack import ALB, APP, ECS, get, put
from rehearsal.engine.stopping import stop_unhealthy

_HEALTHY_SECONDS = 300.0  # how long a deployment waits for a task to become healthy
_POLL_SECONDS = 0.2
BY_NAME = "/_alb/"
"""MiniStack's path to a load balancer: this, its name, and the path to ask it for."""


def install() -> None:
    """Check targets, send requests to healthy ones, and let deployments wait for them."""
    checker = HealthChecker(_registered, _replace)
    get(ALB, "_ACTION_MAP")["DescribeTargetHealth"] = _described(checker)
    put(ALB, "_forward_to_tg", _to_healthy(checker))
    put(ECS, "_record_service_task_healthy", _when_healthy(checker))
    put(APP, "_handle_alb_request", _in_owners_account())
    checker.start()


def _registered() -> Iterator[Target]:
    """Every target with an address, of every account."""
    for (account, region, arn), group in get(ALB, "_tgs").all_items():
        if group["TargetType"] != "ip" or not group["HealthCheckEnabled"]:
            continue
        for target in list(get(ALB, "_targets").get_scoped(account, region, arn) or []):
            yield Target(
                group=arn,
                address=target["Id"],
                port=int(target.get("Port") or group["Port"]),
                path=group["HealthCheckPath"],
                codes=str(group["Matcher"].get("HttpCode") or "200"),
                timeout_seconds=float(group["HealthCheckTimeoutSeconds"]),
                interval_seconds=float(group["HealthCheckIntervalSeconds"]),
                healthy_after=int(group["HealthyThresholdCount"]),
                unhealthy_after=int(group["UnhealthyThresholdCount"]),
            )


def _owner(target: Target) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The running task behind a target and its service, in the account and region in progress."""
    for task in list(get(ECS, "_tasks").values()):
        if task.get("lastStatus") == "RUNNING" and get(ECS, "_task_ip")(task) == target.address:
            cluster = str(task["clusterArn"]).rpartition("/")[2]
            service = get(ECS, "_services").get(f"{cluster}/{str(task['group']).removeprefix('service:')}")
            return (task, service) if service else None
    return None


def _replace(target: Target, state: State, seconds: float) -> None:
    """Stop a task that fails its health checks, once its service's grace period is over."""
    region, account = target.group.split(":")[3:5]
    with internals.scope(account, region):
        found = _owner(target)
        if found is None or seconds < float(found[1].get("healthCheckGracePeriodSeconds") or 0):
            return
        stop_unhealthy(
            found[0], f"Task failed ELB health checks in (target-group {target.group}): {state.reason}"
        )


def _described(checker: HealthChecker) -> Callable[[Mapping[str, Any]], Any]:
    """DescribeTargetHealth, with what the checks found."""
    original = get(ALB, "_describe_target_health")

    def describe(parameters: Mapping[str, Any]) -> Any:
        given = parameters.get("TargetGroupArn", "")
        arn = given[0] if isinstance(given, list) else given
        group = get(ALB, "_tgs").get(arn)
        if group is None or group["TargetType"] != "ip":
            return original(parameters)
        asked = {target["Id"] for target in get(ALB, "_parse_targets_param")(parameters)}
        members = ""
        for target in get(ALB, "_targets").get(arn, []):
            if asked and target["Id"] not in asked:
                continue
            port = int(target.get("Port") or group["Port"])
            state = checker.state(arn, target["Id"], port)
            why = (
                f"<Reason>{state.reason}</Reason><Description>{escape(state.description)}</Description>"
                if state.reason
                else ""
            )
            members += (
                f"<member><Target><Id>{target['Id']}</Id><Port>{port}</Port></Target>"
                f"<HealthCheckPort>{port}</HealthCheckPort>"
                f"<TargetHealth><State>{state.status}</State>{why}</TargetHealth></member>"
            )
        descriptions = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        return get(ALB, "_xml")(200, "DescribeTargetHealth", descriptions)

    return describe


def _to_healthy(checker: HealthChecker) -> Callable[..., Any]:
    """Forward a request to a healthy target, or to any if none is: a check that fails everywhere takes nothing down."""
    original = get(ALB, "_forward_to_tg")

    async def forward(
        arn: str,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query: Any,
        raw_query: str | None = None,
        raw_path: str | None = None,
    ) -> Any:
        group = get(ALB, "_tgs").get(arn)
        targets = list(get(ALB, "_targets").get(arn, []))
        if group is None or group["TargetType"] != "ip" or not targets:
            return await original(arn, method, path, headers, body, query, raw_query, raw_path)
        healthy = [
            target
            for target in targets
            if checker.state(arn, target["Id"], int(target.get("Port") or group["Port"])).status == HEALTHY
        ]
        chosen = random.choice(healthy or targets)  # noqa: S311 (no secret)
        send = get(ALB, "_proxy_http_target")
        return await send(chosen, group, method, raw_path or path, headers, body, query, raw_query)

    return forward


def _when_healthy(checker: HealthChecker) -> Callable[[str, Any], None]:
    """A deployment counts a task only when its targets are healthy; MiniStack asks whether it lived for a second."""
    original = get(ECS, "_record_service_task_healthy")

    def record(service_key: str, task: Any) -> None:
        deadline = time.monotonic() + _HEALTHY_SECONDS
        while time.monotonic() < deadline and get(ECS, "_task_is_active")(task["taskArn"], task):
            service = get(ECS, "_services").get(service_key) or {}
            address = get(ECS, "_task_ip")(task)
            states = [
                checker.state(balanced["targetGroupArn"], address, int(balanced["containerPort"])).status
                for balanced in service.get("loadBalancers") or []
                if balanced.get("targetGroupArn")
            ]
            if all(state == HEALTHY for state in states):
                break
            time.sleep(_POLL_SECONDS)
        original(service_key, task)

    return record


def _in_owners_account() -> Callable[..., Any]:
    """Find a load balancer by its name in whatever account it is; MiniStack looks in one."""
    original = get(APP, "_handle_alb_request")

    async def handle(host: str, path: str, *request: Any) -> Any:
        name = host.partition(":")[0].lower()
        # Or by a path that begins with its name, where the host is the site's own.
        named = path.removeprefix(BY_NAME).partition("/")[0] if path.startswith(BY_NAME) else ""
        if name.endswith(".elb.amazonaws.com") or named:
            for (account, region, _), balancer in get(ALB, "_lbs").all_items():
                if balancer["DNSName"].lower() == name or balancer["LoadBalancerName"] == named:
                    with internals.scope(account, region):
                        return await original(host, path, *request)
        return await original(host, path, *request)

    return handle
