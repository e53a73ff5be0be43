"""Why a service's tasks stopped, as ECS and the log tell it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from operations.stopped_tasks import LINES, WIDEST_LINE, StoppedTasks
from tests.operations.support import said, scripted

CLUSTER = "cluster"
ARN = "arn:aws:ecs:eu-west-1:333333333333:task/cluster"
DEFINITION = "arn:aws:ecs:eu-west-1:333333333333:task-definition/shop-web:2"
SERVICE = "arn:aws:ecs:eu-west-1:333333333333:service/cluster/web"
ASKED = ("describe_task_definition", {"taskDefinition": DEFINITION})

Answer = tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | str]


def _task(name: str, minute: int, code: str, reason: str, exit_code: int | None = 3, **more: Any) -> Any:
    container = {"name": "django"} | ({} if exit_code is None else {"exitCode": exit_code})
    return {
        "taskArn": f"{ARN}/{name}",
        "group": "service:web",
        "taskDefinitionArn": DEFINITION,
        "stopCode": code,
        "stoppedReason": reason,
        "stoppedAt": datetime(2026, 11, 1, 12, minute, tzinfo=UTC),
        "containers": [container],
        **more,
    }


def _look(*tasks: Any, log: Mapping[str, Any] | str, options: Mapping[str, str] | None = None) -> str:
    """Ask for the web service; gives what is told, and nothing if no task failed."""
    arns = [task["taskArn"] for task in tasks]
    given = {"awslogs-group": "group", "awslogs-stream-prefix": "web"} if options is None else options
    container = {"name": "django", "logConfiguration": {"logDriver": "awslogs", "options": given}}
    answers: list[Answer] = [
        ("list_tasks", {"cluster": CLUSTER, "desiredStatus": "STOPPED"}, {"taskArns": arns}),
        ("describe_tasks", {"cluster": CLUSTER, "tasks": arns}, {"tasks": tasks, "failures": []}),
        (*ASKED, {"taskDefinition": {"containerDefinitions": [container]}}),
    ]
    events = {"logGroupName": "group", "logStreamName": "web/django/last", "limit": LINES}
    stopped = StoppedTasks(
        scripted("ecs", *answers), scripted("logs", ("get_log_events", events, log)), CLUSTER
    )
    found = stopped.last_failed(SERVICE)
    return said(found.told()) if found else ""


def _events(*messages: str) -> Mapping[str, Any]:
    return {"events": [{"message": message, "timestamp": 1, "ingestionTime": 1} for message in messages]}


def test_the_last_task_that_failed_is_told_with_its_exit_code_and_its_last_lines() -> None:
    told = _look(
        _task("first", 1, "EssentialContainerExited", "Essential container in task exited"),
        _task("last", 2, "EssentialContainerExited", "Essential container in task exited"),
        _task("moved", 3, "ServiceSchedulerInitiated", "Scaling activity initiated by (deployment x)", 0),
        _task("other", 4, "EssentialContainerExited", "of another service", group="service:beat"),
        log=_events("Traceback (most recent call last):", "ImportError: no module named notes\n"),
    )

    stopped = "task last of shop-web:2 stopped 2026-11-01 12:02:00 UTC: Essential container in task exited"
    assert told.splitlines() == [
        f"{stopped} (the last of 2 that failed within the hour)",
        "django: exit code 3; at last, in group:",
        "  Traceback (most recent call last):",
        "  ImportError: no module named notes",
    ]


def test_a_task_that_never_started_or_was_unhealthy_has_failed_too() -> None:
    missing = "ResourceInitializationError: unable to pull secrets"
    told = _look(
        _task("last", 1, "TaskFailedToStart", missing, None, containers=[{"name": "django", "reason": "no"}]),
        log="ResourceNotFoundException",
    )
    assert missing in told
    assert "django: never ran, no; there is no log of it in group" in told
    reason = "Task failed ELB health checks in (target-group arn)"
    assert reason in _look(_task("last", 1, "ServiceSchedulerInitiated", reason, 0), log=_events())


def test_what_scaling_and_deployments_stopped_has_not_failed() -> None:
    reason = "Scaling activity initiated by (deployment ecs-svc/1)"
    assert _look(_task("last", 1, "ServiceSchedulerInitiated", reason, 0), log=_events()) == ""


def test_a_log_that_may_not_be_read_or_is_none_is_told() -> None:
    ended = _task("last", 1, "EssentialContainerExited", "Essential container in task exited")
    assert "cannot be read: An error occurred (AccessDeniedException)" in _look(
        ended, log="AccessDeniedException"
    )
    assert "it wrote nothing to group" in _look(ended, log=_events())
    assert "no log in CloudWatch" in _look(ended, log=_events(), options={})


def test_no_password_of_an_address_is_shown_and_no_line_without_end() -> None:
    ended = _task("last", 1, "EssentialContainerExited", "Essential container in task exited")
    told = _look(
        ended,
        log=_events("no route to postgres://notes:p@ss:word@db.internal:5432/notes", "x" * 2000),
    )
    assert "postgres://notes:***@db.internal:5432/notes" in told
    assert "word" not in told
    assert max(map(len, told.splitlines())) < WIDEST_LINE + 10
