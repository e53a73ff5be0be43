"""Which release `./lz pipeline retry` takes, and whom it asks before production."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from config.artifacts import source_of
from operations import cli
from operations.commands import pipeline, reject
from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import FAILED, IN_PROGRESS, SUCCEEDED
from tests import documents

NEW, OLD = "new-id", "old-id"
REPOSITORY = "acme/landing-zone"
FOLLOW = "follow it: ./lz pipeline status --watch"
TIME = datetime(2025, 1, 1, tzinfo=UTC)


class _Terminal(io.StringIO):
    """A keyboard, with what is typed on it."""

    def isatty(self) -> bool:
        return True


class _Pages:
    """The actions of an execution: in each stage that it failed in, Deploy failed after Check."""

    def __init__(self, stages: Mapping[str, tuple[str, str]]) -> None:
        self._stages = stages

    def paginate(self, *, filter: Mapping[str, str], **_given: str) -> Sequence[Mapping[str, Any]]:  # noqa: A002 -- boto3's name
        found = [
            {"stageName": name, "actionName": action, "status": status, "startTime": TIME}
            for name, (stage_status, execution) in self._stages.items()
            if execution == filter["pipelineExecutionId"]
            for action, status in (("Check", SUCCEEDED), ("Deploy", stage_status))
        ]
        return [{"actionExecutionDetails": found}]


class _Api:
    """CodePipeline, as far as a retry needs it.

    Args:
        stages: stage -> its status, and the execution that it has it of.
    """

    def __init__(self, **stages: tuple[str, str]) -> None:
        self._stages = stages
        self.retried: list[Mapping[str, str]] = []
        self.answered: list[Mapping[str, Any]] = []

    def get_pipeline(self, **_given: str) -> Mapping[str, Any]:
        return {"pipeline": {"stages": []}}

    def get_pipeline_state(self, **_given: str) -> Mapping[str, Any]:
        states = [
            {
                "stageName": name,
                "latestExecution": {"pipelineExecutionId": execution, "status": status},
                "actionStates": [
                    {"actionName": "Check"},
                    {"actionName": "Deploy", "latestExecution": {"token": "t"}},
                ],
            }
            for name, (status, execution) in self._stages.items()
        ]
        return {"stageStates": states}

    def list_pipeline_executions(self, **_given: Any) -> Mapping[str, Any]:
        return {"pipelineExecutionSummaries": [{"pipelineExecutionId": NEW, "status": IN_PROGRESS}]}

    def get_paginator(self, _name: str) -> _Pages:
        return _Pages(self._stages)

    def get_pipeline_execution(self, *, pipelineExecutionId: str, **_given: str) -> Mapping[str, Any]:  # noqa: N803 -- boto3's name
        revision = {"name": source_of(REPOSITORY), "revisionId": f"0123456789ab-of-{pipelineExecutionId}"}
        return {"pipelineExecution": {"artifactRevisions": [revision]}}

    def retry_stage_execution(self, **given: str) -> None:
        self.retried.append(given)

    def put_approval_result(self, **given: Any) -> None:
        self.answered.append(given)


@pytest.fixture
def lz(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command against such a pipeline: its exit code, and what it wrote, the question too."""

    def run(api: _Api, *arguments: str, typed: str | None = None) -> tuple[int, str]:
        document = documents.changed({"pipeline.repository": REPOSITORY})
        access = PipelineAccess(api, "line", documents.configured(document))
        for module in (pipeline, reject):
            monkeypatch.setattr(module, "pipeline_access", lambda **_given: access)
        monkeypatch.setattr("sys.stdin", io.StringIO() if typed is None else _Terminal(typed))
        code = cli.main(arguments)
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return run


def _retried(stage: str, execution: str, mode: str = "FAILED_ACTIONS") -> list[Mapping[str, str]]:
    wanted = {"pipelineName": "line", "stageName": stage, "pipelineExecutionId": execution}
    return [{**wanted, "retryMode": mode}]


def test_a_no_before_production_leaves_the_stage_as_it_is(lz: Any) -> None:
    api = _Api(**{documents.PRODUCTION: (FAILED, NEW)})
    code, shown = lz(api, "pipeline", "retry", typed="n\n")
    domain = documents.configured(documents.sample()).find_stage("production").environment.domain
    assert f"Run Deploy of {documents.PRODUCTION} again ({domain})?" in shown
    assert f"not retried: {documents.PRODUCTION} stays as it is" in shown
    assert (code, api.retried) == (1, [])


