from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from operations.commands.run import PARAMETERS
from operations.errors import CommandError
from operations.task_place import PLACE_PARAMETERS, RELEASING, SERVING, TaskPlace, read_parameters, task_place
from operations.tasks import TaskRun
from tests.assembly import Assembly
from tests.operations.support import said, scripted

ARN = "arn:aws:ecs:eu-west-1:333333333333:task/cluster/0123abc"
PLACE = TaskPlace(
    cluster="cluster",
    definition="MyDjangoAppStaging-release",
    subnets=("subnet-1", "subnet-2"),
    security_group="sg-1",
    log_group="group",
    container="django",
)
VALUES = {
    "ClusterName": "cluster",
    "ReleaseTaskDefinition": "MyDjangoAppStaging-release",
    "PrivateSubnetIds": "subnet-1,subnet-2",
    "ReleaseSecurityGroupId": "sg-1",
    "ReleaseLogGroup": "group",
    "ContainerName": "django",
}
RUN = ("run_task", None, {"tasks": [{"taskArn": ARN}], "failures": []})
STOP = ("stop_task", None, {"task": {"taskArn": ARN}})
NO_STREAM = ("get_log_events", None, "ResourceNotFoundException")

Answer = tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | str]


def task(status: str, **more: Any) -> Answer:
    return (
        "describe_tasks",
        None,
        {"tasks": [{"taskArn": ARN, "lastStatus": status, **more}], "failures": []},
    )


def stopped(exit_code: int | None, **more: Any) -> Answer:
    container = {"name": "django"} | ({} if exit_code is None else {"exitCode": exit_code})
    defaults = {"stoppedReason": "Essential container in task exited", "containers": [container]}
    return task("STOPPED", **{**defaults, **more})


def page(token: str, *lines: str) -> Answer:
    events = [{"message": line, "timestamp": 1, "ingestionTime": 1} for line in lines]
    return ("get_log_events", None, {"events": events, "nextForwardToken": token, "nextBackwardToken": "b"})


class Run(TaskRun):
    """A run that is started and followed at once, as the release step does."""

    def run(self, *, deadline_seconds: float) -> int:
        self.start()
        return self.follow(deadline_seconds=deadline_seconds)


def release(
    ecs: Sequence[Answer], logs: Sequence[Answer], lines: list[str] | None = None
) -> tuple[Run, Any, Any]:
    ecs_client, logs_client = scripted("ecs", *ecs), scripted("logs", *logs)
    told = lines if lines is not None else []
    run = Run(
        ecs_client,
        logs_client,
        PLACE,
        title="release task",
        started_by="lz-release",
        say=told.append,
        show=lambda line: told.append(f"  {line}"),
        poll_seconds=0,
    )
    return run, ecs_client, logs_client


def test_it_runs_the_task_in_the_private_subnets_and_hands_its_exit_code_on() -> None:
    expected = {
        "cluster": "cluster",
        "taskDefinition": "MyDjangoAppStaging-release",
        "launchType": "FARGATE",
        "count": 1,
        "startedBy": "lz-release",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
    }
    lines: list[str] = []
    run, _, _ = release([("run_task", expected, RUN[2]), stopped(3)], [NO_STREAM] * 3, lines)
    assert run.run(deadline_seconds=60) == 3
    assert "exit code 3 (Essential container in task exited)" in said(lines)


def test_it_follows_the_log_from_before_its_first_line_to_after_the_tasks_end() -> None:
    lines: list[str] = []
    run, _, logs = release(
        [RUN, task("PENDING"), task("RUNNING"), task("RUNNING"), stopped(0)],
        [
            NO_STREAM,
            page("1", "Operations to perform:"),
            page("1"),
            page("2", "Applying 0001... OK"),  # an empty page is no end: only the same token is
            page("3"),
            page("4", "Applying 0002... OK"),
            page("4"),
            page("4"),
            page("5", "static files uploaded"),
            page("5"),
            page("5"),
        ],
        lines,
    )
    assert run.run(deadline_seconds=60) == 0
    logs.assert_all_asked()
    assert [line.strip() for line in lines if line.startswith("  ")] == [
        "Operations to perform:",
        "Applying 0001... OK",
        "Applying 0002... OK",
        "static files uploaded",
    ]
    assert [line for line in lines if line.startswith("task is")] == [
        "task is PENDING",
        "task is RUNNING",
        "task is STOPPED",
    ]


