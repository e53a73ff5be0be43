"""Who a policy means: reads the principals of a statement."""

import re
from dataclasses import dataclass
from typing import Literal

from compliance.policies import Statement
from compliance.templates import Assembly

Kind = Literal["account", "role", "service", "provider", "anybody"]

_ARN = re.compile(r"^arn:[\w-]+:(?:iam|sts)::(?P<account>\d{12}):(?P<what>[\w-]+)")
_ACCOUNT = re.compile(r"^\d{12}$")
_REFERENCE = re.compile(r"^\$\{(?P<stack>[^/}]+)/[^}]+\}$")


@dataclass(frozen=True)
class Principal:
    """Who a statement is about.

    Args:
        name: an ARN, a service's name, a provider, or `*`.
        kind: what it is.
        account: id of its account; empty for a service, a provider and anybody.
    """

    name: str
    kind: Kind
    account: str = ""


def principals(statement: Statement) -> list[Principal]:
    """Return the principals of a statement.

    Args:
        statement: of a trust policy or of a resource's policy.
    """
    assembly = statement.owner.stack.assembly
    return [_principal(text, assembly) for text in statement.principals]


def _principal(text: str, assembly: Assembly) -> Principal:
    scheme, _, name = text.partition(":") if text != "*" else ("AWS", "", "*")
    if scheme == "Service":
        return Principal(name, "service")
    if scheme != "AWS":
        return Principal(name, "provider")
    if name == "*":
        return Principal(name, "anybody")
    if _ACCOUNT.match(name):
        return Principal(name, "account", name)
    if match := _ARN.match(name):
        kind: Kind = "account" if match["what"] == "root" else "role"
        return Principal(name, kind, match["account"])
    reference = _REFERENCE.match(name)
    stack = assembly.stacks.get(reference["stack"]) if reference else None
    # What is neither an ARN nor a reference to a role of these templates may be anybody.
    return Principal(name, "role", stack.account) if stack else Principal(name, "anybody")


def narrowed(statement: Statement) -> str:
    """Return the conditions of a statement as text.

    Args:
        statement: the statement.
    """
    return "; ".join(
        f"{operator} {key} {', '.join(value) if isinstance(value, list) else value}"
        for operator, keys in statement.condition.items()
        for key, value in keys.items()
    )
