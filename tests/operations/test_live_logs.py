"""What `lz logs` reads of running tasks, as ECS and the logs tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from operations.commands.logs import follow_on, live_logs, may_sleep
from operations.errors import CommandError
from operations.live_logs import LiveLogs
from tests import documents
from tests.operations.support import scripted

STAGE = documents.configured(documents.sample()).find_stage("staging")
ARN = "arn:aws:ecs:eu-west-1:333333333333:task/cluster"
LATER = {"startFromHead": True}
NEXT_DAY = 24 * 3600 * 1000


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


ONE_TASK = (_listed("web-service", "old"), _described("web:1", "old"), _defined("web:1", "group"))


def _read(
    group: str, name: str, how: Mapping[str, Any], token: str, *events: tuple[int, str], back: str = "b/1"
) -> tuple[str, Any, Any]:
    asked = {"logGroupName": group, "logStreamName": f"shop/django/{name}", **how}
    written = [{"timestamp": moment, "message": message} for moment, message in events]
    return "get_log_events", asked, {"events": written, "nextForwardToken": token, "nextBackwardToken": back}


def _last(number: int, token: str = "") -> Mapping[str, Any]:
    return {"limit": number, "startFromHead": False} | ({"nextToken": token} if token else {})


def _web(ecs: Any, logs: Any) -> LiveLogs:
    return LiveLogs(ecs, logs, "cluster", {"web": "web-service"})


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
    logs = scripted(
        "logs",
        _read(
            "web-group",
            "webtask-one",
            _last(2),
            "f/1",
            (1_000, "first\n"),
            (4_000, "\x1b[2Jdone\nand\n\nmore"),
        ),
        # A page may be empty although there is more before it.
        _read("web-group", "webtask-two", _last(2), "f/2", back="b/1"),
        _read(
            "web-group",
            "webtask-two",
            _last(2, "b/1"),
            "f/9",
            (3_000, "postgres://app:hunter2@db/"),
            back="b/2",
        ),
        _read("web-group", "webtask-two", _last(1, "b/2"), "f/9", back="b/2"),
        _read("beat-group", "beattask", _last(2), "f/3", (2_000, "tick"), (NEXT_DAY, "tock"), back="b/1"),
    )
    found = LiveLogs(ecs, logs, "cluster", {"web": "web-service", "beat": "beat-service"})
    assert found.find_tasks() == []
    assert _told(found.last(2)) == [
        "1970-01-01 00:00:01 web webtask-  first",
        "1970-01-01 00:00:02 beat beattask  tick",
        "1970-01-01 00:00:03 web webtask-  postgres://app:***@db/",
        "1970-01-01 00:00:04 web webtask-  �[2Jdone",
        "1970-01-01 00:00:04 web webtask-  and",
        "1970-01-01 00:00:04 web webtask-  more",
        "1970-01-02 00:00:00 beat beattask  tock",
    ]
    for client in (ecs, logs):
        client.assert_all_asked()


def test_following_goes_on_where_it_was_and_reads_new_tasks_from_their_beginning() -> None:
    ecs = scripted(
        "ecs",
        *ONE_TASK,
        _listed("web-service", "old", "new"),
        _described("web:1", "new"),  # its definition is known
    )
    logs = scripted(
        "logs",
        _read("group", "old", _last(1), "f/1", (1_000, "one")),
        _read("group", "old", {**LATER, "nextToken": "f/1"}, "f/2", (2_000, "two")),
        _read("group", "old", {**LATER, "nextToken": "f/2"}, "f/2"),
        ("get_log_events", None, "ResourceNotFoundException"),  # it has not written yet
        _read("group", "old", {**LATER, "nextToken": "f/2"}, "f/2"),
        _read("group", "new", LATER, "f/8", (3_000, "hello")),
        _read("group", "new", {**LATER, "nextToken": "f/8"}, "f/8"),
    )
    found = _web(ecs, logs)
    found.find_tasks()
    assert _told(found.last(1)) == ["1970-01-01 00:00:01 web old  one"]
    found.find_tasks()
    assert _told(found.new()) == ["1970-01-01 00:00:02 web old  two"]
    assert _told(found.new()) == ["1970-01-01 00:00:03 web new  hello"]
    for client in (ecs, logs):
        client.assert_all_asked()


def test_a_token_that_has_grown_too_old_costs_no_line_and_repeats_none() -> None:
    ecs = scripted("ecs", *ONE_TASK)
    logs = scripted(
        "logs",
        _read("group", "old", _last(1), "f/1", (1_000, "one")),
        ("get_log_events", None, "InvalidParameterException"),
        _read("group", "old", {**LATER, "startTime": 1_001}, "f/2", (2_000, "two")),
        _read("group", "old", {**LATER, "nextToken": "f/2"}, "f/2"),
    )
    found = _web(ecs, logs)
    found.find_tasks()
    found.last(1)
    assert [line.text for line in found.new()] == ["two"]
    logs.assert_all_asked()


def test_a_task_that_has_ended_is_read_until_it_is_silent() -> None:
    ecs = scripted(
        "ecs",
        *ONE_TASK,
        _listed("web-service"),
    )
    again = _read("group", "old", {**LATER, "nextToken": "f/2"}, "f/2")
    logs = scripted(
        "logs",
        _read("group", "old", _last(1), "f/1", (1_000, "one")),
        _read("group", "old", {**LATER, "nextToken": "f/1"}, "f/2", (2_000, "last words")),
        *[again] * 4,  # the end of what it wrote, and three looks without anything
    )
    found = _web(ecs, logs)
    found.find_tasks()
    found.last(1)
    assert found.find_tasks() == ["web"]
    assert [line.text for line in found.new()] == ["last words"]
    for _ in range(5):
        assert list(found.new()) == []
    logs.assert_all_asked()


def test_a_log_that_grows_faster_than_it_is_read_does_not_silence_the_others() -> None:
    ecs = scripted(
        "ecs",
        _listed("web-service", "loud", "calm"),
        _described("web:1", "loud", "calm"),
        _defined("web:1", "group"),
    )
    loud = [
        _read(
            "group",
            "loud",
            LATER if page == 0 else {**LATER, "nextToken": f"f/{page}"},
            f"f/{page + 1}",
            (page, "x"),
        )
        for page in range(5)
    ]
    logs = scripted(
        "logs",
        *loud,
        _read("group", "calm", LATER, "f/1", (9_000, "hello")),
        _read("group", "calm", {**LATER, "nextToken": "f/1"}, "f/1"),
    )
    found = _web(ecs, logs)
    found.find_tasks()
    assert [line.text for line in found.new()] == ["x"] * 5 + ["hello"]
    logs.assert_all_asked()


def test_following_shows_what_comes_and_looks_for_new_tasks_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ecs = scripted(
        "ecs",
        _listed("web-service"),
        _listed("web-service", "new"),
        _described("web:1", "new"),
        _defined("web:1", "group"),
    )
    logs = scripted(
        "logs",
        _read("group", "new", LATER, "f/1", (1_000, "hello")),
        _read("group", "new", {**LATER, "nextToken": "f/1"}, "f/1"),
    )
    found = _web(ecs, logs)
    assert found.find_tasks() == ["web"]
    looks = iter(range(5))

    def wait(_seconds: float) -> None:
        if next(looks, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow_on(found, seconds=2, wait=wait)
    assert capsys.readouterr().out == "1970-01-01 00:00:01 web new  hello\n"
    logs.assert_all_asked()


def test_only_workers_that_may_sleep_are_missed_by_nobody() -> None:
    document = documents.sample()
    stage = documents.configured(document).find_stage("production")
    assert not any(may_sleep(stage, process) for process in ("web", "worker", "beat"))
    idle = stage.environment.model_copy(
        update={"worker": stage.environment.worker.model_copy(update={"min_tasks": 0})}
    )
    asleep = replace(stage, environment=idle)
    assert [process for process in ("web", "worker", "beat") if may_sleep(asleep, process)] == ["worker"]


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
