"""The resources that IAM judges a call on, where MiniStack takes the whole service or something above it."""

import json
from collections.abc import Callable, Mapping
from typing import Any


def request_arn(service: str, body: bytes, region: str, account: str) -> str:
    """The ARN of a request's resource; empty where MiniStack knows as much. Of several the first counts.

    Source: the services' pages in the Service Authorization Reference.

    Args:
        service: its name.
        body: the request's body.
        region: its region.
        account: the caller's account.
    """
    find = _FINDERS.get(service)
    if find is None:
        return ""
    try:
        sent = json.loads(body or b"{}")
    except ValueError:
        return ""
    resource = find(sent) if isinstance(sent, dict) else ""
    if not resource or resource.startswith("arn:"):
        return resource
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def _parameters(sent: Mapping[str, Any]) -> str:
    """GetParametersByPath and GetParameters: the path or the first name, as it was sent."""
    name = sent.get("Path") or next(iter(sent.get("Names") or []), "")
    return f"parameter/{name.lstrip('/')}" if name else ""


def _streams(sent: Mapping[str, Any]) -> str:
    """CreateLogStream, PutLogEvents, GetLogEvents: the stream, not its group."""
    group, stream = sent.get("logGroupName"), sent.get("logStreamName")
    return f"log-group:{group}:log-stream:{stream}" if group and stream else ""


def _tasks(sent: Mapping[str, Any]) -> str:
    """RunTask: the task definition. DescribeTasks, StopTask, ExecuteCommand: the task. Services: the service."""
    cluster = str(sent.get("cluster") or "default").rpartition("/")[2]
    task = sent.get("task") or next(iter(sent.get("tasks") or []), "")
    if task:
        return task if task.startswith("arn:") else f"task/{cluster}/{task}"
    named = sent.get("serviceName") or sent.get("service") or next(iter(sent.get("services") or []), "")
    if named:
        return named if named.startswith("arn:") else f"service/{cluster}/{named}"
    definition = str(sent.get("taskDefinition") or "")
    if not definition or definition.startswith("arn:"):
        return definition
    # A family stands for its newest revision; a policy that allows one names it, or all with a star.
    return f"task-definition/{definition}" + ("" if ":" in definition else ":*")


def _pipelines(sent: Mapping[str, Any]) -> str:
    """The pipeline; where a request names a stage or an action, that (resource types stage and action)."""
    parts = [sent.get("pipelineName") or sent.get("name"), sent.get("stageName"), sent.get("actionName")]
    return "/".join(str(part) for part in parts if part)


def _projects(sent: Mapping[str, Any]) -> str:
    """Builds and projects alike: the project, which the id of a build begins with."""
    build = sent.get("id") or next(iter(sent.get("ids") or []), "")
    name = str(build).rpartition("/")[2].partition(":")[0]
    name = name or sent.get("projectName") or next(iter(sent.get("names") or []), "")
    return f"project/{name}" if name else ""


_FINDERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "ssm": _parameters,
    "logs": _streams,
    "ecs": _tasks,
    "codebuild": _projects,
    "codepipeline": _pipelines,
}
