"""The engine's rules that need no process: metric math, step scaling, health, the resources of a call."""

import json
import math
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from rehearsal.emulator.request_resources import request_arn
from rehearsal.engine import ministack
from rehearsal.engine.expressions import ExpressionError, evaluate
from rehearsal.engine.health import HEALTHY, INITIAL, UNHEALTHY, HealthChecker, State, Target, ask
from rehearsal.engine.scaling import Alarm, Bounds, Policy

BACKLOG = "(waiting + working) / IF(FILL(running, 0) < 1, 1 / 10, FILL(running, 1))"


def test_ministack_still_has_what_the_engine_uses() -> None:
    assert ministack.missing() == [], (
        "a new version of MiniStack moved these: see rehearsal/engine/ministack.py"
    )


def test_a_name_that_is_not_listed_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="not listed"):
        ministack.get(ministack.ECS, "_anything")


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("1 + 2 * 3", {}, 7),
        ("-(a - 1) / 2", {"a": 5.0}, -2),
        (BACKLOG, {"waiting": 1.0, "working": 0.0, "running": None}, 10),
        (BACKLOG, {"waiting": 30.0, "working": 10.0, "running": 2.0}, 20),
        (BACKLOG, {"waiting": 0.0, "working": 0.0, "running": 0.0}, 0),
        ("IF(a > 1 && b <= 2, 1, 0)", {"a": 2.0, "b": 2.0}, 1),
        ("IF(a > 1 || b <= 2, 1)", {"a": 0.0, "b": 3.0}, None),
        ("MAX(a, CEIL(1.2)) + MIN(a, 1) + ABS(0 - 1) + FLOOR(1.9)", {"a": 3.0}, 6),
        ("a / b", {"a": 1.0, "b": 0.0}, None),
        ("a + 1", {"a": None}, None),
        ("IF(a < 1, 1, 2)", {"a": None}, None),
    ],
)
def test_metric_math(expression: str, values: dict[str, float | None], expected: float | None) -> None:
    found = evaluate(expression, values)
    assert found == expected if expected is None else math.isclose(found or 0.0, expected)


@pytest.mark.parametrize("expression", ["a", "SEARCH('x')", "1 +", "[1, 2]", "__import__('os')", "(1).real"])
def test_fails_for_an_expression_that_is_not_understood(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, {})


STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "Cooldown": 120,
    "StepAdjustments": [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 40, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 40, "ScalingAdjustment": 2},
    ],
}
DOWN = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}],
}


@pytest.mark.parametrize(("distance", "expected"), [(0, 4), (39.9, 4), (40, 5), (400, 5)])
def test_a_step_is_chosen_by_how_far_the_metric_is_above_the_threshold(
    distance: float, expected: int
) -> None:
    assert Policy.of("service/c/s", STEPS).wanted(3, distance) == expected


def test_a_step_below_the_threshold_takes_one_away() -> None:
    policy = Policy.of("service/c/s", DOWN)
    assert (policy.wanted(3, 0), policy.wanted(3, -0.01), policy.cooldown) == (2, 2, 300)


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [("ExactCapacity", 5, 5), ("PercentChangeInCapacity", 50, 6), ("ChangeInCapacity", -2, 2)],
)
def test_the_kinds_of_adjustment(kind: str, change: int, expected: int) -> None:
    step = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": change}
    assert Policy.of("s", {"AdjustmentType": kind, "StepAdjustments": [step]}).wanted(4, 1) == expected


def test_a_cooldown_holds_back_all_but_a_larger_step_up() -> None:
    policy = Policy.of("s", STEPS)
    assert not policy.rests(1000, 1)
    policy.changed_at, policy.last_change = 1000, 1

    assert policy.rests(1119, 1)
    assert policy.rests(1119, -1)
    assert not policy.rests(1119, 2)
    assert not policy.rests(1120, 1)


def test_bounds_clamp() -> None:
    assert [Bounds(1, 3).clamp(count) for count in range(5)] == [1, 1, 2, 3, 3]


def alarm(**changes: Any) -> dict[str, Any]:
    metric = {"Namespace": "AWS/SQS", "MetricName": "m", "Dimensions": [{"Name": "QueueName", "Value": "q"}]}
    return {
        "AlarmActions": [
            "arn:aws:autoscaling:eu-west-1:3:scalingPolicy:x:resource/ecs/service/c/s:policyName/p"
        ],
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 10,
        "Metrics": [
            {"Id": "e", "Expression": "m * 2", "ReturnData": True},
            {"Id": "m", "ReturnData": False, "MetricStat": {"Metric": metric}},
        ],
        **changes,
    }


def test_an_alarm_is_on_from_its_threshold() -> None:
    found = Alarm.of(alarm())
    assert found is not None

    assert found.distance(lambda _: 4.9) is None
    assert found.distance(lambda _: 5.0) == 0
    assert found.distance(lambda _: 8.0) == 6
    assert found.distance(lambda _: None) is None
    assert found.metrics == {"m": ("AWS/SQS", "m", (("QueueName", "q"),))}


@pytest.mark.parametrize(
    "changes",
    [
        {"AlarmActions": ["arn:aws:sns:eu-west-1:3:topic"]},
        {"Metrics": []},
        {"ComparisonOperator": "LessThanLowerThreshold"},
    ],
)
def test_an_alarm_that_scales_nothing_is_not_ours(changes: dict[str, Any]) -> None:
    assert Alarm.of(alarm(**changes)) is None


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path[1:4]))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def target(server: ThreadingHTTPServer, path: str, codes: str = "200", after: int = 2) -> Target:
    return Target("arn", "127.0.0.1", server.server_address[1], path, codes, 1.0, 30.0, 3, after)


