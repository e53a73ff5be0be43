"""What a fault is: a change to the templates that one rule must find, and where."""

from collections.abc import Callable
from dataclasses import dataclass

from tests import documents
from tests.assembly import Assembly, Json, Resource, Stack

TOOLING, SHARED, STAGING, PRODUCTION = "111111111111", "222222222222", "333333333333", "444444444444"
STRANGER = "999999999999"
STAGE, LIVE = documents.STAGING, documents.PRODUCTION


@dataclass(frozen=True)
class Fault:
    """One way to break the sample.

    Args:
        rule: id of the rule that must find it.
        name: what is broken.
        spoil: breaks the templates.
        path: construct path of the finding.
        problem: what the finding says, in part.
    """

    rule: str
    name: str
    spoil: Callable[[Assembly], None]
    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.rule} {self.name}"


def add(stack: Stack, logical_id: str, resource_type: str, **properties: object) -> Json:
    """Add a resource to a template; its path is that of the stack and its logical id."""
    body: Json = {"Type": resource_type, "Properties": properties}
    stack.template["Resources"][logical_id] = body
    return body


def add_role(stack: Stack, logical_id: str, principal: object, **statement: object) -> Json:
    """Add a role that somebody may assume."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **statement}
    return add(stack, logical_id, "AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": [trust]})


def set_property(resource: Resource, **properties: object) -> None:
    """Change properties of a resource."""
    resource.properties.update(properties)
