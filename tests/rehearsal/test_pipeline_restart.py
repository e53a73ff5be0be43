"""A pipeline whose last action changes the pipeline: whoever follows it must end with the execution that starts anew.

No emulator: the pipeline and the one who follows it are the real ones, in one process, so that their order is forced.
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from config import load
from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import ENDED, SUCCEEDED
from rehearsal import pipeline_run
from rehearsal.approver import Approver
from rehearsal.pipeline import shapes
from rehearsal.pipeline.definition import Action, Definition, Stage
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.pipelines import Pipeline
from rehearsal.pipeline_run import PipelineRun
from rehearsal.progress import Progress


def _action(name: str) -> Action:
    return Action(name, "Build", "CodeBuild", 1, {}, (), (), "", "", "")


def _definition(*stages: str) -> Definition:
    kind = {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"}
    shown = [{"name": name, "actions": [{"name": name, "actionTypeId": kind}]} for name in stages]
    return Definition(
        name="line",
        role_arn="",
        stages=tuple(Stage(name, (_action(name),)) for name in stages),
        stores={},
        restart_on_update=True,
        structure={"name": "line", "stages": shown},
    )


PATIENCE_SECONDS = 30.0


class Looked(Pipeline):
    """Lets somebody look at the pipeline just before an execution starts, if it lets anybody look then.

    Attributes:
        seen: status of the newest execution, each time that somebody could look.
    """

    seen: list[str]

    def start(self, kind: str, detail: str) -> Any:
        looker = threading.Thread(target=self._look)
        looker.start()
        looker.join()
        return super().start(kind, detail)

    def _look(self) -> None:
        if self.changed.acquire(blocking=False):
            self.seen += [one.status for one in self.executions[-1:]]
            self.changed.release()


class Api:
    """The pipeline as boto3 shows it; who follows it is made to look at the right moments.

    Attributes:
        through_source: set when the follower has seen the first stage end.
        knows: set when the follower has been told of the cancellation.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._views = 0
        self.through_source = threading.Event()
        self.knows = threading.Event()

    def get_pipeline(self, **_: str) -> Any:
        """The beginning of a look: the first finds the execution, the second its Source, the third its last stage."""
        self._views += 1
        if self._views == 3:
            self.through_source.set()
            _wait_until_ended(self._pipeline, "Update")
        return shapes.pipeline(self._pipeline)

    def get_pipeline_state(self, **_: str) -> Any:
        return shapes.state(self._pipeline)

    def list_pipeline_executions(self, **_: Any) -> Any:
        return {"pipelineExecutionSummaries": shapes.execution_summaries(self._pipeline, None)}

    def get_pipeline_execution(self, *, pipelineExecutionId: str, **_: str) -> Any:  # noqa: N803 -- boto3's name
        found = shapes.execution(self._pipeline.execution(pipelineExecutionId))
        if found["status"] == "Cancelled":
            self.knows.set()
        return {"pipelineExecution": found}

    def get_paginator(self, _operation: str) -> "Api":
        return self

    def paginate(self, *, filter: Mapping[str, str], **_: str) -> Any:  # noqa: A002
        details = shapes.action_details(self._pipeline, filter["pipelineExecutionId"])
        for detail in details:
            for time in ("startTime", "lastUpdateTime"):
                detail[time] = datetime.fromtimestamp(detail[time], UTC)
        return [{"actionExecutionDetails": details}]


def _wait_until_ended(pipeline: Pipeline, stage: str) -> None:
    def has_ended() -> bool:
        through = pipeline.executions[0].stages.get(stage)
        return through is not None and through.status in ENDED

    with pipeline.changed:
        assert pipeline.changed.wait_for(has_ended, timeout=PATIENCE_SECONDS)


def test_a_restart_by_the_last_action_is_followed_and_nobody_sees_the_cancelled_one_as_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline_run, "POLL_SECONDS", 0.01)

    def perform(work: Work) -> None:
        if work.run.version == 1 and work.action.name == "Update":
            assert api.through_source.wait(PATIENCE_SECONDS)
            work.pipeline.update(_definition("Source", "Update", "New"))
        elif work.run.version == 2 and work.action.name == "Source":
            # Until then the last stage belongs to the cancelled execution, which has succeeded there.
            assert api.knows.wait(PATIENCE_SECONDS)

    pipeline = Looked("111111111111", "eu-west-1", _definition("Source", "Update"), perform)
    pipeline.seen, api = [], Api(pipeline)
    first = pipeline.start("CreatePipeline", "a test")
    _wait_until_ended(pipeline, "Source")
    progress = Progress(Console(file=StringIO()))
    run = PipelineRun(
        PipelineAccess(api, "line", load()),
        progress=progress,
        approver=Approver("auto", progress, Console(file=StringIO())),
        enter=lambda _: None,
    )

    last = run.follow()

    assert first.stages["Update"].status == SUCCEEDED
    assert first.status == "Cancelled"
    assert last == pipeline.executions[-1].id != first.id
    assert run.executions == len(pipeline.executions) == 2
    assert pipeline.seen == [], "between the end of one and the start of the next nobody can look"