@pytest.mark.parametrize(
    ("path", "codes", "well"), [("/200", "200", True), ("/302", "200", False), ("/302", "200,300-399", True)]
)
def test_a_target_is_asked(server: ThreadingHTTPServer, path: str, codes: str, well: bool) -> None:  # noqa: FBT001
    problem = ask(target(server, path, codes))
    assert (
        problem is None
        if well
        else problem == ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [302]")
    )


def test_a_target_that_is_not_there_fails(server: ThreadingHTTPServer) -> None:
    gone = Target("arn", "127.0.0.1", 1, "/", "200", 1.0, 30.0, 3, 2)
    assert ask(gone) == ("Target.FailedHealthChecks", "Health checks failed")


def test_one_success_makes_a_new_target_healthy_and_several_an_unhealthy_one(
    server: ThreadingHTTPServer,
) -> None:
    settings, state, bad = target(server, "/"), State(0.0), ("r", "d")
    assert state.status == INITIAL
    state.take(settings, bad)
    assert state.status == INITIAL
    state.take(settings, None)
    assert (state.status, state.reason) == (HEALTHY, "")
    assert not state.take(settings, bad)
    assert state.status == HEALTHY
    assert state.take(settings, bad)
    assert (state.status, state.reason) == (UNHEALTHY, "r")
    statuses = []
    for _ in range(3):
        state.take(settings, None)
        statuses.append(state.status)
    assert statuses == [UNHEALTHY, UNHEALTHY, HEALTHY]


def test_a_healthy_target_that_is_slow_is_asked_again_at_its_own_interval_and_a_dead_one_at_once(
    server: ThreadingHTTPServer,
) -> None:
    settings, state = target(server, "/"), State(0.0)
    now = time.monotonic()
    state.take(settings, ("Target.Timeout", "Request timed out"))
    assert state.due <= time.monotonic()  # a new one is asked often, until it is well
    state.take(settings, None)
    state.take(settings, ("Target.Timeout", "Request timed out"))
    assert now + 30 <= state.due <= time.monotonic() + 30
    state.take(settings, ("Target.FailedHealthChecks", "Health checks failed"))
    assert state.due <= time.monotonic()


def test_all_targets_are_asked_and_those_that_left_are_forgotten(server: ThreadingHTTPServer) -> None:
    good, bad = target(server, "/200", after=1), Target("arn", "127.0.0.1", 1, "/", "200", 1.0, 30.0, 3, 1)
    present, told = [good, bad], []
    checker = HealthChecker(lambda: present, lambda found, _state, _seconds: told.append(found))

    checker.check_all()

    assert checker.state(*good.key).status == HEALTHY
    assert checker.state(*bad.key).status == UNHEALTHY
    assert told == [bad]
    present.remove(bad)
    checker.check_all()
    assert checker.state(*bad.key).status == INITIAL


@pytest.mark.parametrize(
    ("service", "sent", "expected"),
    [
        ("ssm", {"Path": "/Stage/"}, "arn:aws:ssm:r:1:parameter/Stage/"),
        ("ssm", {"Names": ["/Stage/A", "/Stage/B"]}, "arn:aws:ssm:r:1:parameter/Stage/A"),
        ("ssm", {"Name": "/Stage/A"}, ""),
        ("logs", {"logGroupName": "g", "logStreamName": "s"}, "arn:aws:logs:r:1:log-group:g:log-stream:s"),
        ("logs", {"logGroupName": "g"}, ""),
        ("ecs", {"cluster": "c", "tasks": ["t"]}, "arn:aws:ecs:r:1:task/c/t"),
        ("ecs", {"cluster": "c", "task": "arn:aws:ecs:r:1:task/c/t"}, "arn:aws:ecs:r:1:task/c/t"),
        ("ecs", {"cluster": "c", "taskDefinition": "f"}, "arn:aws:ecs:r:1:task-definition/f:*"),
        ("ecs", {"cluster": "c", "taskDefinition": "f:2"}, "arn:aws:ecs:r:1:task-definition/f:2"),
        ("ecs", {"cluster": "c", "service": "s"}, "arn:aws:ecs:r:1:service/c/s"),
        ("ecs", {"cluster": "c"}, ""),
        ("codebuild", {"projectName": "p"}, "arn:aws:codebuild:r:1:project/p"),
        ("codebuild", {"ids": ["p:1", "p:2"]}, "arn:aws:codebuild:r:1:project/p"),
        ("codebuild", {"id": "arn:aws:codebuild:r:1:build/p:1"}, "arn:aws:codebuild:r:1:project/p"),
        ("codebuild", {}, ""),
        ("sqs", {"Path": "/"}, ""),
    ],
)
def test_the_resource_of_a_call(service: str, sent: dict[str, Any], expected: str) -> None:
    assert request_arn(service, json.dumps(sent).encode(), "r", "1") == expected


@pytest.mark.parametrize("body", [b"", b"no json", b"[]"])
def test_a_call_without_members_has_none(body: bytes) -> None:
    assert request_arn("ecs", body, "r", "1") == ""
