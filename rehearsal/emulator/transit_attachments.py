"""Transit gateway attachments, associations, propagations and routes, as the EC2 API shows them."""

import ipaddress
from collections.abc import Callable, Mapping

from rehearsal.emulator import internals
from rehearsal.emulator.ec2_protocol import Ec2Error
from rehearsal.emulator.resources import new_id
from rehearsal.emulator.transit import (
    Record,
    attachments,
    gateways,
    matching,
    now,
    owned_table,
    propagations,
    requested_tags,
    static_routes,
    tables,
    visible_gateway,
)


def create_attachment(request: Record) -> Record:
    """CreateTransitGatewayVpcAttachment: refused if the gateway is not this account's and not shared with it."""
    gateway = visible_gateway(request["TransitGatewayId"])
    vpc = internals.ec2_record("_vpcs", request["VpcId"])
    if vpc is None:
        raise Ec2Error("InvalidVpcID.NotFound", f"The vpc ID '{request['VpcId']}' does not exist")
    _check_subnets(request["VpcId"], request.get("SubnetIds") or [])
    own = gateway["OwnerId"] == internals.account()
    accepted = own or gateway["Options"]["AutoAcceptSharedAttachments"] == "enable"
    attachment_id = new_id("tgw-attach")
    attachment: Record = {
        "TransitGatewayAttachmentId": attachment_id,
        "TransitGatewayId": gateway["TransitGatewayId"],
        "TransitGatewayOwnerId": gateway["OwnerId"],
        "VpcId": request["VpcId"],
        "VpcOwnerId": internals.account(),
        "ResourceId": request["VpcId"],
        "ResourceOwnerId": internals.account(),
        "ResourceType": "vpc",
        "State": "available" if accepted else "pendingAcceptance",
        "SubnetIds": list(request.get("SubnetIds") or []),
        "CreationTime": now(),
        "Options": {"DnsSupport": "enable", "Ipv6Support": "disable", **(request.get("Options") or {})},
        "Tags": requested_tags(request),
        "_cidr": vpc["CidrBlock"],
    }
    attachments[attachment_id] = attachment
    options = gateway["Options"]
    if options["DefaultRouteTableAssociation"] == "enable" and options.get("AssociationDefaultRouteTableId"):
        _associate(attachment, options["AssociationDefaultRouteTableId"])
    if options["DefaultRouteTablePropagation"] == "enable" and options.get("PropagationDefaultRouteTableId"):
        propagations[options["PropagationDefaultRouteTableId"]].append(attachment_id)
    return {"TransitGatewayVpcAttachment": attachment}


def _check_subnets(vpc_id: str, subnet_ids: list[str]) -> None:
    """Refuse subnets of another VPC."""
    for subnet_id in subnet_ids:
        subnet = internals.ec2_record("_subnets", subnet_id)
        if subnet is None or subnet["VpcId"] != vpc_id:
            raise Ec2Error("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")


def _associate(attachment: Record, table_id: str) -> None:
    """Let a table route what an attachment sends."""
    attachment["Association"] = {"TransitGatewayRouteTableId": table_id, "State": "associated"}


def _visible_attachment(attachment_id: str) -> Record:
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


def describe_attachments(request: Record, answer: str) -> Record:
    """DescribeTransitGatewayVpcAttachments and DescribeTransitGatewayAttachments."""
    for attachment_id in request.get("TransitGatewayAttachmentIds") or []:
        _visible_attachment(attachment_id)
    account = internals.account()
    seen = [a for a in attachments.values() if account in (a["VpcOwnerId"], a["TransitGatewayOwnerId"])]
    fields = {
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "transit-gateway-id": "TransitGatewayId",
        "vpc-id": "VpcId",
        "resource-id": "ResourceId",
        "resource-owner-id": "ResourceOwnerId",
        "resource-type": "ResourceType",
        "state": "State",
    }
    return {answer: matching(seen, request, "TransitGatewayAttachmentId", fields)}


def modify_attachment(request: Record) -> Record:
    """ModifyTransitGatewayVpcAttachment."""
    attachment = _visible_attachment(request["TransitGatewayAttachmentId"])
    added = request.get("AddSubnetIds") or []
    _check_subnets(attachment["VpcId"], added)
    kept = [s for s in attachment["SubnetIds"] if s not in (request.get("RemoveSubnetIds") or [])]
    attachment["SubnetIds"] = kept + [s for s in added if s not in kept]
    attachment["Options"].update(request.get("Options") or {})
    return {"TransitGatewayVpcAttachment": attachment}


def delete_attachment(request: Record) -> Record:
    """DeleteTransitGatewayVpcAttachment."""
    attachment = _visible_attachment(request["TransitGatewayAttachmentId"])
    attachment_id = attachment["TransitGatewayAttachmentId"]
    del attachments[attachment_id]
    for table_id, propagated in propagations.items():
        propagations[table_id] = [a for a in propagated if a != attachment_id]
    return {"TransitGatewayVpcAttachment": {**attachment, "State": "deleting"}}


def _pair(request: Record) -> tuple[Record, str]:
    """The attachment and the table that an association or propagation names; only the gateway's owner has both."""
    table = owned_table(request["TransitGatewayRouteTableId"])
    attachment = _visible_attachment(request["TransitGatewayAttachmentId"])
    return attachment, str(table["TransitGatewayRouteTableId"])


def _relation(attachment: Record, table_id: str, state: str) -> Record:
    """An association or a propagation in an answer."""
    return {
        "TransitGatewayAttachmentId": attachment["TransitGatewayAttachmentId"],
        "ResourceId": attachment["VpcId"],
        "ResourceType": "vpc",
        "TransitGatewayRouteTableId": table_id,
        "State": state,
    }


