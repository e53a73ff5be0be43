"""What the failed builds of a rehearsed pipeline wrote: kept, for the rehearsal takes its log groups down with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import FAILED
from rehearsal.emulator import Emulator


def keep_failed(access: PipelineAccess, emulator: Emulator, account: str, folder: Path) -> list[str]:
    """Write the whole log of each build that failed in the newest execution into a file.

    Args:
        access: the pipeline.
        emulator: the running emulator.
        account: the pipeline's account.
        folder: where the files go; made if needed.

    Returns:
        A sentence on each.
    """
    told = []
    for name, build_id in _failed(access):
        (build,) = emulator.client("codebuild", account).batch_get_builds(ids=[build_id])["builds"]
        file = folder / f"{name}.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(
                "\n".join(_lines(emulator.client("logs", account), build["logs"])) + "\n", encoding="utf-8"
            )
        except OSError as error:
            told.append(f"the log of {name} could not be kept: {error}")
        else:
            told.append(f"all that {name} wrote: {file}")
    return told


def _failed(access: PipelineAccess) -> Iterator[tuple[str, str]]:
    """Name of each action that failed, and its build."""
    execution = access.view().execution_id
    pages = access.api.get_paginator("list_action_executions").paginate(
        pipelineName=access.name, filter={"pipelineExecutionId": execution}
    )
    for page in pages:
        for detail in page["actionExecutionDetails"]:
            category = detail["input"]["actionTypeId"]["provider"]
            build_id = detail.get("output", {}).get("executionResult", {}).get("externalExecutionId")
            if detail["status"] == FAILED and category == "CodeBuild" and build_id:
                yield detail["actionName"], build_id


def _lines(logs: Any, where: dict[str, str]) -> Iterator[str]:
    token: dict[str, str] = {}
    while True:
        answer = logs.get_log_events(
            logGroupName=where["groupName"], logStreamName=where["streamName"], startFromHead=True, **token
        )
        yield from (event["message"] for event in answer["events"])
        following = answer["nextForwardToken"]
        if not answer["events"] or token.get("nextToken") == following:
            return
        token = {"nextToken": following}
