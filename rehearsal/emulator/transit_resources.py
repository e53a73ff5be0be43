"""The transit gateway's CloudFormation types, made of its API calls."""

from typing import Any

from rehearsal.emulator import internals_services
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Attributes, Created, Properties, Resource, quietly, tagged
from rehearsal.emulator.shapes import to_request
from rehearsal.emulator.transit_store import is_attached

_NOT_FOUND = "Invalid"


def _options(properties: Properties, *left_out: str) -> Properties:
    """The properties that the API takes as options."""
    return {
        name: value
        for name, value in properties.items()
        if name not in {"Description", "Tags", "Options", *left_out}
    }


class TransitGateway(Resource):
    """AWS::EC2::TransitGateway."""

    types = ("AWS::EC2::TransitGateway",)
    replacing = frozenset({"MulticastSupport"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Make the gateway."""
        ec2 = client("ec2")
        options = _options(properties, "AssociationDefaultRouteTableId", "PropagationDefaultRouteTableId")
        request = to_request(ec2, "CreateTransitGateway", {**properties, "Options": options})
        gateway = ec2.create_transit_gateway(**request, **tagged("transit-gateway", properties))[
            "TransitGateway"
        ]
        return gateway["TransitGatewayId"], self._attributes(gateway)

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Change its options."""
        ec2 = client("ec2")
        options = _options(new, "MulticastSupport", "AmazonSideAsn")
        request = to_request(ec2, "ModifyTransitGateway", {**new, "Options": options})
        request["TransitGatewayId"] = physical_id
        return physical_id, self._attributes(ec2.modify_transit_gateway(**request)["TransitGateway"])

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it."""
        quietly(lambda: client("ec2").delete_transit_gateway(TransitGatewayId=physical_id), _NOT_FOUND)

    def _attributes(self, gateway: Properties) -> Attributes:
        return {"Id": gateway["TransitGatewayId"], "TransitGatewayArn": gateway["TransitGatewayArn"]}


class TransitGatewayAttachment(Resource):
    """AWS::EC2::TransitGatewayVpcAttachment, and its older name."""

    types = ("AWS::EC2::TransitGatewayVpcAttachment", "AWS::EC2::TransitGatewayAttachment")
    replacing = frozenset({"TransitGatewayId", "VpcId"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Attach the VPC, if the gateway is this account's or shared with it."""
        ec2 = client("ec2")
        request = to_request(ec2, "CreateTransitGatewayVpcAttachment", properties)
        request.update(tagged("transit-gateway-attachment", properties))
        attachment = ec2.create_transit_gateway_vpc_attachment(**request)["TransitGatewayVpcAttachment"]
        attachment_id = attachment["TransitGatewayAttachmentId"]
        if attachment["State"] == "pendingAcceptance":
            ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment_id)
            raise ValueError(
                f"{attachment_id} waits for acceptance by the owner of {properties['TransitGatewayId']}: its "
                "AutoAcceptSharedAttachments is not enabled"
            )
        return attachment_id, {"Id": attachment_id}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Change its subnets and options."""
        before, after = set(old.get("SubnetIds") or []), set(new.get("SubnetIds") or [])
        request: dict[str, Any] = {
            "TransitGatewayAttachmentId": physical_id,
            "Options": new.get("Options") or {},
        }
        if after - before:
            request["AddSubnetIds"] = sorted(after - before)
        if before - after:
            request["RemoveSubnetIds"] = sorted(before - after)
        client("ec2").modify_transit_gateway_vpc_attachment(**request)
        return physical_id, {"Id": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Detach it."""
        delete = client("ec2").delete_transit_gateway_vpc_attachment
        quietly(lambda: delete(TransitGatewayAttachmentId=physical_id), _NOT_FOUND)


class TransitGatewayRouteTable(Resource):
    """AWS::EC2::TransitGatewayRouteTable."""

    types = ("AWS::EC2::TransitGatewayRouteTable",)
    replacing = frozenset({"TransitGatewayId"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Make the table."""
        table = client("ec2").create_transit_gateway_route_table(
            TransitGatewayId=properties["TransitGatewayId"],
            **tagged("transit-gateway-route-table", properties),
        )
        table_id = table["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
        return table_id, {"TransitGatewayRouteTableId": table_id}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Nothing but its tags can change."""
        return physical_id, {"TransitGatewayRouteTableId": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it."""
        delete = client("ec2").delete_transit_gateway_route_table
        quietly(lambda: delete(TransitGatewayRouteTableId=physical_id), _NOT_FOUND)


class TransitGatewayLink(Resource):
    """What joins an attachment and a route table: an association or a propagation."""

    replacing = frozenset({"TransitGatewayAttachmentId", "TransitGatewayRouteTableId"})

    def __init__(self, type_name: str, make: str, unmake: str) -> None:
        """Describe it.

        Args:
            type_name: the CloudFormation type.
            make: method of the EC2 client that joins the two.
            unmake: method that parts them.
        """
        self.types = (type_name,)
        self._make = make
        self._unmake = unmake

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Join them."""
        pair = self._pair(properties)
        getattr(client("ec2"), self._make)(**pair)
        physical_id = f"{pair['TransitGatewayAttachmentId']}_{pair['TransitGatewayRouteTableId']}"
        return physical_id, {"Id": physical_id}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Nothing can change in place."""
        return physical_id, {"Id": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Part them."""
        quietly(lambda: getattr(client("ec2"), self._unmake)(**self._pair(properties)), _NOT_FOUND)

    def _pair(self, properties: Properties) -> dict[str, str]:
        return {name: properties[name] for name in sorted(self.replacing)}


class TransitGatewayRoute(Resource):
    """AWS::EC2::TransitGatewayRoute."""

    types = ("AWS::EC2::TransitGatewayRoute",)
    replacing = frozenset(
        {"TransitGatewayRouteTableId", "DestinationCidrBlock", "TransitGatewayAttachmentId", "Blackhole"}
    )

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Make the route."""
        ec2 = client("ec2")
        ec2.create_transit_gateway_route(**to_request(ec2, "CreateTransitGatewayRoute", properties))
        return f"{properties['TransitGatewayRouteTableId']}_{properties['DestinationCidrBlock']}", {}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Nothing can change in place."""
        return physical_id, {}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it."""
        table_id, destination = properties["TransitGatewayRouteTableId"], properties["DestinationCidrBlock"]
        delete = client("ec2").delete_transit_gateway_route
        quietly(
            lambda: delete(TransitGatewayRouteTableId=table_id, DestinationCidrBlock=destination), _NOT_FOUND
        )


def refuse_unattached_route(properties: Properties) -> None:
    """Refuse a VPC's route to a gateway that the VPC is not attached to, as EC2 does.

    It is the error that a forgotten `DependsOn` on the attachment gives.
    """
    gateway_id = properties.get("TransitGatewayId")
    table = internals_services.ec2_record("_route_tables", properties.get("RouteTableId", ""))
    if gateway_id and table is not None and not is_attached(table["VpcId"], gateway_id):
        raise ValueError(
            f"InvalidTransitGatewayID.NotFound: transitGateway ID '{gateway_id}' does not exist, or {table['VpcId']} "
            "is not attached to it yet (the route must depend on the attachment)"
        )


RESOURCES: tuple[Resource, ...] = (
    TransitGateway(),
    TransitGatewayAttachment(),
    TransitGatewayRouteTable(),
    TransitGatewayLink(
        "AWS::EC2::TransitGatewayRouteTableAssociation",
        "associate_transit_gateway_route_table",
        "disassociate_transit_gateway_route_table",
    ),
    TransitGatewayLink(
        "AWS::EC2::TransitGatewayRouteTablePropagation",
        "enable_transit_gateway_route_table_propagation",
        "disable_transit_gateway_route_table_propagation",
    ),
    TransitGatewayRoute(),
)
