"""A pipeline followed as `./lz rehearse` does it, and looked at and answered as people do."""

import json
import uuid
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from config import load
from config.artifacts import source_of
from config.naming import Names, packet_key
from operations.errors import CommandError
from operations.packet.waiting import FILES, waiting_packet
from operations.pipeline_access import waiting_approval
from operations.pipeline_table import drawn
from operations.pipeline_view import FAILED, NOT_RUN, SUCCEEDED, find_pipeline
from rehearsal.build_output import keep_failed
from rehearsal.pipeline_run import PipelineError
from tests.rehearsal.conftest import REGION, TOOLING, Cloud
from tests.rehearsal.pipeline_template import allow, approval, build, project, stage
from tests.rehearsal.pipelines import access, deploy, error, eventually, following, push

pytestmark = pytest.mark.rehearsal


def test_what_a_person_does_is_done_at_the_preflight_the_placeholder_and_the_approval(
    cloud: Cloud, tmp_path: Path
) -> None:
    entered: list[str] = []
    marker, built = tmp_path / "entered", tmp_path / "built"
    servers = "printf 'enter these:\\n\\n    ns-1.example.\\n    ns-2.example.\\n\\n'"
    line = deploy(
        cloud,
        tmp_path / "source",
        [
            stage("Shared", build("DnsPreflight")),
            stage(
                "ProductionWave1",
                build(
                    "Shop.RefusePlaceholder-Shop",  # as in a wave; alone there is no environment before it
                    configuration={"ProjectName": {"Ref": "ProjectRefusePlaceholder"}},
                ),
                approval("Approve", order=2),
            ),
        ],
        {
            "DnsPreflight": project([f"test -e {marker} || {{ {servers}; exit 1; }}"]),
            "RefusePlaceholder": project([f"test -e {built} || {{ touch {built}; exit 1; }}"]),
        },
    )
    run = following(line, entered, marker)

    execution = run.follow()

    assert line.execution(execution)["status"] == SUCCEEDED
    assert execution != line.first()
    assert run.executions == 2
    assert entered == ["ns-1.example.", "ns-2.example."]
    assert len(run.helped) == 2
    assert {action.status for action in run.actions} == {SUCCEEDED}


def test_what_nobody_can_help_is_told_in_a_few_lines(cloud: Cloud, tmp_path: Path) -> None:
    # What it says at last is not in its command, which the error names too.
    noise = "for n in $(seq 40); do echo line $n; done; printf '%06000d\\n' 7; echo the $(echo cause); exit 3"
    marker = tmp_path / "entered"
    preflight = f"test -e {marker} || {{ printf 'enter:\\n    ns-1.example.\\n'; exit 1; }}"
    line = deploy(
        cloud,
        tmp_path / "source",
        [stage("Shared", build("DnsPreflight")), stage("Work", build("Break"))],
        {"DnsPreflight": project([preflight]), "Break": project([noise])},
    )

    with pytest.raises(PipelineError, match="Work/Break failed") as told:
        following(line, [], marker).follow()

    assert "the cause" in str(told.value)
    assert len(str(told.value).splitlines()) < 10
    (kept,) = keep_failed(access(line), cloud.emulator, TOOLING, tmp_path / "logs")
    assert kept == f"all that Break wrote: {tmp_path / 'logs' / 'Break.log'}", "not of what a retry mended"
    assert "line 1\n" in (tmp_path / "logs" / "Break.log").read_text()
    view = access(line).view()
    shown = Console(file=StringIO(), width=100)
    shown.print(drawn(view, every=True))
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert view.status == FAILED
    assert "Work/Break failed" in text
    assert max(map(len, text.splitlines())) <= 100


def test_an_approval_is_found_by_its_environment(cloud: Cloud, tmp_path: Path) -> None:
    configuration = load()
    production = configuration.find_stage("production")
    line = deploy(cloud, tmp_path / "source", [stage("Gate", approval(f"Approve-{production.stage_name}"))])
    line.token("Gate", f"Approve-{production.stage_name}")

    where, action = waiting_approval(access(line), production)

    assert (where.name, action.summary) == ("Gate", "Release it?")
    with pytest.raises(CommandError, match="no approval of my-django-app/staging waits") as told:
        waiting_approval(access(line), configuration.find_stage("staging"))
    assert str(told.value).endswith("./lz pipeline status --rehearsal")
    access(line).answer(where, action, status="Rejected", summary="not today")
    execution = line.first()
    assert line.wait(execution)["status"] == FAILED
    assert "not today" in error(line.actions(execution)[action.name])


