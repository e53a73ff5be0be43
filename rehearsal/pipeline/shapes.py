"""Pipelines and what happened in them, in the shapes of the API."""

from collections.abc import Mapping
from typing import Any

from rehearsal.pipeline import records
from rehearsal.pipeline.pipelines import Pipeline
from rehearsal.pipeline.records import ActionRun, Execution, Location, StageRun

Shape = dict[str, Any]
_LONGEST_MESSAGE = 5_000  # characters of an error that an answer holds


def pipeline(one: Pipeline) -> Shape:
    """GetPipeline's answer."""
    return {
        "pipeline": {**one.definition.structure, "version": one.version},
        "metadata": {"pipelineArn": one.arn, "created": one.created, "updated": one.updated},
    }


def pipeline_summary(one: Pipeline) -> Shape:
    """A line of ListPipelines."""
    kind = {
        member: one.definition.structure[member]
        for member in ("pipelineType", "executionMode")
        if member in one.definition.structure
    }
    return {
        "name": one.definition.name,
        "version": one.version,
        "created": one.created,
        "updated": one.updated,
        **kind,
    }


def state(one: Pipeline) -> Shape:
    """GetPipelineState's answer."""
    with one.changed:
        return {
            "pipelineName": one.definition.name,
            "pipelineVersion": one.version,
            "stageStates": [_stage_state(one, stage.name) for stage in one.definition.stages],
            "created": one.created,
            "updated": one.updated,
        }


def _stage_state(one: Pipeline, name: str) -> Shape:
    stage, passages = one.definition.stage(name), one.passages.get(name, [])
    assert stage is not None  # noqa: S101 -- the caller has its name from there
    actions = []
    for action in stage.actions:
        runs = (passage.latest(action.name) for passage in reversed(passages))
        latest = next((run for run in runs if run is not None), None)
        shown: Shape = {"actionName": action.name}
        if latest is not None:
            shown["latestExecution"] = _action_execution(latest)
            if latest.revision is not None:
                shown["currentRevision"] = {
                    "revisionId": latest.revision["revisionId"],
                    "revisionChangeId": latest.revision["revisionId"],
                    "created": latest.updated,
                }
        actions.append(shown)
    waiting = [_stage_execution(StageRun(name, other)) for other in one.waiting(name)]
    return {
        "stageName": name,
        "inboundTransitionState": {"enabled": True},
        "actionStates": actions,
        **({"inboundExecutions": waiting, "inboundExecution": waiting[0]} if waiting else {}),
        **({"latestExecution": _stage_execution(passages[-1])} if passages else {}),
    }


def _stage_execution(passage: StageRun) -> Shape:
    return {"pipelineExecutionId": passage.execution_id, "status": passage.status, "type": passage.kind}


def _action_execution(run: ActionRun) -> Shape:
    found: Shape = {
        "actionExecutionId": run.id,
        "status": run.status,
        "summary": run.summary,
        "lastStatusChange": run.updated,
        "token": run.token,
        "externalExecutionId": run.external_id,
        "externalExecutionUrl": run.external_url,
        "errorDetails": _error(run),
    }
    return _given(found)


def _error(run: ActionRun) -> Shape:
    if not run.error_code:
        return {}
    return {"code": run.error_code, "message": run.error_message[:_LONGEST_MESSAGE]}


def execution(one: Execution) -> Shape:
    """An execution, as GetPipelineExecution tells it."""
    found: Shape = {
        "pipelineName": one.definition.name,
        "pipelineVersion": one.version,
        "pipelineExecutionId": one.id,
        "status": one.status,
        "statusSummary": one.summary,
        "artifactRevisions": [
            {member: value for member, value in revision.items() if member != "actionName"}
            for revision in one.revisions
        ],
        "trigger": {"triggerType": one.trigger[0], "triggerDetail": one.trigger[1]},
        "executionMode": one.definition.structure.get("executionMode", "SUPERSEDED"),
        "executionType": one.kind,
        "rollbackMetadata": _given({"rollbackTargetPipelineExecutionId": one.rollback_target}),
    }
    return _given(found)


def execution_summaries(one: Pipeline, succeeded_in: str | None) -> list[Shape]:
    """ListPipelineExecutions' lines, the newest first.

    Args:
        one: the pipeline.
        succeeded_in: only those that succeeded in this stage.
    """
    with one.changed:
        found = [
            execution
            for execution in reversed(one.executions)
            if succeeded_in is None or _succeeded(execution.stages.get(succeeded_in))
        ]
        return [_execution_summary(execution) for execution in found]


def _succeeded(passage: StageRun | None) -> bool:
    return passage is not None and passage.status == records.SUCCEEDED


def _execution_summary(one: Execution) -> Shape:
    shown = execution(one)
    sources = [
        {
            "actionName": revision["actionName"],
            "revisionId": revision["revisionId"],
            "revisionSummary": revision["revisionSummary"],
        }
        for revision in one.revisions
    ]
    kept = (
        "pipelineExecutionId",
        "status",
        "statusSummary",
        "trigger",
        "executionMode",
        "executionType",
        "rollbackMetadata",
    )
    return {
        **{member: shown[member] for member in kept if member in shown},
        "startTime": one.started,
        "lastUpdateTime": one.updated,
        "sourceRevisions": sources,
    }


def action_details(one: Pipeline, execution_id: str | None) -> list[Shape]:
    """ListActionExecutions' lines, the newest first.

    Args:
        one: the pipeline.
        execution_id: only those of this execution.
    """
    with one.changed:
        runs = [
            run
            for execution in one.executions
            if execution_id is None or execution.id == execution_id
            for run in execution.runs()
        ]
        return [
            _action_detail(run, one.region) for run in sorted(runs, key=lambda run: run.started, reverse=True)
        ]


def _action_detail(run: ActionRun, region: str) -> Shape:
    action = run.action
    return {
        "pipelineExecutionId": run.execution_id,
        "actionExecutionId": run.id,
        "pipelineVersion": run.version,
        "stageName": run.stage,
        "actionName": action.name,
        "startTime": run.started,
        "lastUpdateTime": run.updated,
        "status": run.status,
        "input": {
            "actionTypeId": {
                "category": action.category,
                "owner": "AWS",
                "provider": action.provider,
                "version": "1",
            },
            "configuration": dict(action.configuration),
            "resolvedConfiguration": dict(run.configuration),
            "roleArn": action.role_arn,
            "region": action.region or region,
            "inputArtifacts": _artifacts(run.inputs),
            "namespace": action.namespace,
        },
        "output": {
            "outputArtifacts": _artifacts(run.outputs),
            "executionResult": _given(
                {
                    "externalExecutionId": run.external_id,
                    "externalExecutionSummary": run.summary or run.error_message[:_LONGEST_MESSAGE],
                    "externalExecutionUrl": run.external_url,
                    "errorDetails": _error(run),
                }
            ),
            "outputVariables": dict(run.variables),
        },
    }


def _artifacts(found: Mapping[str, Location]) -> list[Shape]:
    return [
        {"name": name, "s3location": {"bucket": location.bucket, "key": location.key}}
        for name, location in found.items()
    ]


def _given(shape: Shape) -> Shape:
    """Leave out what has no value."""
    return {member: value for member, value in shape.items() if value not in ("", {}, [])}
