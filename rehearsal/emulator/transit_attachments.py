"""Attachments of VPCs to transit gateways, and what joins them with route tables, as the EC2 API shows them."""

from collections.abc import Callable, Mapping

from rehearsal.emulator import internals, internals_services
from rehearsal.emulator.ec2_protocol import Ec2Error
from rehearsal.emulator.resources import new_id
from rehearsal.emulator.transit_store import (
    Record,
    attachments,
    matching,
    now,
    owned_table,
    propagations,
    requested_tags,
    visible_attachment,
    visible_gateway,
)


def create_attachment(request: Record) -> Record:
    """CreateTransitGatewayVpcAttachment: refused if the gateway is not this account's and not shared with it."""
    gateway = visible_gateway(request["TransitGatewayId"])
    vpc = internals_services.ec2_record("_vpcs", request["VpcId"])
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
        subnet = internals_services.ec2_record("_subnets", subnet_id)
        if subnet is None or subnet["VpcId"] != vpc_id:
            raise Ec2Error("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")


def _associate(attachment: Record, table_id: str) -> None:
    """Let a table route what an attachment sends."""
    attachment["Association"] = {"TransitGatewayRouteTableId": table_id, "State": "associated"}


def describe_attachments(request: Record, answer: str) -> Record:
    """DescribeTransitGatewayVpcAttachments and DescribeTransitGatewayAttachments."""
    for attachment_id in request.get("TransitGatewayAttachmentIds") or []:
        visible_attachment(attachment_id)
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
    attachment = visible_attachment(request["TransitGatewayAttachmentId"])
    added = request.get("AddSubnetIds") or []
    _check_subnets(attachment["VpcId"], added)
    kept = [s for s in attachment["SubnetIds"] if s not in (request.get("RemoveSubnetIds") or [])]
    attachment["SubnetIds"] = kept + [s for s in added if s not in kept]
    attachment["Options"].update(request.get("Options") or {})
    return {"TransitGatewayVpcAttachment": attachment}


def delete_attachment(request: Record) -> Record:
    """DeleteTransitGatewayVpcAttachment."""
    attachment = visible_attachment(request["TransitGatewayAttachmentId"])
    attachment_id = attachment["TransitGatewayAttachmentId"]
    del attachments[attachment_id]
    for table_id, propagated in propagations.items():
        propagations[table_id] = [a for a in propagated if a != attachment_id]
    return {"TransitGatewayVpcAttachment": {**attachment, "State": "deleting"}}


def _pair(request: Record) -> tuple[Record, str]:
    """The attachment and the table that an association or propagation names; only the gateway's owner has both."""
    table = owned_table(request["TransitGatewayRouteTableId"])
    attachment = visible_attachment(request["TransitGatewayAttachmentId"])
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
        raise Ec2Error(
            "TransitGatewayRouteTablePropagation.Duplicate", f"Propagation to {table_id} exists already."
        )
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
}
