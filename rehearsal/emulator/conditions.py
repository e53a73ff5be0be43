"""What IAM sees of a request and MiniStack does not, or sees otherwise than AWS does."""

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulator import internals_iam
from rehearsal.emulator.foreign import foreign_arn
from rehearsal.emulator.internals_services import bucket_owner
from rehearsal.emulator.request_keys import request_key
from rehearsal.emulator.request_resources import request_arn
from rehearsal.emulator.transit_permissions import resource_arns

_OWNERS = ("aws:resourceaccount", "s3:resourceaccount")
_BUCKET = "arn:aws:s3:::"

# Service and body of the request in progress: IAM asks for its resources before it looks at conditions.
_request: contextvars.ContextVar[tuple[str, bytes]] = contextvars.ContextVar(
    "rehearsal_request", default=("", b"")
)


def _completed(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """The lookup of a condition key, with what MiniStack leaves out."""

    def resolved(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if value is None:
            return request_key(key, *_request.get(), context.resource_arn)
        if key.lower() in _OWNERS and context.resource_arn.startswith(_BUCKET):
            # The name of a bucket tells no account, and MiniStack takes the caller's.
            return bucket_owner(context.resource_arn.removeprefix(_BUCKET).partition("/")[0]) or value
        if key.lower() == "aws:principalarn" and ":assumed-role/" in str(value):
            return _role_of(str(value))
        return value

    return resolved


def _role_of(session_arn: str) -> str:
    """The role behind a session: that, and not the session, is the principal of aws:PrincipalArn."""
    account, role_name = session_arn.split(":")[4], session_arn.split("/")[1]
    role = internals_iam.role(account, role_name)
    return str(role["Arn"]) if role else f"arn:aws:iam::{account}:role/{role_name}"


def _resources(
    service: str, body: bytes, parameters: Mapping[str, Any], region: str, account: str
) -> list[str]:
    """The resources of a call that MiniStack does not know of."""
    if body:
        _request.set((service, body))
    if service == "ec2":
        return resource_arns(parameters, region, account)
    named = foreign_arn(service, body, region, account) or request_arn(service, body, region, account)
    return [named] if named else []


def install() -> None:
    """Let IAM see them."""
    internals_iam.wrap_condition_keys(_completed)
    internals_iam.services_are_not_accounts()
    internals_iam.wrap_resources(_resources)
