"""Transit gateways, as the EC2 API shows them: gateways, attachments, route tables. No packet moves.

The records are spelled as in the API's answers. A gateway belongs to one account; another account may attach a VPC to
it if a resource share says so, and sees neither its route tables nor the attachments of others.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rehearsal.emulator import internals, sharing
from rehearsal.emulator.ec2_protocol import Ec2Error
from rehearsal.emulator.resources import new_id

Record = dict[str, Any]

# Values of the options that a new gateway has unless told otherwise (API reference, TransitGatewayRequestOptions).
_DEFAULT_OPTIONS = {
    "AmazonSideAsn": 64512,
    "AutoAcceptSharedAttachments": "disable",
    "DefaultRouteTableAssociation": "enable",
    "DefaultRouteTablePropagation": "enable",
    "VpnEcmpSupport": "enable",
    "DnsSupport": "enable",
    "SecurityGroupReferencingSupport": "disable",
    "MulticastSupport": "disable",
}

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


def matching(records: Iterable[Record], request: Record, id_key: str, fields: Mapping[str, str]) -> list[Record]:
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
            found = [r for r in found if any(t["Key"] == key and t["Value"] in values for t in r.get("Tags", []))]
        elif name in fields:
            found = [r for r in found if str(r.get(fields[name], "")).lower() in {str(v).lower() for v in values}]
        else:
            raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    return found


# --- gateways -----------------------------------------------------------------------------------------------------


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
    return Ec2Error("InvalidTransitGatewayID.NotFound", f"Transit Gateway {gateway_id} was deleted or does not exist.")


def create_gateway(request: Record) -> Record:
    """CreateTransitGateway."""
    gateway_id = new_id("tgw")
    options = {**_DEFAULT_OPTIONS, **(request.get("Options") or {})}
    gateway: Record = {
        "TransitGatewayId": gateway_id,
        "TransitGatewayArn": (
            f"arn:aws:ec2:{internals.region()}:{internals.account()}:transit-gateway/{gateway_id}"
        ),
        "State": "available",
        "OwnerId": internals.account(),
        "Description": request.get("Description", ""),
        "CreationTime": now(),
        "Options": options,
        "Tags": requested_tags(request),
    }
    gateways[gateway_id] = gateway
    purposes = ("Association", "Propagation")
    defaults = [purpose for purpose in purposes if options[f"DefaultRouteTable{purpose}"] == "enable"]
    if defaults:
        table = create_table({"TransitGatewayId": gateway_id})["TransitGatewayRouteTable"]
        for purpose in defaults:
            make_default(gateway, purpose, table["TransitGatewayRouteTableId"])
    return {"TransitGateway": gateway}


def modify_gateway(request: Record) -> Record:
    """ModifyTransitGateway."""
    gateway = owned_gateway(request["TransitGatewayId"])
    options = dict(request.get("Options") or {})
    for purpose in ("Association", "Propagation"):
        table_id = options.pop(f"{purpose}DefaultRouteTableId", None)
        if table_id is not None:
            if owned_table(table_id)["TransitGatewayId"] != gateway["TransitGatewayId"]:
                raise no_table(table_id)
            make_default(gateway, purpose, table_id)
    gateway["Options"].update(options)
    if "Description" in request:
        gateway["Description"] = request["Description"]
    return {"TransitGateway": gateway}


def make_default(gateway: Record, purpose: str, table_id: str) -> None:
    """Let new attachments of a gateway use a table for "Association" or "Propagation"."""
    gateway["Options"][f"{purpose}DefaultRouteTableId"] = table_id
    for table in tables.values():
        if table["TransitGatewayId"] == gateway["TransitGatewayId"]:
            table[f"Default{purpose}RouteTable"] = table["TransitGatewayRouteTableId"] == table_id


def describe_gateways(request: Record) -> Record:
    """DescribeTransitGateways: those of this account and those shared with it."""
    seen = []
    for gateway_id in list(gateways):
        try:
            seen.append(visible_gateway(gateway_id))
        except Ec2Error:
            continue
    for gateway_id in request.get("TransitGatewayIds") or []:
        visible_gateway(gateway_id)
    fields = {"transit-gateway-id": "TransitGatewayId", "state": "State", "owner-id": "OwnerId"}
    return {"TransitGateways": matching(seen, request, "TransitGatewayId", fields)}


def delete_gateway(request: Record) -> Record:
    """DeleteTransitGateway."""
    gateway = owned_gateway(request["TransitGatewayId"])
    gateway_id = gateway["TransitGatewayId"]
    used = [a["TransitGatewayAttachmentId"] for a in attachments.values() if a["TransitGatewayId"] == gateway_id]
    if used:
        raise Ec2Error("IncorrectState", f"{gateway_id} has non-deleted Transit Gateway Attachments: {', '.join(used)}.")
    for table_id in [key for key, table in tables.items() if table["TransitGatewayId"] == gateway_id]:
        tables.pop(table_id)
    del gateways[gateway_id]
    return {"TransitGateway": {**gateway, "State": "deleting"}}


# --- route tables: only the gateway's owner sees them ---------------------------------------------------------------


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
        "InvalidRouteTableID.NotFound", f"Transit Gateway Route Table {table_id} was deleted or does not exist."
    )


def create_table(request: Record) -> Record:
    """CreateTransitGatewayRouteTable."""
    gateway = owned_gateway(request["TransitGatewayId"])
    table_id = new_id("tgw-rtb")
    tables[table_id] = {
        "TransitGatewayRouteTableId": table_id,
        "TransitGatewayId": gateway["TransitGatewayId"],
        "State": "available",
        "DefaultAssociationRouteTable": False,
        "DefaultPropagationRouteTable": False,
        "CreationTime": now(),
        "Tags": requested_tags(request),
    }
    static_routes[table_id] = {}
    propagations[table_id] = []
    return {"TransitGatewayRouteTable": tables[table_id]}


def describe_tables(request: Record) -> Record:
    """DescribeTransitGatewayRouteTables."""
    seen = [t for t in tables.values() if gateways[t["TransitGatewayId"]]["OwnerId"] == internals.account()]
    fields = {
        "transit-gateway-id": "TransitGatewayId",
        "transit-gateway-route-table-id": "TransitGatewayRouteTableId",
        "state": "State",
        "default-association-route-table": "DefaultAssociationRouteTable",
        "default-propagation-route-table": "DefaultPropagationRouteTable",
    }
    return {"TransitGatewayRouteTables": matching(seen, request, "TransitGatewayRouteTableId", fields)}


def delete_table(request: Record) -> Record:
    """DeleteTransitGatewayRouteTable."""
    table = owned_table(request["TransitGatewayRouteTableId"])
    table_id = table["TransitGatewayRouteTableId"]
    if any((a.get("Association") or {}).get("TransitGatewayRouteTableId") == table_id for a in attachments.values()):
        raise Ec2Error("IncorrectState", f"{table_id} has non-deleted Transit Gateway Route Table Associations.")
    for store in (tables, static_routes, propagations):
        store.pop(table_id)
    return {"TransitGatewayRouteTable": {**table, "State": "deleting"}}


GATEWAY_ACTIONS: Mapping[str, Callable[[Record], Record]] = {
    "CreateTransitGateway": create_gateway,
    "ModifyTransitGateway": modify_gateway,
    "DescribeTransitGateways": describe_gateways,
    "DeleteTransitGateway": delete_gateway,
    "CreateTransitGatewayRouteTable": create_table,
    "DescribeTransitGatewayRouteTables": describe_tables,
    "DeleteTransitGatewayRouteTable": delete_table,
}
