"""Condition keys of IAM that MiniStack fills otherwise than AWS does."""

from collections.abc import Callable
from typing import Any

from rehearsal.emulator import internals


def _wrap(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """The lookup of a condition key, with aws:PrincipalArn of a session being its role, not the session."""

    def resolved(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
            return value
        account, role_name = str(value).split(":")[4], str(value).split("/")[1]
        role = internals.role(account, role_name)
        return role["Arn"] if role else f"arn:aws:iam::{account}:role/{role_name}"

    return resolved


def install() -> None:
    """Fill them as AWS does."""
    internals.wrap_condition_keys(_wrap)