def associate(request: Record) -> Record:
    """AssociateTransitGatewayRouteTable: an attachment has one table at most."""
    attachment, table_id = _pair(request)
    if attachment.get("Association"):
        raise Ec2Error(
            "Resource.AlreadyAssociated",
            f"Transit Gateway Attachment {attachment['TransitGatewayAttachmentId']} is already associated to a "
            "route table.",
        )
    _associate(attachment, table_id)
    return {"Association": _relation(attachment, table_id, "associated")}


def disassociate(request: Record) -> Record:
    """DisassociateTransitGatewayRouteTable."""
    attachment, table_id = _pair(request)
    if (attachment.pop("Association", None) or {}).get("TransitGatewayRouteTableId") != table_id:
        raise Ec2Error("InvalidAssociation.NotFound", f"{table_id} has no such association.")
    return {"Association": _relation(attachment, table_id, "disassociating")}


def enable_propagation(request: Record) -> Record:
    """EnableTransitGatewayRouteTablePropagation."""
    attachment, table_id = _pair(request)
    if attachment["TransitGatewayAttachmentId"] in propagations[table_id]:
        raise Ec2Error("TransitGatewayRouteTablePropagation.Duplicate", f"Propagation to {table_id} exists already.")
    propagations[table_id].append(attachment["TransitGatewayAttachmentId"])
    return {"Propagation": _relation(attachment, table_id, "enabled")}


def disable_propagation(request: Record) -> Record:
    """DisableTransitGatewayRouteTablePropagation."""
    attachment, table_id = _pair(request)
    kept = [a for a in propagations[table_id] if a != attachment["TransitGatewayAttachmentId"]]
    propagations[table_id] = kept
    return {"Propagation": _relation(attachment, table_id, "disabled")}


def get_associations(request: Record) -> Record:
    """GetTransitGatewayRouteTableAssociations."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    found = [
        _relation(a, table_id, "associated")
        for a in attachments.values()
        if (a.get("Association") or {}).get("TransitGatewayRouteTableId") == table_id
    ]
    return {"Associations": found}


def get_propagations(request: Record) -> Record:
    """GetTransitGatewayRouteTablePropagations."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    found = [_relation(attachments[a], table_id, "enabled") for a in propagations[table_id]]
    return {"TransitGatewayRouteTablePropagations": found}


def create_route(request: Record) -> Record:
    """CreateTransitGatewayRoute: to an attachment, or into a black hole."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    destination = str(ipaddress.ip_network(request["DestinationCidrBlock"]))
    if destination in static_routes[table_id]:
        raise Ec2Error("RouteAlreadyExists", f"Route {destination} already exists in {table_id}.")
    route: Record = {"DestinationCidrBlock": destination, "Type": "static"}
    if request.get("Blackhole"):
        route["State"] = "blackhole"
    else:
        attachment = _visible_attachment(request.get("TransitGatewayAttachmentId", ""))
        if tables[table_id]["TransitGatewayId"] != attachment["TransitGatewayId"]:
            raise Ec2Error("InvalidParameterValue", f"{table_id} is a route table of another gateway.")
        route.update(State="active", TransitGatewayAttachments=[_target(attachment)])
    static_routes[table_id][destination] = route
    return {"Route": route}


def delete_route(request: Record) -> Record:
    """DeleteTransitGatewayRoute."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    route = static_routes[table_id].pop(request["DestinationCidrBlock"], None)
    if route is None:
        raise Ec2Error("InvalidRoute.NotFound", f"{table_id} has no route {request['DestinationCidrBlock']}.")
    return {"Route": {**route, "State": "deleting"}}


def search_routes(request: Record) -> Record:
    """SearchTransitGatewayRoutes: static routes, then what attachments propagate (a static route wins)."""
    table_id = owned_table(request["TransitGatewayRouteTableId"])["TransitGatewayRouteTableId"]
    found = dict(static_routes[table_id])
    for attachment in (attachments[a] for a in propagations[table_id]):
        destination = str(attachment["_cidr"])
        route = {"DestinationCidrBlock": destination, "Type": "propagated", "State": "active"}
        found.setdefault(destination, {**route, "TransitGatewayAttachments": [_target(attachment)]})
    fields = {"type": "Type", "state": "State", "route-search.exact-match": "DestinationCidrBlock"}
    routes = matching(found.values(), request, "DestinationCidrBlock", fields)
    return {"Routes": routes, "AdditionalRoutesAvailable": False}


def _target(attachment: Record) -> Record:
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


ATTACHMENT_ACTIONS: Mapping[str, Callable[[Record], Record]] = {
    "CreateTransitGatewayVpcAttachment": create_attachment,
    "ModifyTransitGatewayVpcAttachment": modify_attachment,
    "DeleteTransitGatewayVpcAttachment": delete_attachment,
    "DescribeTransitGatewayVpcAttachments": lambda r: describe_attachments(r, "TransitGatewayVpcAttachments"),
    "DescribeTransitGatewayAttachments": lambda r: describe_attachments(r, "TransitGatewayAttachments"),
    "AssociateTransitGatewayRouteTable": associate,
    "DisassociateTransitGatewayRouteTable": disassociate,
    "EnableTransitGatewayRouteTablePropagation": enable_propagation,
    "DisableTransitGatewayRouteTablePropagation": disable_propagation,
    "GetTransitGatewayRouteTableAssociations": get_associations,
    "GetTransitGatewayRouteTablePropagations": get_propagations,
    "CreateTransitGatewayRoute": create_route,
    "DeleteTransitGatewayRoute": delete_route,
    "SearchTransitGatewayRoutes": search_routes,
}