def test_each_status_and_the_log_stream_are_those_of_the_task() -> None:
    asked = {"logGroupName": "group", "logStreamName": "release/django/0123abc", "startFromHead": True}
    run, _, logs = release([RUN, stopped(0)], [("get_log_events", asked, "ResourceNotFoundException")] * 3)
    assert run.run(deadline_seconds=60) == 0
    logs.assert_all_asked()


def test_a_task_that_ecs_does_not_know_yet_is_waited_for() -> None:
    unknown: Answer = ("describe_tasks", None, {"tasks": [], "failures": [{"arn": ARN, "reason": "MISSING"}]})
    run, _, _ = release([RUN, unknown, unknown, stopped(0)], [NO_STREAM] * 5)
    assert run.run(deadline_seconds=60) == 0


def test_fails_with_the_reason_when_the_container_never_ran() -> None:
    why = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"
    container = {"name": "django", "reason": why}
    run, _, _ = release(
        [RUN, stopped(None, stoppedReason="Task failed to start", containers=[container])], [NO_STREAM] * 3
    )
    with pytest.raises(CommandError) as caught:
        run.run(deadline_seconds=60)
    assert (
        str(caught.value) == f"the release task stopped before its container ran: Task failed to start; {why}"
    )
    assert caught.value.exit_code == 1


def test_fails_with_the_reason_when_ecs_starts_nothing() -> None:
    nothing = {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time."}]}
    run, _, _ = release([("run_task", None, nothing)], [])
    with pytest.raises(CommandError, match="Capacity is unavailable") as caught:
        run.run(deadline_seconds=60)
    assert caught.value.exit_code == 1


def test_fails_and_stops_the_task_when_the_time_is_over() -> None:
    run, ecs, _ = release([RUN, task("RUNNING"), STOP, stopped(0)], [NO_STREAM] * 5)
    with pytest.raises(CommandError, match="longer than 0 minutes and was stopped") as caught:
        run.run(deadline_seconds=0)
    assert caught.value.exit_code == 1  # even if the container ended in peace: its work may be half done
    ecs.assert_all_asked()


def test_ctrl_c_stops_the_task() -> None:
    run, ecs, logs = release([RUN, task("RUNNING"), STOP], [NO_STREAM])

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    logs.meta.events.register("before-parameter-build.logs.GetLogEvents", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.run(deadline_seconds=60)
    ecs.assert_all_asked()


def test_it_reads_the_tasks_parameters_of_the_stage_by_name() -> None:
    entries = [{"Name": f"/MyDjangoAppStaging/{name}", "Value": value} for name, value in VALUES.items()]
    asked = {"Names": sorted(f"/MyDjangoAppStaging/{name}" for name in VALUES)}
    ssm = scripted("ssm", ("get_parameters", asked, {"Parameters": entries}))
    values = read_parameters(ssm, "MyDjangoAppStaging", PLACE_PARAMETERS, published_by=RELEASING)
    assert task_place(values) == PLACE


def test_its_parameters_are_published_by_the_stacks(organization: Assembly) -> None:
    made = {parameter.text("Name") for parameter in organization.resources("AWS::SSM::Parameter")}
    assert {f"/MyDjangoAppStaging/{name}" for name in PARAMETERS} <= made


def test_fails_with_the_names_of_the_parameters_that_are_missing() -> None:
    missing = ["/MyDjangoAppStaging/ReleaseLogGroup", "/MyDjangoAppStaging/ClusterName"]
    ssm = scripted("ssm", ("get_parameters", None, {"Parameters": [], "InvalidParameters": missing}))
    with pytest.raises(CommandError) as caught:
        read_parameters(ssm, "MyDjangoAppStaging", PLACE_PARAMETERS, published_by=SERVING)
    assert str(caught.value).startswith(
        "these parameters do not exist: /MyDjangoAppStaging/ClusterName, /MyDjangoAppStaging/ReleaseLogGroup"
    )
    assert "deploy MyDjangoAppStaging up to its stacks Web and Workers" in str(caught.value)
