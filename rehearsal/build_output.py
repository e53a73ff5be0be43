"""What failed builds and tasks of a rehearsed pipeline wrote: kept, for the rehearsal takes its logs down with it."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import FAILED
from rehearsal.emulator import Emulator
from rehearsal.failed_services import SERVICE, why_tasks_stopped
from rehearsal.pipeline.records import INTERNAL_ERROR

_SERVICE = re.compile(rf"(\w+) \[{re.escape(SERVICE)}\]")  # in the error of a CloudFormation action


def what_failed(access: PipelineAccess, emulator: Emulator, account: str, folder: Path) -> list[str]:
    """Keep and tell what failed builds and tasks of the newest execution wrote, as far as it can be found.

    It is asked when the pipeline has failed already: what goes wrong here must not hide that.

    Args:
        access: the pipeline.
        emulator: the running emulator.
        account: the pipeline's account.
        folder: where logs go; made if needed.

    Returns:
        A sentence on each, or on why there is none.
    """
    told: list[str] = []
    looks: Mapping[str, Callable[[], list[str]]] = {
        "builds": lambda: keep_failed(access, emulator, account, folder),
        "tasks": lambda: failed_tasks(access, emulator),
        "actions": lambda: keep_emulator_log(access, emulator, folder),
    }
    for what, look in looks.items():
        try:
            told += look()
        except (BotoCoreError, ClientError) as error:
            told.append(f"what failed {what} wrote cannot be told: {error}")
    return told


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
    for name, build_id in _builds(_failed(access)):
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


def keep_emulator_log(access: PipelineAccess, emulator: Emulator, folder: Path) -> list[str]:
    """Keep the emulator's log if an action of the newest execution died of a mistake of the rehearsal's own.

    Args:
        access: the pipeline.
        emulator: the running emulator.
        folder: where the file goes; made if needed.

    Returns:
        A sentence on it, or nothing.
    """
    if not any(_error(detail).get("code") == INTERNAL_ERROR for detail in _failed(access)):
        return []
    file = folder / "emulator.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(emulator.log_file, file)
    except OSError as error:
        return [f"the emulator's log could not be kept: {error}"]
    return [f"the place of the rehearsal's mistake is in the emulator's log: {file}"]


def failed_tasks(access: PipelineAccess, emulator: Emulator) -> list[str]:
    """Say of each service that a failed deployment of the newest execution names how its last task ended.

    Args:
        access: the pipeline.
        emulator: the running emulator.
    """
    told = []
    for detail in _failed(access):
        given = detail["input"]
        if given["actionTypeId"]["provider"] != "CloudFormation":
            continue
        for logical_id in _SERVICE.findall(_error(detail).get("message", "")):
            account, stack = given["roleArn"].split(":")[4], given["configuration"]["StackName"]
            why = why_tasks_stopped(emulator, account, given["region"], stack=stack, logical_id=logical_id)
            if why:
                told.append("\n".join((f"{detail['actionName']}, {logical_id}: {why[0]}", *why[1:])))
    return told


def _error(detail: Mapping[str, Any]) -> Mapping[str, str]:
    """Code and message of the error of an action."""
    found: Mapping[str, str] = detail.get("output", {}).get("executionResult", {}).get("errorDetails", {})
    return found


def _builds(failed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Name of each failed action that built, and its build."""
    for detail in failed:
        provider = detail["input"]["actionTypeId"]["provider"]
        build_id = detail.get("output", {}).get("executionResult", {}).get("externalExecutionId")
        if provider == "CodeBuild" and build_id:
            yield detail["actionName"], build_id


def _failed(access: PipelineAccess) -> Iterator[Mapping[str, Any]]:
    """The last runs of actions, as far as they failed: one that was retried is nobody's problem any more."""
    seen: set[tuple[str, str]] = set()
    execution = access.view().execution_id
    pages = access.api.get_paginator("list_action_executions").paginate(
        pipelineName=access.name, filter={"pipelineExecutionId": execution}
    )
    for page in pages:
        for detail in page["actionExecutionDetails"]:  # the newest first
            action = (detail["stageName"], detail["actionName"])
            if detail["status"] == FAILED and action not in seen:
                yield detail
            seen.add(action)


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