def test_without_a_terminal_production_needs_a_yes(lz: Any) -> None:
    api = _Api(**{documents.PRODUCTION: (FAILED, NEW)})
    code, shown = lz(api, "pipeline", "retry")
    assert "is production, and there is no terminal to ask on" in shown
    assert "add --yes" in shown
    assert (code, api.retried) == (2, [])

    assert lz(api, "pipeline", "retry", "--yes") == (
        0,
        f"retried in {documents.PRODUCTION}: Deploy\n{FOLLOW}\n",
    )
    assert api.retried == _retried(documents.PRODUCTION, NEW)


def test_all_runs_every_action_again(lz: Any) -> None:
    api = _Api(**{documents.PRODUCTION: (FAILED, NEW)})
    code, shown = lz(api, "pipeline", "retry", "--all", typed="y\n")
    assert f"Run all actions of {documents.PRODUCTION} again (" in shown
    assert f"retried in {documents.PRODUCTION}: all actions\n{FOLLOW}\n" in shown
    assert (code, api.retried) == (0, _retried(documents.PRODUCTION, NEW, "ALL_ACTIONS"))


@pytest.mark.parametrize(
    "stage", ["Source", "Build", "UpdatePipeline", "Assets", "Assets.2", "SharedServices", documents.STAGING]
)
def test_before_production_nobody_is_asked(lz: Any, stage: str) -> None:
    api = _Api(**{stage: (FAILED, NEW)})
    assert lz(api, "pipeline", "retry") == (0, f"retried in {stage}: Deploy\n{FOLLOW}\n")
    assert api.retried == _retried(stage, NEW)


@pytest.mark.parametrize("stage", ["ProductionWave7", "ShopProduction", "AssetsProduction", "BuildLive.1"])
def test_a_stage_that_the_checkout_does_not_know_may_be_production(lz: Any, stage: str) -> None:
    api = _Api(**{stage: (FAILED, NEW)})
    code, shown = lz(api, "pipeline", "retry")
    assert f"{stage} is not in this configuration and may be production, and there is no terminal" in shown
    assert (code, api.retried) == (2, [])

    code, shown = lz(api, "pipeline", "retry", typed="n\n")
    assert f"Run Deploy of {stage} again (not in this configuration, may be production)?" in shown
    assert (code, api.retried) == (1, [])

    assert lz(api, "pipeline", "retry", "--yes")[0] == 0
    assert api.retried == _retried(stage, NEW)


def test_the_newest_release_is_retried_and_not_an_earlier_one_that_failed_further_on(lz: Any) -> None:
    api = _Api(**{documents.STAGING: (FAILED, NEW), documents.PRODUCTION: (FAILED, OLD)})
    assert lz(api, "pipeline", "retry")[0] == 0
    assert api.retried == _retried(documents.STAGING, NEW)


def test_an_earlier_release_is_retried_only_by_its_stages_name(lz: Any) -> None:
    api = _Api(**{documents.STAGING: (IN_PROGRESS, NEW), documents.PRODUCTION: (FAILED, OLD)})
    code, shown = lz(api, "pipeline", "retry", "--yes")
    assert "no stage of the newest release has failed" in shown
    assert f"of an earlier release: {documents.PRODUCTION}" in shown
    assert f"./lz pipeline retry --stage {documents.PRODUCTION}" in shown
    assert (code, api.retried) == (1, [])

    named = ("pipeline", "retry", "--stage", documents.PRODUCTION)
    earlier = "an earlier release, commit 0123456789ab"
    code, shown = lz(api, *named, typed="n\n")
    assert f"Run Deploy of {documents.PRODUCTION} again, for {earlier} (" in shown
    assert (code, api.retried) == (1, [])

    code, shown = lz(api, *named, "--yes")
    assert shown.startswith(f"retried in {documents.PRODUCTION}, {earlier}: Deploy\n")
    assert (code, api.retried) == (0, _retried(documents.PRODUCTION, OLD))


def test_who_rejects_is_told_how_that_release_asks_again(lz: Any) -> None:
    """A newer release may be on its way: without the stage's name it would be that one's."""
    api = _Api(**{documents.STAGING: (IN_PROGRESS, OLD)})
    code, shown = lz(api, "reject", "staging", "--reason", "not today")
    assert f"to be asked again: ./lz pipeline retry --stage {documents.STAGING}; or" in shown
    assert (code, len(api.answered)) == (0, 1)
