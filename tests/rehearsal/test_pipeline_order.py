"""Pipelines: order, artifacts, variables, approvals, queued executions."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.conftest import TOOLING, Cloud
from tests.rehearsal.pipeline_template import approval, build, project, stage
from tests.rehearsal.pipelines import access, deploy, error, eventually

pytestmark = pytest.mark.rehearsal


def test_stages_run_in_order_and_actions_of_one_run_order_side_by_side(cloud: Cloud, tmp_path: Path) -> None:
    # Each of the two waits for the other: one after the other they would never end.
    meet = "touch {own}; for n in $(seq 200); do [ -e {other} ] && exit 0; sleep 0.05; done; exit 1"
    left, right = tmp_path / "left", tmp_path / "right"
    line = deploy(
        cloud,
        tmp_path / "source",
        [
            stage("One", build("Left"), build("Right"), build("After", order=2, outputs=["Text"])),
            stage("Two", build("Reader", inputs=["Source", "Text"], configuration={"PrimarySource": "Text"})),
        ],
        {
            "Left": project([meet.format(own=left, other=right)]),
            "Right": project([meet.format(own=right, other=left)]),
            "After": project(
                ["mkdir out", "cp README out/text", "chmod 755 out/text"],
                artifacts={"base-directory": "out", "files": "**/*"},
            ),
            "Reader": project(["test -x text", 'test "$(cat text)" = hello']),
        },
    )

    done = line.wait(line.first())

    actions = line.actions(line.first())
    assert done["status"] == "Succeeded", [error(one) for one in actions.values()]
    assert done["trigger"]["triggerType"] == "CreatePipeline"
    assert next(iter(actions)) == "Source"
    assert list(actions)[-2:] == ["After", "Reader"]
    assert actions["After"]["startTime"] >= max(actions[one]["lastUpdateTime"] for one in ("Left", "Right"))
    assert {one["status"] for one in line.stages().values() for one in [one["latestExecution"]]} == {
        "Succeeded"
    }


def test_variables_are_resolved_and_one_without_a_value_is_named(cloud: Cloud, tmp_path: Path) -> None:
    commit = {"name": "COMMIT", "value": "#{Code.CommitId}"}
    values = json.dumps([commit, {"name": "RUN", "value": "#{codepipeline.PipelineExecutionId}"}])
    line = deploy(
        cloud,
        tmp_path / "source",
        [
            stage(
                "Build",
                build("Show", configuration={"EnvironmentVariables": values}),
                build(
                    "Lost",
                    order=2,
                    configuration={"EnvironmentVariables": '[{"name":"X","value":"#{Nowhere.Y}"}]'},
                ),
            )
        ],
        {
            "Show": project(['test "$(git rev-parse HEAD)" = "$COMMIT"', 'echo "run $RUN"']),
            "Lost": project(["true"]),
        },
    )
    execution = line.first()

    done = line.wait(execution)

    actions = line.actions(execution)
    assert actions["Show"]["status"] == "Succeeded", error(actions["Show"])
    assert done["status"] == "Failed"
    assert "#{Nowhere.Y}" in error(actions["Lost"])
    assert (
        done["artifactRevisions"][0]["revisionId"]
        == actions["Source"]["output"]["outputVariables"]["CommitId"]
    )
    logged = cloud.client("logs", TOOLING).filter_log_events(logGroupName=line.stack.ids["Logs"])["events"]
    assert f"run {execution}" in [event["message"] for event in logged]


def test_an_approval_waits_and_its_answer_decides(cloud: Cloud, tmp_path: Path) -> None:
    line = deploy(cloud, tmp_path / "source", [stage("Release", approval("Ask"))])
    first = line.first()
    token = line.token("Release", "Ask")
    assert line.execution(first)["status"] == "InProgress"

    with pytest.raises(ClientError, match="InvalidApprovalToken"):
        line.api.put_approval_result(
            pipelineName=line.name,
            stageName="Release",
            actionName="Ask",
            result={"summary": "", "status": "Approved"},
            token=first,
        )
    line.answer("Release", "Ask")
    assert line.wait(first)["status"] == "Succeeded"
    with pytest.raises(ClientError, match="ApprovalAlreadyCompleted"):
        line.api.put_approval_result(
            pipelineName=line.name,
            stageName="Release",
            actionName="Ask",
            result={"summary": "", "status": "Approved"},
            token=token,
        )

    second = line.start()
    line.answer("Release", "Ask", "Rejected")
    assert line.wait(second)["status"] == "Failed"
    assert error(line.actions(second)["Ask"]) == "Rejected: Rejected by a test"


def test_executions_queue_before_a_stage_and_pass_it_one_by_one(cloud: Cloud, tmp_path: Path) -> None:
    line = deploy(
        cloud, tmp_path / "source", [stage("Gate", approval("Ask")), stage("End", approval("Last"))]
    )
    first = line.first()
    line.token("Gate", "Ask")
    second, third = line.start(), line.start()

    waiting = eventually(
        lambda: line.stages()["Gate"].get("inboundExecutions", []), lambda found: len(found) == 2
    )

    assert [one["pipelineExecutionId"] for one in waiting] == [second, third]
    for execution in (first, second):
        line.answer("Gate", "Ask")
        line.answer("End", "Last")
        assert line.wait(execution)["status"] == "Succeeded"
    assert line.execution(third)["status"] == "InProgress"
    line.api.stop_pipeline_execution(
        pipelineName=line.name, pipelineExecutionId=third, abandon=True, reason="enough"
    )
    assert line.wait(third)["status"] == "Stopped"
    assert line.actions(third)["Ask"]["status"] == "Abandoned"
    with pytest.raises(ClientError, match="PipelineExecutionNotStoppable"):
        line.api.stop_pipeline_execution(pipelineName=line.name, pipelineExecutionId=third)


def test_a_failed_stage_is_retried_with_what_failed_or_with_all(cloud: Cloud, tmp_path: Path) -> None:
    marker, count = tmp_path / "marker", tmp_path / "count"
    line = deploy(
        cloud,
        tmp_path / "source",
        [stage("Build", build("Count"), build("Wait", order=2)), stage("After", build("End"))],
        {
            "Count": project([f"echo x >> {count}"]),
            "Wait": project([f"test -e {marker}"]),
            "End": project(["true"]),
        },
    )
    execution = line.first()
    assert line.wait(execution)["status"] == "Failed"
    assert "test -e" in error(line.actions(execution)["Wait"])
    assert "End" not in line.actions(execution)

    person = access(line)
    failed = person.failed_stage(person.view(), None)
    person.retry(failed, everything=False)
    line.wait(execution)
    assert count.read_text().split() == ["x"]
    marker.touch()
    person.retry(failed, everything=True)

    eventually(lambda: line.execution(execution), lambda one: one["status"] == "Succeeded")
    assert count.read_text().split() == ["x", "x"]
    with pytest.raises(ClientError, match="StageNotRetryable"):
        person.retry(failed, everything=True)


def test_a_stage_is_rolled_back_with_the_artifacts_of_an_earlier_execution(
    cloud: Cloud, tmp_path: Path
) -> None:
    shown = tmp_path / "shown"
    line = deploy(
        cloud,
        tmp_path / "source",
        [stage("Show", build("Deploy"))],
        {"Deploy": project([f"cat README >> {shown}"])},
        files={"README": "one\n"},
    )
    first = line.first()
    assert line.wait(first)["status"] == "Succeeded"
    line.push({"README": "two\n"}, tmp_path / "source")
    second = line.start()
    assert line.wait(second)["status"] == "Succeeded"

    rollback = line.api.rollback_stage(
        pipelineName=line.name, stageName="Show", targetPipelineExecutionId=first
    )["pipelineExecutionId"]

    done = line.wait(rollback)
    assert done["status"] == "Succeeded"
    assert done["executionType"] == "ROLLBACK"
    assert done["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == first
    assert list(line.actions(rollback)) == ["Deploy"]
    assert shown.read_text().split() == ["one", "two", "one"]
    succeeded = line.api.list_pipeline_executions(
        pipelineName=line.name, filter={"succeededInStage": {"stageName": "Show"}}
    )["pipelineExecutionSummaries"]
    assert [one["pipelineExecutionId"] for one in succeeded] == [rollback, second, first]
    with pytest.raises(ClientError, match="UnableToRollbackStage"):
        line.api.rollback_stage(pipelineName=line.name, stageName="Source", targetPipelineExecutionId=first)
