"""The hub VPC with the NAT gateways through which every environment leaves."""

from ipaddress import IPv4Network, IPv6Network

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

TRANSIT_SUBNET_MASK = 28  # the smallest subnet; a transit gateway needs one address in it


class EgressVpc(Construct):
    """Hub VPC: one NAT gateway per zone, and small subnets for the transit gateway.

    Args:
        scope: the network stack.
        construct_id: id within it.
        cidr: address range of the hub.
        supernet: range of all environments, for the way back.
        transit_gateway_id: the gateway to attach to.

    Attributes:
        vpc: the VPC.
        attachment_id: id of its attachment to the gateway.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cidr: IPv4Network | IPv6Network,
        supernet: str,
        transit_gateway_id: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(str(cidr)),
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=min(cidr.prefixlen + 3, TRANSIT_SUBNET_MASK),
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="Transit",
                    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
                    cidr_mask=TRANSIT_SUBNET_MASK,
                ),
            ],
        )
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                logs.LogGroup(self, "FlowLogs", retention=logs.RetentionDays.THREE_MONTHS)
            ),
        )
        transit_subnets = self.vpc.select_subnets(subnet_group_name="Transit")
        attachment = ec2.CfnTransitGatewayVpcAttachment(
            self,
            "Attachment",
            transit_gateway_id=transit_gateway_id,
            vpc_id=self.vpc.vpc_id,
            subnet_ids=transit_subnets.subnet_ids,
        )
        self.attachment_id = attachment.attr_id
        for index, subnet in enumerate(self.vpc.public_subnets, start=1):
            route = ec2.CfnRoute(
                self,
                f"ReturnRoute{index}",
                route_table_id=subnet.route_table.route_table_id,
                destination_cidr_block=supernet,
                transit_gateway_id=transit_gateway_id,
            )
            route.add_resource_dependency(attachment)  # the gateway is no valid target before it is attached
