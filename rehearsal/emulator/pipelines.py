"""AWS::CodePipeline::Pipeline, which a service of ours executes, and all of AWS::CodeBuild::Project for its builds."""

from collections.abc import Callable
from typing import Protocol

from rehearsal.emulator import internals, internals_builds
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Attributes, Created, Properties, Resource, watch
from rehearsal.emulator.shapes import to_request

_NAME_LENGTH = 100
_PROJECT = "AWS::CodeBuild::Project"
_KEPT = (
    "logsConfig",
    "cache",
    "queuedTimeoutInMinutes",
    "secondarySources",
    "vpcConfig",
    "concurrentBuildLimit",
)


class Service(Protocol):
    """What CloudFormation needs of the service."""

    def create(self, name: str, properties: Properties) -> None:
        """Make a pipeline in the account and region in scope."""

    def update(self, name: str, properties: Properties) -> int:
        """Give it another definition; gives its version."""

    def delete(self, name: str) -> None:
        """Remove it."""


class PipelineResource(Resource):
    """AWS::CodePipeline::Pipeline.

    Args:
        service: the service.
    """

    types = ("AWS::CodePipeline::Pipeline",)
    replacing = frozenset({"Name"})

    def __init__(self, service: Service) -> None:
        self._service = service

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make it, which starts it, as on AWS."""
        name = str(properties.get("Name") or internals.physical_name(stack, logical_id, length=_NAME_LENGTH))
        self._service.create(name, properties)
        return name, _attributes(1)

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Give it the new definition."""
        if old == new:
            return physical_id, _attributes(1)
        return physical_id, _attributes(self._service.update(physical_id, new))

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Remove it."""
        self._service.delete(physical_id)


def _attributes(version: int) -> Attributes:
    return {"Version": str(version)}


def watch_projects() -> None:
    """Keep the properties of projects that MiniStack leaves out."""

    def made(name: str, properties: Properties) -> None:
        request = to_request(client("codebuild"), "CreateProject", properties)
        internals_builds.keep_project(name, {key: request[key] for key in _KEPT if key in request})

    nothing: Callable[[str, Properties], None] = lambda *_: None  # noqa: E731
    watch(_PROJECT, made=made, gone=nothing)
    internals_builds.tell_whole_projects()
