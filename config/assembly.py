"""Reads a synthesized assembly: which stacks go to which account, in which order. Plain JSON, no CDK."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STACK = "aws:cloudformation:stack"
NESTED = "cdk:cloud-assembly"


@dataclass(frozen=True)
class AssembledStack:
    """One stack of an assembly.

    Args:
        path: construct path, such as `MyDjangoAppStaging/Web`; what `cdk deploy` takes.
        name: name of the stack in CloudFormation.
        account: account id.
        region: AWS region.
        stage: name of its stage; empty for the tooling account's own stacks.
        template_file: the template.
        dependencies: names of stacks of the same stage that deploy before it.
        missing: context that synthesis would have had to look up; empty if all is well.
        tags: tags that CloudFormation puts on everything in it.
        termination_protection: whether deleting it is refused.
        template: its content.
    """

    path: str
    name: str
    account: str
    region: str
    stage: str
    template_file: Path
    dependencies: tuple[str, ...]
    missing: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)
    termination_protection: bool = False
    template: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Logical id -> resource."""
        found: Mapping[str, Mapping[str, Any]] = self.template.get("Resources", {})
        return found

    def of_type(self, resource_type: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the resources of one CloudFormation type.

        Args:
            resource_type: such as `AWS::S3::Bucket`.
        """
        return {key: value for key, value in self.resources.items() if value["Type"] == resource_type}


def read_assembly(directory: Path) -> tuple[AssembledStack, ...]:
    """Read every stack of an assembly, those of nested stages too, each after the stacks that it depends on.

    Args:
        directory: the assembly, such as `cdk.out`.

    Raises:
        FileNotFoundError: there is no assembly.
    """
    return tuple(_stacks(directory, stage=""))


def _stacks(directory: Path, *, stage: str) -> Iterator[AssembledStack]:
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    artifacts: Mapping[str, Mapping[str, Any]] = manifest.get("artifacts", {})
    found = {
        key: _stack(key, artifact, artifacts, directory, stage, manifest)
        for key, artifact in artifacts.items()
        if artifact["type"] == STACK
    }
    yield from _ordered(found)
    for artifact in artifacts.values():
        if artifact["type"] == NESTED:
            properties = artifact["properties"]
            yield from _stacks(directory / properties["directoryName"], stage=properties["displayName"])


def _stack(
    key: str,
    artifact: Mapping[str, Any],
    artifacts: Mapping[str, Mapping[str, Any]],
    directory: Path,
    stage: str,
    manifest: Mapping[str, Any],
) -> AssembledStack:
    template_file = directory / artifact["properties"]["templateFile"]
    account, region = artifact["environment"].removeprefix("aws://").split("/")
    return AssembledStack(
        path=artifact["displayName"].split(" ")[0],
        name=_name(key, artifact),
        account=account,
        region=region,
        stage=stage,
        template_file=template_file,
        dependencies=tuple(
            _name(other, artifacts[other])
            for other in artifact.get("dependencies", [])
            if artifacts[other]["type"] == STACK
        ),
        missing=tuple(item["key"] for item in manifest.get("missing", [])),
        tags=artifact["properties"].get("tags", {}),
        termination_protection=artifact["properties"].get("terminationProtection", False),
        template=json.loads(template_file.read_text(encoding="utf-8")),
    )


def _name(key: str, artifact: Mapping[str, Any]) -> str:
    name: str = artifact["properties"].get("stackName", key)
    return name


def _ordered(stacks: Mapping[str, AssembledStack]) -> Iterator[AssembledStack]:
    """Yield each stack after its dependencies; the assembly's own order otherwise."""
    by_name = {stack.name: stack for stack in stacks.values()}
    done: dict[str, AssembledStack] = {}

    def visit(stack: AssembledStack) -> None:
        if stack.name in done:
            return
        for dependency in stack.dependencies:
            visit(by_name[dependency])
        done[stack.name] = stack

    for stack in stacks.values():
        visit(stack)
    yield from done.values()
