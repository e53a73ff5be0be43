"""What IAM sees of a request and MiniStack does not, or sees otherwise than AWS does."""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulator import internals_iam
from rehearsal.emulator.foreign import foreign_arn
from rehearsal.emulator.transit_permissions import resource_arns


def _with_role_arn(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """The lookup of a condition key, with aws:PrincipalArn of a session being its role, not the session."""

    def resolved(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
            return value
        account, role_name = str(value).split(":")[4], str(value).split("/")[1]
        role = internals_iam.role(account, role_name)
        return role["Arn"] if role else f"arn:aws:iam::{account}:role/{role_name}"

    return resolved


def _resources(
    service: str, body: bytes, parameters: Mapping[str, Any], region: str, account: str
) -> list[str]:
    """The resources of a call that MiniStack does not know of."""
    if service == "ec2":
        return resource_arns(parameters, region, account)
    foreign = foreign_arn(service, body, region, account)
    return [foreign] if foreign else []


def install() -> None:
    """Let IAM see them."""
    internals_iam.wrap_condition_keys(_with_role_arn)
    internals_iam.wrap_resources(_resources)
