"""Calls on another account's repository or key: MiniStack looks for them in the caller's own account.

IAM has judged the call by then, on the identity's policies and on the resource's own policy in the owner's account. It
lets an account's root pass, so that the resource's policy is asked here once more for a root of another account.
"""

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.emulator import internals, internals_iam
from rehearsal.emulator.internals import Response

_SERVICES = ("ecr", "kms")
_FORBIDDEN = 400  # the status of AccessDeniedException in AWS's JSON protocol
_ARN_PARTS = 6


def _sent(body: bytes) -> Mapping[str, Any]:
    """The members of a JSON request; none if it is no JSON."""
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def foreign_arn(service: str, body: bytes, region: str, account: str) -> str:
    """The ARN of the other account's resource that a request names; empty if it names none.

    Args:
        service: ecr or kms; any other gives nothing.
        body: the request's body.
        region: its region.
        account: the caller's account.
    """
    sent = _sent(body) if service in _SERVICES else {}
    if service == "ecr" and sent.get("registryId") not in (None, "", account) and sent.get("repositoryName"):
        return f"arn:aws:ecr:{region}:{sent['registryId']}:repository/{sent['repositoryName']}"
    parts = str(sent.get("KeyId", "")).split(":")
    if service == "kms" and len(parts) == _ARN_PARTS and parts[4] != account:
        return str(sent["KeyId"])
    return ""


def _denied(caller: str, action: str, arn: str) -> Response:
    message = (
        f"User: {caller} is not authorized to perform: {action} on resource: {arn} because no resource-based policy "
        f"allows the {action} action"
    )
    body = json.dumps({"__type": "AccessDeniedException", "message": message})
    return _FORBIDDEN, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()


def install() -> None:
    """Stand before the services, and let IAM find the resources' policies."""
    internals_iam.find_policies_at_home(_SERVICES)
    handlers = internals.service_handlers()
    for service in _SERVICES:
        handlers[service] = _in_owners_account(service, handlers[service])


def _in_owners_account(service: str, serve: Any) -> Any:
    """A service's request handler that works in the account that owns the resource."""

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        arn = foreign_arn(service, body, internals.region(), internals.account())
        if not arn:
            return await serve(method, path, headers, body, query)
        caller = internals_iam.caller_arn()
        action = f"{service}:{headers.get('x-amz-target', '').rsplit('.', 1)[-1]}"
        if caller.endswith(":root") and not internals_iam.policy_allows(service, arn, action):
            return _denied(caller, action, arn)
        with internals.scope(arn.split(":")[4], arn.split(":")[3]):
            return await serve(method, path, headers, body, query)

    return handle
