"""A checkout released once more, and a service that fails in a release."""

import json
import os
from dataclasses import asdict, replace
from fcntl import LOCK_EX, flock
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from config import Configuration
from operations.errors import CommandError
from operations.pipeline_view import SUCCEEDED
from operations.rehearsed import ROOT
from rehearsal import by_pipeline, pushing
from rehearsal.approver import Approver
from rehearsal.build_output import failed_tasks, what_failed
from rehearsal.by_pipeline import RELEASED
from rehearsal.door import DoorState
from rehearsal.door import controller as door_controller
from rehearsal.fixed import sites_of
from rehearsal.kept import PREFIX, WORK, remember
from rehearsal.pipeline_run import PipelineError
from rehearsal.progress import Progress
from tests import documents
from tests.rehearsal.conftest import TOOLING, Cloud
from tests.rehearsal.pipeline_template import (
    BRANCH,
    SYNTH,
    action,
    build,
    project,
    stack_actions,
    stage,
    synth,
)
from tests.rehearsal.pipelines import access, deploy, deploy_role, following
from tests.rehearsal.workload import Workload

pytestmark = pytest.mark.rehearsal


def test_a_service_that_does_not_start_is_told_with_its_last_lines(
    cloud: Cloud, tmp_path: Path, workload: Workload
) -> None:
    service = {
        "Cluster": workload.cluster,
        "TaskDefinition": workload.define("bin/end", "9"),
        "DesiredCount": 1,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}},
        "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}},
    }
    template = {"Resources": {"Web": {"Type": "AWS::ECS::Service", "Properties": service}}}
    roles = deploy_role(cloud)
    # As the execution role of the bootstrap, whose rights CloudFormation uses to pass the tasks' roles.
    cloud.client("iam").attach_role_policy(
        RoleName=roles[1].rpartition("/")[2], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    line = deploy(
        cloud,
        tmp_path / "source",
        [synth(), stage("Deploy", *stack_actions(f"serving-{roles[0][-8:]}", roles))],
        SYNTH,
        files={"out/topic.json": json.dumps(template), "out/config.json": "{}"},
        assumes=roles[:1],
    )
    with pytest.raises(PipelineError, match="Circuit Breaker"):
        following(line, []).follow()

    (told,) = failed_tasks(access(line), cloud.emulator)

    assert ".Deploy, Web: task" in told
    assert "exit code 9" in told
    assert told.endswith("ending with 9")
    gone = replace(access(line), name="gone")
    without = what_failed(gone, cloud.emulator, TOOLING, tmp_path / "logs")
    assert ["PipelineNotFoundException" in one for one in without] == [True, True, True]


def test_a_mistake_of_the_rehearsal_is_told_in_one_line_and_its_place_is_kept(
    cloud: Cloud, tmp_path: Path
) -> None:
    # What CodePipeline would refuse when it is created, and the rehearsal does not look for.
    nameless = action("Nameless", "CloudFormation", {"ActionMode": "DELETE_ONLY"})
    line = deploy(cloud, tmp_path / "source", [stage("Deploy", nameless)])
    with pytest.raises(PipelineError, match=r"failed:\n *KeyError: 'StackName' \(a mistake of the rehearsal"):
        following(line, []).follow()

    (told,) = what_failed(access(line), cloud.emulator, TOOLING, tmp_path / "logs")

    kept = tmp_path / "logs" / "emulator.log"
    assert told == f"the place of the rehearsal's mistake is in the emulator's log: {kept}"
    log = kept.read_text()
    assert "Deploy/Nameless\nTraceback (most recent call last):" in log
    assert "rehearsal/pipeline/stacks.py" in log


def test_a_checkout_is_released_once_more_to_the_rehearsal_that_is_up(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, up = tmp_path / "checkout", tmp_path / f"{PREFIX}up"
    line = deploy(
        cloud,
        checkout,
        [stage("Work", build("Grep"))],
        {"Grep": project(["cat README", "grep hello README"])},
    )
    assert line.wait(line.first())["status"] == SUCCEEDED
    (checkout / "README").write_text("good bye")
    before = up / WORK / RELEASED / "manifest.json"
    before.parent.mkdir(parents=True)
    before.touch()
    (up / "aws").symlink_to(cloud.emulator.directory)
    state = {"project": str(ROOT), "by_pipeline": False}
    remember(up, state)
    changes = {"pipeline.repository": line.repository, "pipeline.branch": BRANCH}
    configuration = documents.configured(documents.changed(changes))
    (up / "door").mkdir()
    door = DoorState(os.getpid(), "", "", (), sites_of(configuration.stages()), "")
    (up / "door" / "door.json").write_text(json.dumps(asdict(door)), encoding="utf-8")
    monkeypatch.setattr(door_controller, "is_running", lambda *_: True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(by_pipeline, "find_pipeline", lambda _: line.name)
    shown = Console(file=StringIO(), width=200)
    progress = Progress(Console(file=StringIO()))

    def again(configuration: Configuration = configuration) -> int:
        approver = Approver("auto", progress, shown)
        return pushing.push(configuration, root=checkout, progress=progress, approver=approver, console=shown)

    with pytest.raises(CommandError, match="its pipeline has never run"):
        again()
    remember(up, {**state, "by_pipeline": True})
    with pytest.raises(CommandError, match="without account 555555555555") as told:
        again(documents.configured(documents.with_second_workload()))
    assert told.value.exit_code == 2
    with (up / pushing.LOCK).open("w") as lock:
        flock(lock, LOCK_EX)
        with pytest.raises(CommandError, match="another terminal releases"):
            again()
    with monkeypatch.context() as without_git:
        without_git.setenv("PATH", str(up))
        assert again() == 1
    assert "git was not found" in shown.file.getvalue()  # type: ignore[attr-defined]

    code = again()

    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert code == 1
    assert "Work/Grep failed" in text
    assert "good bye" in text
    assert "released: commit" in text
    assert "acme: NOT released" in text
    assert before.exists(), "what runs is still that of the release before"
    assert len(line.api.list_pipeline_executions(pipelineName=line.name)["pipelineExecutionSummaries"]) == 2
