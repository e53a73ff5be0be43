"""The hub: a transit gateway shared with the workload accounts, and the way out to the internet."""

import hashlib
import json
from ipaddress import ip_network
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ram as ram
from aws_cdk import custom_resources as cr
from constructs import Construct

from config.models import Configuration
from config.naming import TRANSIT_GATEWAY_OUTPUT, Names
from config.stack import BaseStack
from shared_services.egress import EgressVpc
from shared_services.roles import outputs_reader_role

AMAZON_SIDE_ASN = 64512  # start of the private 16-bit range of RFC 6996


class NetworkStack(BaseStack):
    """Transit gateway with two route tables, so that environments reach the hub and never each other.

    Every environment is *associated* with `spokes` (default route to the hub; the supernet is a black hole) and
    *propagated* into `hub` (so that answers find their way back). Only the gateway's owner may associate or
    propagate, and attachment ids are born in the workload accounts; making the two tables the gateway's defaults
    needs no id to flow back.

    Attributes:
        transit_gateway: the gateway.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, configuration: Configuration, account: str
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            account=account,
            description="Transit gateway hub, its two route tables and central egress",
            termination_protection=True,
        )
        gateway: dict[str, Any] = {
            "amazon_side_asn": AMAZON_SIDE_ASN,
            "description": f"Hub of {configuration.organization.name}",
            "auto_accept_shared_attachments": "enable",
            "default_route_table_association": "disable",  # set below, once the tables exist
            "default_route_table_propagation": "disable",
            "dns_support": "enable",
            "vpn_ecmp_support": "disable",
        }
        self.transit_gateway = ec2.CfnTransitGateway(
            self,
            "TransitGateway",
            **gateway,
            tags=[cdk.CfnTag(key="Name", value=f"{configuration.organization.name}-hub")],
        )
        self._gateway_version = hashlib.sha256(json.dumps(gateway).encode()).hexdigest()[:8]
        self._hub_routes: list[Construct] = []
        self._spokes = self._route_table("Spokes")
        self._hub = self._route_table("Hub")
        self._share()
        self._blackhole()
        if configuration.network.egress == "central":
            self._egress()
            self.log_custom_resource(
                "VpcRestrictDefaultSG",
                retention=logs.RetentionDays.ONE_YEAR,
                removal_policy=cdk.RemovalPolicy.RETAIN,
            )
        self._make_tables_default()
        self._publish()

    def _route_table(self, name: str) -> ec2.CfnTransitGatewayRouteTable:
        return ec2.CfnTransitGatewayRouteTable(
            self,
            f"{name}Routes",
            transit_gateway_id=self.transit_gateway.attr_id,
            tags=[cdk.CfnTag(key="Name", value=name.lower())],
        )

    def _arn(self, resource: str, resource_name: str) -> str:
        return self.format_arn(service="ec2", resource=resource, resource_name=resource_name)

    def _share(self) -> None:
        ram.CfnResourceShare(
            self,
            "Share",
            name=f"{self.configuration.organization.name}-transit-gateway",
            resource_arns=[self._arn("transit-gateway", self.transit_gateway.attr_id)],
            principals=sorted({stage.account_id for stage in self.configuration.stages()}),
            allow_external_principals=False,  # inside the organization no invitation has to be accepted
        )

    def _blackhole(self) -> None:
        """Drop what one environment sends to another: the longest prefix wins over the default route."""
        ec2.CfnTransitGatewayRoute(
            self,
            "SpokesDropSupernet",
            transit_gateway_route_table_id=self._spokes.ref,
            destination_cidr_block=self.configuration.network.supernet,
            blackhole=True,
        )

    def _egress(self) -> None:
        network = self.configuration.network
        egress = EgressVpc(
            self,
            "Egress",
            cidr=ip_network(network.hub_cidr),
            supernet=network.supernet,
            transit_gateway_id=self.transit_gateway.attr_id,
        )
        association = ec2.CfnTransitGatewayRouteTableAssociation(
            self,
            "HubAssociation",
            transit_gateway_attachment_id=egress.attachment_id,
            transit_gateway_route_table_id=self._hub.ref,
        )
        for name, destination in (("Default", "0.0.0.0/0"), ("Hub", network.hub_cidr)):
            route = ec2.CfnTransitGatewayRoute(
                self,
                f"Spokes{name}Route",
                transit_gateway_route_table_id=self._spokes.ref,
                destination_cidr_block=destination,
                transit_gateway_attachment_id=egress.attachment_id,
            )
            self._hub_routes.append(route)
        self._hub_routes += [egress, association]

    def _make_tables_default(self) -> None:
        """One SDK call: CloudFormation cannot set tables that need the gateway as the gateway's own properties."""
        call = cr.AwsSdkCall(
            service="ec2",
            action="ModifyTransitGateway",
            parameters={
                "TransitGatewayId": self.transit_gateway.attr_id,
                "Options": {
                    "DefaultRouteTableAssociation": "enable",
                    "AssociationDefaultRouteTableId": self._spokes.ref,
                    "DefaultRouteTablePropagation": "enable",
                    "PropagationDefaultRouteTableId": self._hub.ref,
                },
            },
            # Changes with the gateway's own properties: updating those may reset the defaults, so the call must follow.
            physical_resource_id=cr.PhysicalResourceId.of(f"default-route-tables-{self._gateway_version}"),
            output_paths=["TransitGateway.TransitGatewayId"],
        )
        defaults = cr.AwsCustomResource(
            self,
            "DefaultRouteTables",
            on_create=call,
            on_update=call,
            install_latest_aws_sdk=False,
            policy=cr.AwsCustomResourcePolicy.from_sdk_calls(
                resources=[
                    self._arn("transit-gateway", self.transit_gateway.attr_id),
                    self._arn("transit-gateway-route-table", self._spokes.ref),
                    self._arn("transit-gateway-route-table", self._hub.ref),
                ]
            ),
        )
        # The hub's own attachment must not be caught by the defaults: it belongs to the other table. And nothing may
        # change the gateway's tables while it is being modified.
        for hub_part in self._hub_routes:
            defaults.node.add_dependency(hub_part)

    def _publish(self) -> None:
        """Hand the one id that AWS makes up to the workload accounts, through a role that reads this alone."""
        names = Names(self.configuration)
        cdk.CfnOutput(self, TRANSIT_GATEWAY_OUTPUT, value=self.transit_gateway.attr_id)
        outputs_reader_role(
            self,
            "OutputsReader",
            role_name=names.network_reader_role,
            stack_name=names.network_stack,
            accounts=sorted({stage.account_id for stage in self.configuration.stages()}),
            principal_arn=names.any_bootstrap_role_arn("cfn-exec-role"),
        )
