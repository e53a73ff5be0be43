"""The templates of an assembly, as the rules read them: every reference as text, wherever it is read. No CDK."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from compliance.remembering import Remembering
from config.assembly import AssembledStack, read_assembly

Json = dict[str, Any]

_VARIABLE = re.compile(r"\$\{([^}!]+)\}")


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
    def path(self) -> str:
        """Its construct path; made of the stack's path and the logical id where the template does not tell."""
        told = self.body.get("Metadata", {}).get("aws:cdk:path")
        return str(told or f"{self.stack.path}/{self.logical_id}")

    @property
    def reference(self) -> str:
        """What `Ref` to it reads as; see `Stack.text`."""
        return f"${{{self.stack.name}/{self.logical_id}}}"

    @property
    def properties(self) -> Json:
        """Its properties."""
        properties: Json = self.body.setdefault("Properties", {})
        return properties

    def attribute(self, name: str) -> str:
        """Return what `Fn::GetAtt` of it reads as; see `Stack.text`."""
        return f"${{{self.stack.name}/{self.logical_id}.{name}}}"

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

    def texts(self, *path: str | int) -> list[str]:
        """Return the list at a path in the properties as texts; empty if there is none."""
        value = self.get(*path, default=[])
        return [self.stack.text(each) for each in (value if isinstance(value, list) else [value])]


class Stack(Remembering):
    """One stack of an assembly.

    Args:
        assembly: the assembly.
        assembled: what the manifest says about it.

    Attributes:
        assembly: the assembly.
        name: name in CloudFormation.
        path: construct path.
        stage: name of its stage; empty for the stacks of the tooling account.
        account: account id.
        region: AWS region.
        tags: tags that CloudFormation puts on everything in it.
        termination_protection: whether deleting it is refused.
        dependencies: names of stacks of the same stage that deploy before it.
        missing: context that synthesis would have had to look up.
        template_file: the template.
        template: its content.
    """

    def __init__(self, assembly: "Assembly", assembled: AssembledStack) -> None:
        super().__init__()
        self.assembly = assembly
        self.name = assembled.name
        self.path = assembled.path
        self.stage = assembled.stage
        self.account = assembled.account
        self.region = assembled.region
        self.tags = assembled.tags
        self.termination_protection = assembled.termination_protection
        self.dependencies = assembled.dependencies
        self.missing = assembled.missing
        self.template_file = assembled.template_file
        self.template: Json = dict(assembled.template)

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
        if not types:
            return [*self.once("resources", self._resources)]
        of_type = self.once("types", self._of_type)
        if len(types) == 1:
            return [*of_type.get(types[0], ())]
        return [each for each in self.once("resources", self._resources) if each.type in types]

    def _resources(self) -> list[Resource]:
        found = self.template.get("Resources", {}).items()
        return [Resource(self, logical_id, body) for logical_id, body in found]

    def _of_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.once("resources", self._resources):
            found.setdefault(resource.type, []).append(resource)
        return found

    def resource(self, resource_type: str, containing: str = "") -> Resource:
        """Return the only resource of a type whose logical id contains a text.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [each for each in self.resources(resource_type) if containing in each.logical_id]
        if len(found) != 1:
            message = f"{self.name}: {len(found)} of {resource_type} with {containing!r}, expected one"
            raise LookupError(message)
        return found[0]

    def parameter(self, name: str) -> str:
        """Return the value of an SSM parameter by its name.

        Raises:
            LookupError: the stack has none of this name, or more than one.
        """
        found = [each for each in self.resources("AWS::SSM::Parameter") if each.text("Name") == name]
        if len(found) != 1:
            message = f"{self.name}: {len(found)} parameters are called {name}, expected one"
            raise LookupError(message)
        return found[0].text("Value")

    def text(self, value: Any) -> str:
        """Return a value as text.

        A reference becomes `${stack/LogicalId}` or `${stack/LogicalId.Attribute}`, wherever it is read: what another
        stack gets through `Fn::GetStackOutput` has the same text as the original.
        """
        if isinstance(value, str):
            return value
        if isinstance(value, dict) and len(value) == 1:
            ((function, argument),) = value.items()
            reader = self._readers.get(function)
            if reader is not None:
                return str(reader(argument))
        return json.dumps(value, sort_keys=True)

    @cached_property
    def _readers(self) -> Mapping[str, Any]:
        return {
            "Ref": self._reference,
            "Fn::GetAtt": self._attribute,
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

    def _attribute(self, argument: list[str] | str) -> str:
        return f"${{{self.name}/{argument if isinstance(argument, str) else '.'.join(argument)}}}"

    def _join(self, argument: list[Any]) -> str:
        parts = argument[1] if isinstance(argument[1], list) else [argument[1]]
        return str(argument[0]).join(map(self.text, parts))

    def _substitute(self, argument: Any) -> str:
        """Read a `Fn::Sub`: a name with a dot is an attribute, as in CloudFormation; `${!x}` is no name."""
        template, given = argument if isinstance(argument, list) else (argument, {})

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            return self.text(given[name]) if name in given else self._reference(name)

        return _VARIABLE.sub(replaced, str(template))

    def _output(self, argument: Json) -> str:
        producer = self.assembly.stacks.get(argument["StackName"])
        output = producer.outputs.get(argument["OutputName"]) if producer else None
        if producer is None or output is None:
            return f"${{{argument['StackName']}!{argument['OutputName']} is missing}}"
        return producer.text(output["Value"])


class Assembly(Remembering):
    """Every stack that a synthesis wrote.

    Args:
        directory: the assembly, such as `cdk.out`.

    Attributes:
        directory: the assembly.
        stacks: name -> stack; each after those that it depends on.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.stacks = {each.name: Stack(self, each) for each in read_assembly(directory)}

    def __getitem__(self, stack_name: str) -> Stack:
        return self.stacks[stack_name]

    @property
    def stages(self) -> list[str]:
        """Names of the stages, in the order in which they deploy."""
        return list(dict.fromkeys(stack.stage for stack in self.stacks.values() if stack.stage))

    def in_stage(self, stage: str) -> list[Stack]:
        """Return the stacks of a stage, or with an empty name those of the tooling account."""
        return [stack for stack in self.stacks.values() if stack.stage == stage]

    def settle(self) -> None:
        """Settle on the templates as they are now: what is computed from them is remembered from here on."""
        for part in (self, *self.stacks.values()):
            part.forget()

    def resources(self, *types: str) -> list[Resource]:
        """Return the resources of all stacks, of the given types if any are given."""
        return [*self.once(("resources", types), lambda: self._resources(*types))]

    def _resources(self, *types: str) -> list[Resource]:
        return [resource for stack in self.stacks.values() for resource in stack.resources(*types)]

    def dependencies(self, stack: Stack) -> set[str]:
        """Return the names of all stacks of its stage that deploy before a stack."""
        found: set[str] = set()
        waiting = list(stack.dependencies)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.stacks[name].dependencies
        return found
