"""Transit gateways of all accounts, in memory, spelled as in the EC2 API's answers. No packet moves.

A gateway belongs to one account. Another account may attach a VPC to it if a resource share says so, and sees neither
its route tables nor the attachments of others.
"""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.emulator import internals, sharing
from rehearsal.emulator.ec2_protocol import Ec2Error

Record = dict[str, Any]

gateways: dict[str, Record] = {}
tables: dict[str, Record] = {}
attachments: dict[str, Record] = {}
static_routes: dict[str, dict[str, Record]] = {}  # route table -> destination -> route
propagations: dict[str, list[str]] = {}  # route table -> attachments


def now() -> str:
    """The time as EC2 writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def requested_tags(request: Record) -> list[dict[str, str]]:
    """The tags in a create request, whichever of its two forms it uses."""
    return [tag for spec in request.get("TagSpecifications") or [] for tag in spec.get("Tags") or []]


def matching(
    records: Iterable[Record], request: Record, id_key: str, fields: Mapping[str, str]
) -> list[Record]:
    """The records that a describe request asks for.

    Args:
        records: those that the caller may see.
        request: the request; its ids and filters count.
        id_key: member of a record that holds its id; the request lists ids under its plural.
        fields: filter name -> member of a record.

    Raises:
        Ec2Error: a filter that is not offered here.
    """
    wanted = request.get(f"{id_key}s")
    found = [record for record in records if wanted is None or record[id_key] in wanted]
    for condition in request.get("Filters") or []:
        name, values = condition["Name"], condition.get("Values") or []
        if name.startswith("tag:"):
            key = name.removeprefix("tag:")
            found = [
                r for r in found if any(t["Key"] == key and t["Value"] in values for t in r.get("Tags", []))
            ]
        elif name in fields:
            found = [
                r for r in found if str(r.get(fields[name], "")).lower() in {str(v).lower() for v in values}
            ]
        else:
            raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    return found


def visible_gateway(gateway_id: str) -> Record:
    """A gateway of this region that the calling account owns, or that is shared with it.

    Raises:
        Ec2Error: there is none, or it is not for this account; EC2 does not say which.
    """
    gateway = gateways.get(gateway_id)
    account, region = internals.account(), internals.region()
    arn = f":ec2:{region}:"
    if gateway is None or arn not in gateway["TransitGatewayArn"]:
        raise _no_gateway(gateway_id)
    if gateway["OwnerId"] != account and not sharing.is_shared(gateway["TransitGatewayArn"], account):
        raise _no_gateway(gateway_id)
    return gateway


def owned_gateway(gateway_id: str) -> Record:
    """A gateway of the calling account.

    Raises:
        Ec2Error: it does not exist, or belongs to another account.
    """
    gateway = visible_gateway(gateway_id)
    if gateway["OwnerId"] != internals.account():
        raise Ec2Error("UnauthorizedOperation", f"Transit Gateway {gateway_id} is owned by another account.")
    return gateway


def _no_gateway(gateway_id: str) -> Ec2Error:
    return Ec2Error(
        "InvalidTransitGatewayID.NotFound", f"Transit Gateway {gateway_id} was deleted or does not exist."
    )


def owned_table(table_id: str) -> Record:
    """A route table of one of the calling account's gateways.

    Raises:
        Ec2Error: there is none, or it is another account's.
    """
    table = tables.get(table_id)
    if table is None or gateways[table["TransitGatewayId"]]["OwnerId"] != internals.account():
        raise no_table(table_id)
    return table


def no_table(table_id: str) -> Ec2Error:
    """The error for a route table that is not there for the caller."""
    return Ec2Error(
        "InvalidRouteTableID.NotFound",
        f"Transit Gateway Route Table {table_id} was deleted or does not exist.",
    )


def visible_attachment(attachment_id: str) -> Record:
    """An attachment of the calling account's VPC, or to its gateway.

    Raises:
        Ec2Error: there is none that the account may see.
    """
    attachment = attachments.get(attachment_id)
    parties = () if attachment is None else (attachment["VpcOwnerId"], attachment["TransitGatewayOwnerId"])
    if attachment is None or internals.account() not in parties:
        raise Ec2Error(
            "InvalidTransitGatewayAttachmentID.NotFound",
            f"Transit Gateway Attachment {attachment_id} was deleted or does not exist.",
        )
    return attachment


def target(attachment: Record) -> Record:
    """An attachment as the target of a route."""
    return {
        "TransitGatewayAttachmentId": attachment["TransitGatewayAttachmentId"],
        "ResourceId": attachment["VpcId"],
        "ResourceType": "vpc",
    }


def is_attached(vpc_id: str, gateway_id: str) -> bool:
    """Whether a VPC of the calling account can route to a gateway."""
    return gateway_id in gateways and any(
        a["VpcId"] == vpc_id and a["TransitGatewayId"] == gateway_id and a["State"] == "available"
        for a in attachments.values()
    )
