"""Reads a synthesized assembly as plain JSON, so that an assertion never costs a call into the CDK."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a template.

    Args:
        stack: the stack that holds it.
        logical_id: its key in the template.
        body: all that the template says about it.
    """

    stack: "Stack"
    logical_id: str
    body: Json

    def __str__(self) -> str:
        return f"{self.stack.name}/{self.logical_id} ({self.type})"

    @property
    def type(self) -> str:
        """Its CloudFormation type."""
        return str(self.body["Type"])

    @property
    def properties(self) -> Json:
        """Its properties."""
        properties: Json = self.body.setdefault("Properties", {})
        return properties

    def get(self, *path: str | int, default: Any = None) -> Any:
        """Return what is at a path in the properties."""
        value: Any = self.properties
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return default
        return value

    def text(self, *path: str | int) -> str:
        """Return what is at a path in the properties as text; see `Stack.text`."""
        return self.stack.text(self.get(*path))


class Stack:
    """One stack of the assembly.

    Args:
        assembly: the assembly.
        directory: where its files are.
        artifact_id: its key in the manifest.
        artifact: what the manifest says about it.
        stage: name of its stage; empty for the stacks of the tooling account.
    """

    def __init__(
        self, assembly: "Assembly", directory: Path, artifact_id: str, artifact: Json, stage: str
    ) -> None:
        self._assembly = assembly
        self.directory = directory
        self.artifact_id = artifact_id
        self.stage = stage
        properties = artifact["properties"]
        self.name: str = properties.get("stackName", artifact_id)
        self.path: str = artifact["displayName"].split(" ")[0]
        self.account, self.region = str(artifact["environment"]).removeprefix("aws://").split("/")
        self.tags: Mapping[str, str] = properties.get("tags", {})
        self.termination_protection: bool = properties.get("terminationProtection", False)
        self.template_file: str = properties["templateFile"]
        self.template: Json = json.loads((directory / self.template_file).read_text(encoding="utf-8"))
        self.dependency_ids: list[str] = artifact.get("dependencies", [])

    @property
    def id(self) -> str:
        """Its construct id: the last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def outputs(self) -> Json:
        """Name -> output."""
        outputs: Json = self.template.get("Outputs", {})
        return outputs

    def resources(self, *types: str) -> list[Resource]:
        """Return its resources, of the given types if any are given."""
        return [
            Resource(self, logical_id, body)
            for logical_id, body in self.template["Resources"].items()
            if not types or body["Type"] in types
        ]

    def resource(self, resource_type: str, containing: str = "") -> Resource:
        """Return the only resource of a type whose logical id contains a text."""
        found = [each for each in self.resources(resource_type) if containing in each.logical_id]
        assert len(found) == 1, (
            f"{self.name}: {len(found)} of {resource_type} with {containing!r}, expected one"
        )
        return found[0]

    def parameter(self, name: str) -> str:
        """Return the value of an SSM parameter by its name."""
        found = [each for each in self.resources("AWS::SSM::Parameter") if each.text("Name") == name]
        assert len(found) == 1, f"{self.name}: {len(found)} parameters are called {name}"
        return found[0].text("Value")

    def text(self, value: Any) -> str:
        """Return a value as text.

        A reference becomes `${stack/LogicalId}` or `${stack/LogicalId.Attribute}`, wherever it is read: what another
        stack gets through `Fn::GetStackOutput` has the same text as the original.
        """
        if isinstance(value, dict) and len(value) == 1:
            ((function, argument),) = value.items()
            reader = self._readers().get(function)
            if reader is not None:
                return str(reader(argument))
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

    def _readers(self) -> Mapping[str, Any]:
        return {
            "Ref": self._reference,
            "Fn::GetAtt": lambda argument: f"${{{self.name}/{'.'.join(argument)}}}",
            "Fn::Join": self._join,
            "Fn::Sub": self._substitute,
            "Fn::GetStackOutput": self._output,
        }

    def _reference(self, name: str) -> str:
        pseudo = {
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
        }
        return pseudo.get(name, f"${{{self.name}/{name}}}")

    def _join(self, argument: list[Any]) -> str:
        parts = argument[1] if isinstance(argument[1], list) else [argument[1]]
        return str(argument[0]).join(map(self.text, parts))

    def _substitute(self, argument: str) -> str:
        return argument.replace("${AWS::Partition}", "aws") if isinstance(argument, str) else str(argument)

    def _output(self, argument: Json) -> str:
        producer = self._assembly.stacks.get(argument["StackName"])
        output = producer.outputs.get(argument["OutputName"]) if producer else None
        if producer is None or output is None:
            return f"${{{argument['StackName']}!{argument['OutputName']} is missing}}"
        return producer.text(output["Value"])


class Assembly:
    """Everything that a synthesis wrote.

    Args:
        directory: the assembly, such as `cdk.out`.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifests: dict[Path, Json] = {}
        self.stages: list[str] = []
        self.stacks: dict[str, Stack] = {}
        self._read(directory, stage="")

    def _read(self, directory: Path, stage: str) -> None:
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        self.manifests[directory] = manifest
        for key, artifact in manifest["artifacts"].items():
            if artifact["type"] == "aws:cloudformation:stack":
                stack = Stack(self, directory, key, artifact, stage)
                self.stacks[stack.name] = stack
            elif artifact["type"] == "cdk:cloud-assembly":
                properties = artifact["properties"]
                self.stages.append(properties["displayName"])
                self._read(directory / properties["directoryName"], properties["displayName"])

    def __getitem__(self, stack_name: str) -> Stack:
        return self.stacks[stack_name]

    def in_stage(self, stage: str) -> list[Stack]:
        """Return the stacks of a stage, or with an empty name those of the tooling account."""
        return [stack for stack in self.stacks.values() if stack.stage == stage]

    def resources(self, *types: str) -> list[Resource]:
        """Return the resources of all stacks, of the given types if any are given."""
        return [resource for stack in self.stacks.values() for resource in stack.resources(*types)]

    def dependencies(self, stack: Stack) -> set[str]:
        """Return the names of all stacks of its stage that deploy before a stack."""
        by_id = {other.artifact_id: other for other in self.in_stage(stack.stage)}
        found: set[str] = set()
        waiting = [by_id[key] for key in stack.dependency_ids if key in by_id]
        while waiting:
            other = waiting.pop()
            if other.name not in found:
                found.add(other.name)
                waiting += [by_id[key] for key in other.dependency_ids if key in by_id]
        return found


def walk(value: Any) -> Iterator[Any]:
    """Yield a value and everything inside it."""
    yield value
    if isinstance(value, dict):
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part)
