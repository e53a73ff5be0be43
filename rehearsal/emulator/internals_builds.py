"""Every use of the internals of MiniStack's CodeBuild (see `internals.py`); its own builds run nothing and succeed."""

import importlib
import time
from collections.abc import Mapping, MutableMapping
from typing import Any

from rehearsal.emulator.internals import internal

_CODEBUILD = "ministack.services.codebuild"
_PHASES = (
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
)
# Properties of a project that MiniStack does not keep.
_MORE = "rehearsal"


def _build(build_id: str) -> MutableMapping[str, Any]:
    """The record of a build of the account and region in scope."""
    record: MutableMapping[str, Any] = internal(_CODEBUILD, "_builds")[build_id]
    return record


def begin(build_id: str) -> None:
    """Let a build that was started be in progress."""
    build = _build(build_id)
    build["buildStatus"], build["currentPhase"] = "IN_PROGRESS", "PROVISIONING"
    build["phases"] = build["phases"][:1]
    build.pop("endTime", None)


def end(build_id: str, status: str, phase: str) -> None:
    """Note how a build ended.

    Args:
        build_id: the build.
        status: such as SUCCEEDED; one that was stopped stays so.
        phase: the last phase that it was in.
    """
    build = _build(build_id)
    now = int(time.time())
    reached = _PHASES.index(phase) if phase in _PHASES else _PHASES.index("BUILD")
    build["phases"] = [
        {
            "phaseType": name,
            "phaseStatus": status if index == reached else "SUCCEEDED",
            "startTime": build["startTime"],
            "endTime": now,
        }
        for index, name in enumerate(_PHASES[: reached + 1])
    ]
    build["currentPhase"], build["endTime"] = "COMPLETED", now
    if not is_stopped(build_id):
        build["buildStatus"] = status


def is_stopped(build_id: str) -> bool:
    """Whether somebody stopped a build."""
    return bool(_build(build_id)["buildStatus"] == "STOPPED")


def log_stream(build_id: str, group: str, stream: str) -> None:
    """Tell where a build logs to."""
    build = _build(build_id)
    build["logs"] = {**build["logs"], "groupName": group, "streamName": stream}


def keep_project(name: str, settings: Mapping[str, Any]) -> None:
    """Keep what MiniStack leaves out of a project of the account and region in scope.

    Args:
        name: the project.
        settings: further members of BatchGetProjects' answer.
    """
    internal(_CODEBUILD, "_projects")[name][_MORE] = dict(settings)


def tell_whole_projects() -> None:
    """Let BatchGetProjects tell what was kept."""
    module = importlib.import_module(_CODEBUILD)
    original = internal(_CODEBUILD, "_project_shape")

    def shape(project: Mapping[str, Any]) -> dict[str, Any]:
        return {**original(project), **project.get(_MORE, {})}

    module._project_shape = shape  # type: ignore[attr-defined]
