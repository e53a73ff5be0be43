"""What a rollback tells of services that do not become stable."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from operations.errors import CommandError
from operations.releases.rollback import STABLE_SECONDS, Rollback
from operations.releases.serving import Deployment, Serving
from tests.operations.support import scripted

A, B = (f"sha256:{letter * 64}" for letter in "ab")
PREFIX = "arn:aws:ecs:eu-west-1:333333333333"
OLD, NEW = f"{PREFIX}:task-definition/shop-web:1", f"{PREFIX}:task-definition/shop-web:2"
SERVING = Serving("web", "web", (Deployment(OLD, A, "COMPLETED", ""),), running=2, desired=2)
VALUES = {"ClusterName": "cluster", "WebServiceName": "web"}
SEE_WHY = "./lz status --env shop/staging"

Answer = tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | str]


def _definition(arn: str, digest: str) -> Answer:
    options = {"awslogs-group": "group", "awslogs-stream-prefix": "web"}
    container = {
        "name": "django",
        "image": f"registry/shop@{digest}",
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    definition = {"taskDefinitionArn": arn, "family": "shop-web", "containerDefinitions": [container]}
    return ("describe_task_definition", {"taskDefinition": arn}, {"taskDefinition": definition})


def _services(*deployments: tuple[str, str, int], running: int) -> Answer:
    listed = [
        {
            "status": "ACTIVE" if place else "PRIMARY",
            "taskDefinition": arn,
            "rolloutState": rollout,
            "runningCount": count,
        }
        for place, (arn, rollout, count) in enumerate(deployments)
    ]
    service = {
        "serviceName": "web",
        "serviceArn": f"{PREFIX}:service/cluster/web",
        "runningCount": running,
        "desiredCount": 2,
        "deployments": listed,
    }
    return ("describe_services", {"cluster": "cluster", "services": ["web"]}, {"services": [service]})


def _failed(name: str, definition: str, minute: int, exit_code: int) -> Mapping[str, Any]:
    return {
        "taskArn": f"{PREFIX}:task/cluster/{name}",
        "group": "service:web",
        "taskDefinitionArn": definition,
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "stoppedAt": datetime(2026, 11, 1, 12, minute, tzinfo=UTC),
        "containers": [{"name": "django", "lastStatus": "STOPPED", "exitCode": exit_code}],
    }


def _told(*looks: Answer, tasks: tuple[Mapping[str, Any], ...]) -> CommandError:
    """Move web from one image to the other, with one look at what comes of it."""
    registered = {"taskDefinition": {"taskDefinitionArn": NEW}}
    arns = [task["taskArn"] for task in tasks]
    stopped: list[Answer] = [("list_tasks", None, {"taskArns": arns})]
    if arns:
        stopped.append(("describe_tasks", None, {"tasks": list(tasks), "failures": []}))
    log: list[Answer] = []
    if any(task["taskDefinitionArn"] == NEW for task in tasks):
        stopped.append(_definition(NEW, B))
        line = {"message": "ImportError: notes", "timestamp": 1, "ingestionTime": 1}
        log.append(("get_log_events", None, {"events": [line]}))
    ecs = scripted(
        "ecs",
        _definition(OLD, A),
        ("register_task_definition", None, registered),
        ("update_service", {"cluster": "cluster", "service": "web", "taskDefinition": NEW}, {}),
        *looks,
        *stopped,
    )
    rollback = Rollback(
        ecs,
        scripted("logs", *log),
        VALUES,
        say=lambda _line: None,
        see_why=SEE_WHY,
        poll_seconds=STABLE_SECONDS,
    )
    with pytest.raises(CommandError) as caught:
        rollback.run([SERVING], B)
    ecs.assert_all_asked()
    assert caught.value.fix is not None
    assert SEE_WHY in caught.value.fix
    return caught.value


def test_where_the_time_is_over_the_last_failure_of_the_new_revision_is_told() -> None:
    between = _services((NEW, "IN_PROGRESS", 0), (OLD, "COMPLETED", 2), running=2)
    told = _told(
        between,
        between,
        _definition(NEW, B),
        _definition(OLD, A),
        tasks=(_failed("new", NEW, 1, 3), _failed("old", OLD, 2, 137)),
    ).message
    assert "it is not stable after 15 minutes" in told
    assert "web: the last task of shop-web:2 that failed" in told
    assert "exit code 3" in told
    assert "ImportError: notes" in told
    assert "137" not in told


def test_an_earlier_failure_is_no_reason_for_what_ecs_has_given_up() -> None:
    given_up = _services((OLD, "COMPLETED", 2), (NEW, "FAILED", 0), running=2)
    told = _told(
        given_up,  # ends the wait
        given_up,  # ECS is done with going back
        given_up,  # what stays
        _definition(OLD, A),
        tasks=(_failed("old", OLD, 2, 137),),
    ).message
    assert f"web runs {A} (COMPLETED, 2 of 2 tasks)" in told
    assert "web: no task of shop-web:2 has failed" in told
    assert "137" not in told


def test_where_the_services_cannot_be_seen_any_more_no_time_is_blamed() -> None:
    between = _services((NEW, "IN_PROGRESS", 0), (OLD, "COMPLETED", 2), running=2)
    refused: Answer = ("describe_services", None, "AccessDeniedException")
    told = _told(refused, between, _definition(NEW, B), _definition(OLD, A), tasks=()).message
    assert "could not be seen any more" in told
    assert "AccessDeniedException" in told
    assert "minutes" not in told
