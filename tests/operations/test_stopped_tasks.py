"""Why a service's tasks stopped, as ECS and the log tell it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from operations.stopped_tasks import LINES, WIDEST_LINE, StoppedTasks, shown
from tests.operations.support import said, scripted

CLUSTER = "cluster"
ARN = "arn:aws:ecs:eu-west-1:333333333333:task/cluster"
DEFINITION = "arn:aws:ecs:eu-west-1:333333333333:task-definition/shop-web:2"
SERVICE = "arn:aws:ecs:eu-west-1:333333333333:service/cluster/web"
ASKED = ("describe_task_definition", {"taskDefinition": DEFINITION})

Answer = tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | str]


def _task(name: str, minute: int, code: str, reason: str, exit_code: int | None = 3, **more: Any) -> Any:
    container: dict[str, Any] = {"name": "django", "lastStatus": "STOPPED"}
    container |= {} if exit_code is None else {"exitCode": exit_code}
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


def _stopping(name: str, **times: datetime) -> Any:
    """A task that is to stop, because it is unhealthy, and whose container still runs."""
    containers = [{"name": "django", "lastStatus": "RUNNING"}]
    reason = "Task failed ELB health checks"
    task = _task(name, 0, "ServiceSchedulerInitiated", reason, None, containers=containers, **times)
    del task["stoppedAt"]
    return task


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
        _task(
            "last",
            1,
            "TaskFailedToStart",
            missing,
            None,
            containers=[{"name": "django", "lastStatus": "STOPPED", "reason": "no"}],
        ),
        log="ResourceNotFoundException",
    )
    assert missing in told
    assert "django: never ran, no; there is no log of it in group" in told
    reason = "Task failed ELB health checks in (target-group arn)"
    assert reason in _look(_task("last", 1, "ServiceSchedulerInitiated", reason, 0), log=_events())


def test_the_time_is_told_in_utc_wherever_the_machine_is() -> None:
    there = datetime(2026, 11, 1, 13, 2, tzinfo=timezone(timedelta(hours=1)))  # as boto3 gives it in Berlin
    ended = _task(
        "last", 1, "EssentialContainerExited", "Essential container in task exited", stoppedAt=there
    )
    assert "stopped 2026-11-01 12:02:00 UTC" in _look(ended, log=_events())


@pytest.mark.parametrize("times", [{"stoppingAt": datetime(2026, 11, 1, 12, 3, tzinfo=UTC)}, {}])
def test_a_task_that_is_stopping_is_the_newest_and_has_run(times: Mapping[str, datetime]) -> None:
    earlier = _task("first", 2, "EssentialContainerExited", "Essential container in task exited")
    told = _look(earlier, _stopping("last", **times), log=_events("slow"))
    assert "task last of shop-web:2 is stopping: Task failed ELB health checks" in told
    assert "django: is stopping; at last, in group:" in told
    assert "never ran" not in told


def test_a_task_that_began_to_stop_before_another_has_stopped_is_not_the_last() -> None:
    began = _stopping("first", stoppingAt=datetime(2026, 11, 1, 12, 1, tzinfo=UTC))
    last = _task("last", 2, "EssentialContainerExited", "Essential container in task exited")
    assert "task last of shop-web:2 stopped" in _look(last, began, log=_events())


def test_only_tasks_of_the_definitions_that_count_are_looked_at() -> None:
    tasks = [_task("old", 1, "EssentialContainerExited", "Essential container in task exited")]
    ecs = scripted(
        "ecs",
        ("list_tasks", None, {"taskArns": [tasks[0]["taskArn"]]}),
        ("describe_tasks", None, {"tasks": tasks, "failures": []}),
    )
    assert StoppedTasks(ecs, scripted("logs"), CLUSTER).last_failed(SERVICE, of={f"{DEFINITION}1"}) is None


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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("postgres://notes:pa/ss@db/notes is away", "postgres://notes:***@db/notes is away"),
        ("redis://:p@ss@cache, then https://host:80/x", "redis://:***@cache, then https://host:80/x"),
        ("password=hunter2 host=db", "password=*** host=db"),
        ("DB_PASSWORD='hunter 2' SECRET_KEY=x Token=y", "DB_PASSWORD=*** SECRET_KEY=*** Token=***"),
        ("password must not be empty", "password must not be empty"),
    ],
)
def test_secrets_are_hidden_as_drivers_and_settings_write_them(line: str, told: str) -> None:
    assert shown([line]) == (told,)


def test_no_line_takes_long() -> None:
    """The patterns look at each place again; a line of a log may have a quarter of a megabyte."""
    (line,) = shown(["://:" * 60_000])
    assert len(line) < WIDEST_LINE + 10


def test_control_characters_of_a_log_never_reach_the_terminal() -> None:
    assert shown(["\x1b[31mERROR\x1b[0m\x07 a\tb \x9b2J\x7f"]) == ("�[31mERROR�[0m� a\tb �2J�",)
