"""On which resources IAM judges a transit gateway call (service authorization reference of Amazon EC2)."""

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.emulator.transit_attachments import ATTACHMENT_ACTIONS
from rehearsal.emulator.transit_gateways import GATEWAY_ACTIONS
from rehearsal.emulator.transit_routes import ROUTE_ACTIONS
from rehearsal.emulator.transit_store import gateways

# The actions of the EC2 API that MiniStack does not have.
ACTIONS = {**GATEWAY_ACTIONS, **ATTACHMENT_ACTIONS, **ROUTE_ACTIONS}

# Beginning of an id -> resource type in its ARN; the first that fits counts.
_KINDS = {
    "tgw-rtb-": "transit-gateway-route-table",
    "tgw-attach-": "transit-gateway-attachment",
    "tgw-": "transit-gateway",
    "vpc-": "vpc",
    "subnet-": "subnet",
}
# Actions without resource-level permissions begin so.
_UNSCOPED = ("Describe",)
_OWN = {name for name in ACTIONS if not name.startswith(_UNSCOPED)}


def resource_arns(parameters: Mapping[str, Any], region: str, account: str) -> list[str]:
    """The resources of a transit gateway call, the most telling first; none for any other call.

    Args:
        parameters: the request's parameters.
        region: region of the request.
        account: account of the caller. A gateway that is shared with it keeps its owner's account in its ARN.
    """
    if _first(parameters.get("Action")) not in _OWN:
        return []
    named = [_first(value) for value in parameters.values()]
    found = {arn for value in named for arn in _arns(value, region, account)}
    return sorted(found, key=lambda arn: (":transit-gateway/" not in arn, arn))


def _first(value: Any) -> str:
    """A parameter's only value."""
    return str(value[0]) if isinstance(value, list) and value else str(value or "")


def _arns(value: str, region: str, account: str) -> Iterator[str]:
    """The ARN of an id; nothing for what is no id."""
    for prefix, kind in _KINDS.items():
        if value.startswith(prefix):
            owner = gateways.get(value, {}).get("OwnerId", account)
            yield f"arn:aws:ec2:{region}:{owner}:{kind}/{value}"
            return
