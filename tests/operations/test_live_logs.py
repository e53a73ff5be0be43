"""What `lz logs` reads of running tasks, as ECS and the logs tell it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from operations.commands.logs import live_logs
from operations.errors import CommandError
from operations.live_logs import LiveLogs
from tests import documents
from tests.operations.support import scripted

STAGE = documents.configured(documents.sample()).find_stage("staging")
ARN = "arn:aws:ecs:eu-west-1:333333333333:task/cluster"
LATER = {"startFromHead": True}


def _task(name: str, definition: str) -> Mapping[str, Any]:
    return {"taskArn": f"{ARN}/{name}", "taskDefinitionArn": definition}


def _listed(service: str, *names: str) -> tuple[str, Any, Any]:
    arns = [f"{ARN}/{name}" for name in names]
    return "list_tasks", {"cluster": "cluster", "serviceName": service}, {"taskArns": arns}


def _described(definition: str, *names: str) -> tuple[str, Any, Any]:
    asked = {"cluster": "cluster", "tasks": [f"{ARN}/{name}" for name in names]}
    return "describe_tasks", asked, {"tasks": [_task(name, definition) for name in names]}


def _defined(definition: str, group: str | None) -> tuple[str, Any, Any]:
    options = {} if group is None else {"awslogs-group": group, "awslogs-stream-prefix": "shop"}
    container = {"name": "django", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    return (
        "describe_task_definition",
        {"taskDefinition": definition},
        {"taskDefinition": {"containerDefinitions": [container]}},
    )


def _read(
    group: str, name: str, how: Mapping[str, Any], token: str, *events: tuple[int, str]
) -> tuple[str, Any, Any]:
    asked = {"logGroupName": group, "logStreamName": f"shop/django/{name}", **how}
    written = [{"timestamp": moment, "message": message} for moment, message in events]
    return "get_log_events", asked, {"events": written, "nextForwardToken": token}


def _told(lines: Sequence[Any]) -> list[str]:
    return [line.told() for line in lines]


def test_last_lines_of_all_tasks_come_in_the_order_in_which_they_were_written() -> None:
    ecs = scripted(
        "ecs",
        _listed("web-service", "webtask-one", "webtask-two"),
        _described("web:1", "webtask-one", "webtask-two"),
        _defined("web:1", "web-group"),
        _listed("beat-service", "beattask"),
        _described("beat:1", "beattask"),
        _defined("beat:1", "beat-group"),
    )
    last = {"limit": 2, "startFromHead": False}
    logs = scripted(
        "logs",
        _read(
            "web-group", "webtask-one", last, "f/1", (1_000, "first\n"), (4_000, "\x1b[2Jdone\nand\n\nmore")
        ),
        _read("web-group", "webtask-two", last, "f/2", (3_000, "cannot reach postgres://app:hunter2@db/")),
        _read("beat-group", "beattask", last, "f/3", (2_000, "tick")),
    )
    found = LiveLogs(ecs, logs, "cluster", {"web": "web-service", "beat": "beat-service"})
    assert found.find_tasks() == []
    assert _told(found.last(2)) == [
        "00:00:01 web webtask-  first",
        "00:00:02 beat beattask  tick",
        "00:00:03 web webtask-  cannot reach postgres://app:***@db/",
        "00:00:04 web webtask-  �[2Jdone",
        "00:00:04 web webtask-  and",
        "00:00:04 web webtask-  more",
    ]
    for client in (ecs, logs):
        client.assert_all_asked()


def test_following_goes_on_where_it_was_and_reads_new_tasks_from_their_beginning() -> None:
    ecs = scripted(
        "ecs",
        _listed("web-service", "old"),
        _described("web:1", "old"),
        _defined("web:1", "group"),
        _listed("web-service", "old", "new"),
        _described("web:1", "new"),  # its definition is known
    )
    logs = scripted(
        "logs",
        _read("group", "old", {"limit": 1, "startFromHead": False}, "f/1", (1_000, "one")),
        _read("group", "old", {**LATER, "nextToken": "f/1"}, "f/2", (2_000, "two")),
        _read("group", "old", {**LATER, "nextToken": "f/2"}, "f/2"),
        ("get_log_events", None, "ResourceNotFoundException"),  # it has not written yet
        _read("group", "old", {**LATER, "nextToken": "f/2"}, "f/2"),
        _read("group", "new", LATER, "f/8", (3_000, "hello")),
        _read("group", "new", {**LATER, "nextToken": "f/8"}, "f/8"),
    )
    found = LiveLogs(ecs, logs, "cluster", {"web": "web-service"})
    found.find_tasks()
    assert _told(found.last(1)) == ["00:00:01 web old  one"]
    found.find_tasks()
    assert _told(found.new()) == ["00:00:02 web old  two"]
    assert _told(found.new()) == ["00:00:03 web new  hello"]
    for client in (ecs, logs):
        client.assert_all_asked()


def test_a_process_without_tasks_is_told_and_a_container_without_a_log_is_passed_over() -> None:
    ecs = scripted(
        "ecs",
        _listed("web-service", "task"),
        _described("web:1", "task"),
        _defined("web:1", None),
        _listed("worker-service"),
    )
    found = LiveLogs(ecs, scripted("logs"), "cluster", {"web": "web-service", "worker": "worker-service"})
    assert found.find_tasks() == ["worker"]
    assert list(found.last(5)) == []


def test_a_process_that_the_workload_does_not_have_is_refused_before_anything_is_asked() -> None:
    bare = documents.configured(documents.bare())
    stage = next(iter(bare.stages()))
    with pytest.raises(CommandError, match=r"has no worker, beat") as told:
        live_logs(stage, ("worker", "web", "beat"), scripted("ssm"), scripted("ecs"), scripted("logs"))
    assert told.value.fix == "it has: web"


def test_an_environment_that_is_not_deployed_is_told() -> None:
    names = [f"/{STAGE.stage_name}/{name}" for name in ("ClusterName", "WebServiceName")]
    ssm = scripted(
        "ssm", ("get_parameters", {"Names": names}, {"Parameters": [], "InvalidParameters": names})
    )
    with pytest.raises(CommandError, match="do not exist"):
        live_logs(STAGE, ("web",), ssm, scripted("ecs"), scripted("logs"))
