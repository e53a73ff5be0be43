"""Every name of MiniStack that the engine reads, wraps or replaces, besides those of `emulator/internals.py`.

MiniStack is pinned; these names are not its public interface. `missing()` says what a new version has moved.
"""

import importlib
from collections.abc import Mapping
from typing import Any

ALB, APP, ECR, ECS, RDS = (
    "ministack.services.alb",
    "ministack.app",
    "ministack.services.ecr",
    "ministack.services.ecs",
    "ministack.services.rds",
)
CONCURRENCY, METADATA = "ministack.core.concurrency", "ministack.services.ecs_metadata"

USED: Mapping[str, tuple[str, ...]] = {
    ALB: (
        "_ACTION_MAP",
        "_describe_target_health",
        "_forward_to_tg",
        "_lbs",
        "_parse_targets_param",
        "_proxy_http_target",
        "_targets",
        "_tg_attrs",
        "_tgs",
        "_xml",
    ),
    APP: ("_handle_alb_request",),
    CONCURRENCY: ("resource_lock", "spawn_background"),
    ECR: ("_layer_blobs", "_uploads"),
    ECS: (
        "_ACTION_MAP",
        "_SecretResolutionError",
        "_bump_task_version",
        "_cleanup_task_resources",
        "_cluster_name_from_arn",
        "_emit_awslogs_event",
        "_ensure_awslogs_stream",
        "_get_docker",
        "_iso",
        "_make_deployment",
        "_mark_task_stopped",
        "_reconcile_service_tasks",
        "_record_service_task_failure",
        "_record_service_task_healthy",
        "_recount_cluster",
        "_refresh_service_state",
        "_resolve_cluster_name",
        "_resolve_container_secrets",
        "_resolve_task",
        "_resolve_td_key",
        "_sanitize",
        "_services",
        "_start_task_worker",
        "_stop_task",
        "_task_defs",
        "_task_ip",
        "_task_is_active",
        "_tasks",
        "json_response",
    ),
    METADATA: ("handle_request", "set_all_container_status", "set_task_status"),
    RDS: (
        "_clusters",
        "_db_cluster_param_groups",
        "_get_docker",
        "_ministack_network",
        "_shared_container_lock",
        "_start_cluster_shared_container",
        "_sync_cluster_endpoints",
    ),
}


def missing() -> list[str]:
    """Names in `USED` that the installed MiniStack does not have."""
    return [
        f"{module}.{name}"
        for module, names in USED.items()
        for name in names
        if not hasattr(importlib.import_module(module), name)
    ]


def get(module: str, name: str) -> Any:
    """Return one of the names in `USED`; anything else is a mistake in this package.

    Args:
        module: its module.
        name: the name.
    """
    if name not in USED[module]:
        raise KeyError(f"{module}.{name} is not listed in USED")
    return getattr(importlib.import_module(module), name)


def put(module: str, name: str, value: Any) -> Any:
    """Replace one of the names in `USED`.

    Args:
        module: its module.
        name: the name.
        value: what stands there from now on.

    Returns:
        What was there before.
    """
    before = get(module, name)
    setattr(importlib.import_module(module), name, value)
    return before