def test_who_is_asked_is_shown_what_waits_and_not_what_was_pushed_since(cloud: Cloud, tmp_path: Path) -> None:
    """A workload has a repository of its own here: its commit is not the one that is asked about."""
    production = load().find_stage("production")
    own = f"acme/{uuid.uuid4().hex[:8]}"
    other = push(cloud, own, {"README": "a workload"}, tmp_path / "workload").commit.id

    def add_source(resources: dict[str, Any]) -> None:
        actions = resources["Pipeline"]["Properties"]["Stages"][0]["Actions"]
        actions[0]["OutputArtifacts"] = [{"Name": source_of(load().pipeline.repository)}]
        second = json.loads(json.dumps(actions[0]))
        second |= {"Name": "Workload", "OutputArtifacts": [{"Name": source_of(own)}], "Namespace": "Workload"}
        second["Configuration"]["FullRepositoryId"] = own
        second["RunOrder"], actions[0]["RunOrder"] = 1, 2
        actions.insert(0, second)

    line = deploy(
        cloud,
        tmp_path / "source",
        [stage("Gate", approval(f"Approve-{production.stage_name}"))],
        change=add_source,
    )
    line.token("Gate", f"Approve-{production.stage_name}")
    first = access(line).view().commit
    assert first not in ("", other)
    line.push({"README": "later"}, tmp_path / "source")
    later = line.start()
    eventually(lambda: access(line).view().commit, lambda commit: commit not in ("", first))
    bucket = Names(load()).records_bucket
    s3 = cloud.client("s3", TOOLING)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    session = boto3.Session(aws_access_key_id=TOOLING, aws_secret_access_key="x", region_name=REGION)

    where, action = waiting_approval(access(line), production)

    assert access(line).commit(where.execution_id) == first
    summaries = line.api.list_pipeline_executions(pipelineName=line.name)["pipelineExecutionSummaries"]
    assert {one["actionName"] for one in summaries[-1]["sourceRevisions"]} == {"Source", "Workload"}
    assert access(line).view().execution_id == later
    assert f"./lz packet --env {production.key} --waiting --rehearsal" in " ".join(
        access(line).how_to_answer(action)
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.emulator.environment(TOOLING).items():
            patch.setenv(name, value)
        with pytest.raises(CommandError, match="there is no packet"):
            waiting_packet(access(line), session, Names(load()), production)
        for execution in (line.first(), later):
            for name in FILES:
                key = packet_key(production.stage_name, execution, name)
                s3.put_object(Bucket=bucket, Key=key, Body=f"{name} of {execution}".encode())
        packet = waiting_packet(access(line), session, Names(load()), production)
    assert packet == {name: f"{name} of {line.first()}" for name in FILES}


def test_an_action_that_did_not_run_in_this_execution_is_no_success_of_an_older_one(
    cloud: Cloud, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    line = deploy(
        cloud,
        tmp_path / "source",
        [stage("Work", build("First"), build("Second", order=2)), stage("Last", build("Third"))],
        {"First": project([f"test ! -e {marker}"]), "Second": project(["true"]), "Third": project(["true"])},
    )
    line.wait(line.first())
    marker.touch()
    line.wait(line.start())
    run = following(line, [])
    with pytest.raises(PipelineError, match="Work/First failed"):
        run.follow()

    (work,) = [one for one in access(line).view().stages if one.name == "Work"]

    assert {action.name: action.status for action in work.actions} == {"First": FAILED, "Second": NOT_RUN}
    shown = Console(file=StringIO(), width=100)
    shown.print(drawn(access(line).view(), every=False))
    stages = [text.split(maxsplit=1) for text in shown.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    told = {words[0]: words[1] for words in stages if len(words) == 2}
    assert told["Last"].startswith("succeeded, an earlier release")
    assert told["Work"].startswith("failed  "), "that is of this one"
    assert {action.name for action in run.actions} == {"Source", "First"}, (
        "not what ran in the release before"
    )


def test_a_pipeline_that_changes_itself_starts_again_and_converges(cloud: Cloud, tmp_path: Path) -> None:
    """The build deploys the pipeline's own stack, as the CDK's self-mutation does."""
    template = tmp_path / "template.json"
    script = (
        "import boto3, sys\n"
        "api = boto3.client('cloudformation')\n"
        f"body = open('{template}').read()\n"
        "try:\n"
        "    api.update_stack(StackName=sys.argv[1], TemplateBody=body, Capabilities=['CAPABILITY_NAMED_IAM'])\n"
        "except api.exceptions.ClientError as error:\n"
        "    assert 'No updates' in str(error), error\n"
    )
    python = json.dumps(_packages())

    def may_deploy(resources: dict[str, Any]) -> None:
        (inline,) = resources["BuildRole"]["Properties"]["Policies"]
        inline["PolicyDocument"]["Statement"].append(allow("cloudformation:UpdateStack"))

    line = deploy(
        cloud,
        tmp_path / "source",
        [stage("Gate", approval("Wait")), stage("Update", build("SelfMutate"))],
        {"SelfMutate": project([f"PYTHONPATH={python} python3 mutate.py $(cat {tmp_path}/stack)"])},
        files={"mutate.py": script},
        change=may_deploy,
    )
    (tmp_path / "stack").write_text(line.stack.name)
    line.resources["Pipeline"]["Properties"]["Stages"].append(stage("New", approval("Added")))
    template.write_text(json.dumps({"Resources": line.resources, "Outputs": {}}))
    first = line.first()
    run = following(line, [])

    last = run.follow()

    assert line.execution(first)["status"] == "Cancelled"
    assert line.execution(last)["pipelineVersion"] == 2
    assert run.executions == 2
    assert list(line.actions(last))[-1] == "Added"
    assert len(line.api.list_pipeline_executions(pipelineName=line.name)["pipelineExecutionSummaries"]) == 2
    with pytest.raises(Exception, match="PipelineExecutionOutdated"):
        line.api.rollback_stage(pipelineName=line.name, stageName="Gate", targetPipelineExecutionId=first)


def test_the_deployed_pipeline_is_found_by_its_stack(cloud: Cloud) -> None:
    with pytest.raises(CommandError, match="is not deployed") as told:
        find_pipeline(cloud.client("cloudformation", TOOLING))

    assert "./lz cdk -- deploy Registry Pipeline" in str(told.value)


def _packages() -> str:
    return str(Path(boto3.__file__).parents[1])
