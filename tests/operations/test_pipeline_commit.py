"""Which commit a release is called by, and when it is asked for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from config.artifacts import source_of
from operations.commands.approve import confirm
from operations.errors import CommandError
from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import IN_PROGRESS, ActionView, StageView
from tests import documents
from tests.operations.support import scripted

ID = "01234567-0123-0123-0123-0123456789ab"
OURS, OTHER = "acme/landing-zone", "acme/shop"
TIME = datetime(2025, 1, 1, tzinfo=UTC)


def _source(repository: str) -> dict[str, Any]:
    return {
        "name": repository.replace("/", "_"),
        "actionTypeId": {
            "category": "Source",
            "owner": "AWS",
            "provider": "CodeStarSourceConnection",
            "version": "1",
        },
        "outputArtifacts": [{"name": source_of(repository)}],
    }


def _access(*answers: Any) -> PipelineAccess:
    configuration = documents.configured(documents.changed({"pipeline.repository": OURS}))
    return PipelineAccess(scripted("codepipeline", *answers), "line", configuration)


def _execution(*repositories: str) -> Any:
    revisions = [{"name": source_of(one), "revisionId": f"commit of {one}"} for one in repositories]
    answer = {"pipelineExecution": {"pipelineExecutionId": ID, "artifactRevisions": revisions}}
    return ("get_pipeline_execution", None, answer)


def test_a_release_is_called_by_this_projects_commit_and_not_by_a_workloads() -> None:
    access = _access(_execution(OTHER, OURS), _execution(OTHER))
    assert access.commit(ID) == f"commit of {OURS}"
    assert access.commit(ID) == "", "the workload's source was quicker"


def test_the_newest_execution_is_shown_with_this_projects_commit() -> None:
    repositories = (OTHER, OURS)
    revisions = [
        {"actionName": one.replace("/", "_"), "revisionId": f"commit of {one}"} for one in repositories
    ]
    stages = [
        {"name": "Source", "actions": [_source(one) for one in repositories]},
        {"name": "Gate", "actions": []},
    ]
    summary = {"pipelineExecutionId": ID, "status": IN_PROGRESS, "sourceRevisions": revisions}
    shown = _access(
        (
            "get_pipeline",
            None,
            {"pipeline": {"name": "line", "roleArn": "arn:aws:iam::1:role/x", "stages": stages}},
        ),
        ("get_pipeline_state", None, {"pipelineVersion": 1, "stageStates": []}),
        ("list_pipeline_executions", None, {"pipelineExecutionSummaries": [summary]}),
    ).view()
    assert shown.commit == f"commit of {OURS}"


@pytest.mark.parametrize(("environment", "yes"), [("production", True), ("staging", False)])
def test_an_approval_that_asks_nobody_does_not_ask_aws_for_the_commit(environment: str, *, yes: bool) -> None:
    access = _access()  # whatever it is asked, it refuses
    where = StageView("Gate", IN_PROGRESS, ID, 0, ())
    waits = ActionView("Approve", "Approval", 1, status=IN_PROGRESS, token="t")
    confirm(access, access.configuration.find_stage(environment), where, waits, yes=yes)


def test_who_is_asked_before_production_is_told_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    access = _access(_execution(OURS))
    where = StageView("Gate", IN_PROGRESS, ID, 0, ())
    waits = ActionView("Approve", "Approval", 1, status=IN_PROGRESS, summary="what changes", token="t")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(CommandError, match="there is no terminal to ask on"):
        confirm(access, access.configuration.find_stage("production"), where, waits, yes=False)
    access.api.assert_all_asked()
