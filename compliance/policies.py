"""Reads every policy document of an assembly: identity, resource and trust policies alike."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from compliance.templates import Assembly, Json, Resource, Stack

POLICY_OF_RESOURCE = {
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::ECR::Repository": "RepositoryPolicyText",
}


@dataclass(frozen=True)
class _Transport:
    """How a kind of resource refuses plain transport.

    Args:
        policy: type of its policy.
        actions: what must be refused; one of them is enough.
    """

    policy: str
    actions: frozenset[str]


_TRANSPORT = {
    "AWS::S3::Bucket": _Transport("AWS::S3::BucketPolicy", frozenset({"s3:*"})),
    "AWS::SQS::Queue": _Transport("AWS::SQS::QueuePolicy", frozenset({"sqs:*"})),
    # A topic's policy takes no wildcard; publishing is what carries content.
    "AWS::SNS::Topic": _Transport("AWS::SNS::TopicPolicy", frozenset({"sns:Publish"})),
}


@dataclass(frozen=True)
class Statement:
    """One statement, with its intrinsic functions as text.

    Args:
        owner: the resource whose template holds it.
        body: the statement as it is written.
    """

    owner: Resource
    body: Json

    @property
    def allows(self) -> bool:
        """Whether it allows; it denies otherwise."""
        return bool(self.body["Effect"] == "Allow")

    @property
    def actions(self) -> tuple[str, ...]:
        """Its actions."""
        return self._texts(self.body.get("Action", ()))

    @property
    def resources(self) -> tuple[str, ...]:
        """Its resources."""
        return self._texts(self.body.get("Resource", ()))

    @property
    def principals(self) -> tuple[str, ...]:
        """Its principals as `AWS:arn...` or `Service:name`."""
        principal = self.body.get("Principal", {})
        if isinstance(principal, str):
            return (principal,)
        return tuple(f"{kind}:{text}" for kind, value in principal.items() for text in self._texts(value))

    @property
    def condition(self) -> Json:
        """Its conditions, with their values as text."""
        conditions: Json = self.body.get("Condition", {})
        return {
            operator: {key: self._plain(value) for key, value in keys.items()}
            for operator, keys in conditions.items()
        }

    def _plain(self, value: Any) -> Any:
        return (
            [self.owner.stack.text(each) for each in value] if isinstance(value, list) else self._one(value)
        )

    def _one(self, value: Any) -> str:
        return self.owner.stack.text(value)

    def _texts(self, value: Any) -> tuple[str, ...]:
        return tuple(map(self._one, value)) if isinstance(value, list | tuple) else (self._one(value),)


def statements(owner: Resource, document: Json) -> list[Statement]:
    """Return the statements of a policy document."""
    found = document["Statement"]
    return [Statement(owner, body) for body in (found if isinstance(found, list) else [found])]


def trust(role: Resource) -> list[Statement]:
    """Return who may assume a role."""
    return statements(role, role.properties["AssumeRolePolicyDocument"])


def identity_statements(role: Resource) -> list[Statement]:
    """Return what a role may do: its inline policies and those that are attached to it in its stack."""
    found = [
        statement
        for policy in role.get("Policies", default=[])
        for statement in statements(role, policy["PolicyDocument"])
    ]
    for policy, roles in role.stack.once("policies", lambda: _policies(role.stack)):
        if f'"{role.logical_id}"' in roles:
            found += statements(policy, policy.properties["PolicyDocument"])
    return found


def _policies(stack: Stack) -> list[tuple[Resource, str]]:
    """Return the policies of a stack, each with the roles that it is attached to, as JSON."""
    return [(policy, json.dumps(policy.get("Roles"))) for policy in stack.resources("AWS::IAM::Policy")]


def resource_statements(assembly: Assembly) -> Iterator[Statement]:
    """Yield every statement of every resource policy."""
    for resource in assembly.resources(*POLICY_OF_RESOURCE):
        document = resource.get(POLICY_OF_RESOURCE[resource.type])
        if document:
            yield from statements(resource, document)


def policy_of(resource: Resource) -> list[Statement]:
    """Return the statements of the bucket's, queue's or topic's policy."""
    found: list[Statement] = []
    for policy in resource.stack.resources(*(kind.policy for kind in _TRANSPORT.values())):
        named = [policy.get("Bucket"), *policy.get("Queues", default=[]), *policy.get("Topics", default=[])]
        if resource.reference in map(resource.stack.text, named):
            found += statements(policy, policy.properties["PolicyDocument"])
    return found


def all_statements(assembly: Assembly) -> Iterator[Statement]:
    """Yield every statement of every policy, trust policies included."""
    yield from resource_statements(assembly)
    for role in assembly.resources("AWS::IAM::Role"):
        yield from trust(role)
        yield from identity_statements(role)
    for policy in assembly.resources("AWS::IAM::ManagedPolicy"):
        yield from statements(policy, policy.properties["PolicyDocument"])


def denies_plain_transport(resource: Resource) -> bool:
    """Tell whether a bucket's, queue's or topic's policy refuses what does not come over TLS, from anybody.

    Args:
        resource: the bucket, queue or topic.
    """
    actions = _TRANSPORT[resource.type].actions
    return any(
        not statement.allows
        and statement.principals in {("*",), ("AWS:*",)}
        and actions & set(statement.actions)
        and statement.condition == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy_of(resource)
    )
