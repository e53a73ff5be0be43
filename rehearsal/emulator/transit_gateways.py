"""Transit gateways and their route tables, as the EC2 API shows them."""

from collections.abc import Callable, Mapping

from rehearsal.emulator import internals
from rehearsal.emulator.ec2_protocol import Ec2Error
from rehearsal.emulator.resources import new_id
from rehearsal.emulator.transit_store import (
    Record,
    attachments,
    gateways,
    matching,
    no_table,
    now,
    owned_gateway,
    owned_table,
    propagations,
    requested_tags,
    static_routes,
    tables,
    visible_gateway,
)

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
    used = [
        a["TransitGatewayAttachmentId"] for a in attachments.values() if a["TransitGatewayId"] == gateway_id
    ]
    if used:
        raise Ec2Error(
            "IncorrectState", f"{gateway_id} has non-deleted Transit Gateway Attachments: {', '.join(used)}."
        )
    for table_id in [key for key, table in tables.items() if table["TransitGatewayId"] == gateway_id]:
        tables.pop(table_id)
    del gateways[gateway_id]
    return {"TransitGateway": {**gateway, "State": "deleting"}}


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
    if any(
        (a.get("Association") or {}).get("TransitGatewayRouteTableId") == table_id
        for a in attachments.values()
    ):
        raise Ec2Error(
            "IncorrectState", f"{table_id} has non-deleted Transit Gateway Route Table Associations."
        )
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
