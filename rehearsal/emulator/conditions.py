"""What IAM sees of a request and MiniStack does not, or sees otherwise than AWS does."""

import contextvars
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree  # noqa: S405 -- what boto3 and the CDK send to a server on this machine

from rehearsal.emulator import internals_iam
from rehearsal.emulator.foreign import foreign_arn
from rehearsal.emulator.transit_permissions import resource_arns

_ROUTE53 = "{https://route53.amazonaws.com/doc/2013-04-01/}"

# The record changes of the request being judged: condition key -> its values.
_changes: contextvars.ContextVar[Mapping[str, list[str]] | None] = contextvars.ContextVar(
    "rehearsal_record_changes", default=None
)


def _record_changes(body: bytes) -> Mapping[str, list[str]] | None:
    """The condition keys of ChangeResourceRecordSets, as the Route 53 developer guide has them; None if it is none."""
    if b"ChangeResourceRecordSetsRequest" not in body:
        return None
    changes = list(ElementTree.fromstring(body).iter(f"{_ROUTE53}Change"))  # noqa: S314 -- see above

    def texts(path: str) -> list[str]:
        return [
            change.findtext("/".join(_ROUTE53 + part for part in path.split("/")), "") for change in changes
        ]

    prefix = "route53:changeresourcerecordsets"
    return {
        f"{prefix}normalizedrecordnames": [
            name.lower().rstrip(".") for name in texts("ResourceRecordSet/Name")
        ],
        f"{prefix}recordtypes": texts("ResourceRecordSet/Type"),
        f"{prefix}actions": texts("Action"),
    }


def _with_record_changes(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """The lookup of a condition key, with those of Route 53: without them a role scoped to one name could write all."""

    def resolved(key: str, context: Any) -> Any:
        changes = _changes.get()
        if changes is not None and key.lower() in changes:
            return changes[key.lower()]
        return resolve(key, context)

    return resolved


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
    _changes.set(_record_changes(body) if service == "route53" else None)
    if service == "ec2":
        return resource_arns(parameters, region, account)
    foreign = foreign_arn(service, body, region, account)
    return [foreign] if foreign else []


def install() -> None:
    """Let IAM see them."""
    internals_iam.wrap_condition_keys(_with_role_arn)
    internals_iam.wrap_condition_keys(_with_record_changes)
    internals_iam.services_are_not_accounts()
    internals_iam.wrap_resources(_resources)
