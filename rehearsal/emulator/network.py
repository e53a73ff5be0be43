"""Network types that MiniStack's EC2 has as an API and not in CloudFormation: addresses, NAT, flow logs, rules."""

from typing import Any

from rehearsal.emulator import internals_services
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Attributes, Created, Properties, Resource, new_id, quietly, tagged
from rehearsal.emulator.shapes import to_request

_NOT_FOUND = "Invalid"


class ElasticIp(Resource):
    """AWS::EC2::EIP."""

    types = ("AWS::EC2::EIP",)
    replacing = frozenset({"Domain", "NetworkBorderGroup", "PublicIpv4Pool"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Allocate an address."""
        domain = properties.get("Domain", "vpc")
        address = client("ec2").allocate_address(Domain=domain, **tagged("elastic-ip", properties))
        return address["PublicIp"], {"AllocationId": address["AllocationId"], "PublicIp": address["PublicIp"]}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Keep the address."""
        return physical_id, {"AllocationId": self._allocation(physical_id), "PublicIp": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Release the address."""
        allocation = self._allocation(physical_id)
        if allocation:
            quietly(lambda: client("ec2").release_address(AllocationId=allocation), _NOT_FOUND)

    def _allocation(self, address: str) -> str:
        """The allocation id of an address; empty if it is gone."""
        known = client("ec2").describe_addresses()["Addresses"]
        return next((a["AllocationId"] for a in known if a["PublicIp"] == address), "")


class NatGateway(Resource):
    """AWS::EC2::NatGateway."""

    types = ("AWS::EC2::NatGateway",)
    replacing = frozenset({"AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Make the gateway in its subnet."""
        if internals_services.ec2_record("_subnets", properties["SubnetId"]) is None:
            raise ValueError(
                f"InvalidSubnetID.NotFound: The subnet ID '{properties['SubnetId']}' does not exist"
            )
        ec2 = client("ec2")
        request = to_request(ec2, "CreateNatGateway", properties)
        gateway = ec2.create_nat_gateway(**request, **tagged("natgateway", properties))["NatGateway"]
        return gateway["NatGatewayId"], {"NatGatewayId": gateway["NatGatewayId"]}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Nothing but its tags can change."""
        return physical_id, {"NatGatewayId": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it."""
        quietly(lambda: client("ec2").delete_nat_gateway(NatGatewayId=physical_id), "NatGateway")


class FlowLog(Resource):
    """AWS::EC2::FlowLog."""

    types = ("AWS::EC2::FlowLog",)
    replacing = frozenset(
        {
            "DeliverLogsPermissionArn",
            "LogDestination",
            "LogDestinationType",
            "LogGroupName",
            "MaxAggregationInterval",
            "ResourceId",
            "ResourceType",
            "TrafficType",
        }
    )

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Start it."""
        ec2 = client("ec2")
        request = to_request(ec2, "CreateFlowLogs", properties, ResourceId="ResourceIds")
        made = ec2.create_flow_logs(**request, **tagged("vpc-flow-log", properties))["FlowLogIds"][0]
        return made, {"Id": made}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Nothing but its tags can change."""
        return physical_id, {"Id": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Stop it."""
        quietly(lambda: client("ec2").delete_flow_logs(FlowLogIds=[physical_id]), _NOT_FOUND)


class SecurityGroupRule(Resource):
    """A rule beside its group: AWS::EC2::SecurityGroupIngress or ...Egress. Any change makes a new rule."""

    def __init__(self, direction: str) -> None:
        """Describe it.

        Args:
            direction: ingress or egress.
        """
        self.types = (f"AWS::EC2::SecurityGroup{direction.capitalize()}",)
        self._direction = direction

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Authorize it."""
        authorize = getattr(client("ec2"), f"authorize_security_group_{self._direction}")
        authorize(GroupId=properties["GroupId"], IpPermissions=[self._permission(properties)])
        rule_id = new_id("sgr")
        return rule_id, {"Id": rule_id}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Put the new rule in the old one's place."""
        self.delete(physical_id, old)
        _, attributes = self.create("", new, "")
        return physical_id, {**attributes, "Id": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Revoke it."""
        revoke = getattr(client("ec2"), f"revoke_security_group_{self._direction}")
        permission = self._permission(properties)
        quietly(lambda: revoke(GroupId=properties["GroupId"], IpPermissions=[permission]), _NOT_FOUND)

    def _permission(self, properties: Properties) -> dict[str, Any]:
        """The rule as the API writes it."""
        permission: dict[str, Any] = {"IpProtocol": str(properties["IpProtocol"])}
        for port in ("FromPort", "ToPort"):
            if port in properties:
                permission[port] = int(properties[port])
        described = {"Description": properties["Description"]} if properties.get("Description") else {}
        peer = "Source" if self._direction == "ingress" else "Destination"
        for name, member, key in (
            ("CidrIp", "IpRanges", "CidrIp"),
            ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
            (f"{peer}SecurityGroupId", "UserIdGroupPairs", "GroupId"),
            (f"{peer}PrefixListId", "PrefixListIds", "PrefixListId"),
        ):
            if properties.get(name):
                permission[member] = [{key: properties[name], **described}]
        return permission


def vpc_attributes(physical_id: str, properties: Properties, known: Attributes) -> Attributes:  # noqa: ARG001
    """The attributes of AWS::EC2::VPC that MiniStack leaves out."""
    vpc = client("ec2").describe_vpcs(VpcIds=[physical_id])["Vpcs"][0]
    associated = [item["AssociationId"] for item in vpc.get("CidrBlockAssociationSet", [])]
    return {"CidrBlock": vpc["CidrBlock"], "CidrBlockAssociations": associated, "Ipv6CidrBlocks": []}


RESOURCES: tuple[Resource, ...] = (
    ElasticIp(),
    NatGateway(),
    FlowLog(),
    SecurityGroupRule("ingress"),
    SecurityGroupRule("egress"),
)
