"""An environment's own VPC, its endpoints, its ECS cluster, and every security group with the rules between them."""

from ipaddress import ip_network

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from config.models import Configuration
from config.naming import TRANSIT_GATEWAY_OUTPUT
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.security_groups import SecurityGroups

TRANSIT_SUBNET_MASK = 28
_LARGE_VPC = 22  # up to this prefix, three quarters of the range go to the private subnets

INTERFACE_ENDPOINTS = {
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "Ssm": ec2.InterfaceVpcEndpointAwsService.SSM,
    "SsmMessages": ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES,  # ECS Exec
}


class NetworkStack(WorkloadStack):
    """VPC, endpoints, flow logs, cluster and security groups.

    Attributes:
        vpc: the VPC.
        subnets: where tasks and the database run: no public address, no route in.
        cluster: the ECS cluster.
        security_groups: all groups of the workload.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, configuration: Configuration, stage: StageRef
    ) -> None:
        super().__init__(
            scope, construct_id, configuration=configuration, stage=stage, description="Network and cluster"
        )
        network = configuration.network
        self.vpc = self._vpc()
        self.subnets = ec2.SubnetSelection(subnet_group_name="Private")
        self.security_groups = SecurityGroups(
            self,
            "SecurityGroups",
            vpc=self.vpc,
            web_port=stage.workload.port,
            has_workers=stage.workload.commands.worker is not None,
        )
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        if network.endpoints == "local":
            self._interface_endpoints()
        if network.transit_gateway != "off":
            self._attach()
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=self.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
            enable_fargate_capacity_providers=True,
        )
        self.log_custom_resource(
            "VpcRestrictDefaultSG", retention=self.log_retention, removal_policy=self.data_removal
        )
        private = self.vpc.select_subnets(subnet_group_name="Private")
        self.publish(
            {
                "VpcId": self.vpc.vpc_id,
                "PrivateSubnetIds": cdk.Fn.join(",", private.subnet_ids),
                "ClusterName": self.cluster.cluster_name,
                **{f"{name}SecurityGroupId": group for name, group in self.security_groups.ids().items()},
            }
        )

    def _vpc(self) -> ec2.Vpc:
        stage, network = self.stage_ref, self.configuration.network
        prefix = ip_network(stage.environment.cidr).prefixlen
        own_egress = network.egress == "local"
        subnets = [
            ec2.SubnetConfiguration(
                name="Private",
                subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                if own_egress
                else ec2.SubnetType.PRIVATE_ISOLATED,
                cidr_mask=prefix + (2 if prefix <= _LARGE_VPC else 3),
            ),
            ec2.SubnetConfiguration(
                name="Public",
                subnet_type=ec2.SubnetType.PUBLIC,
                cidr_mask=prefix + (4 if prefix <= _LARGE_VPC else 3),
                map_public_ip_on_launch=False,
            ),
        ]
        if network.transit_gateway != "off":
            subnets.append(
                ec2.SubnetConfiguration(
                    name="Transit",
                    subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=TRANSIT_SUBNET_MASK,
                )
            )
        zones = len(self.configuration.organization.availability_zones)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(stage.environment.cidr),
            max_azs=zones,
            nat_gateways=(zones if stage.is_production else 1) if own_egress else 0,
            subnet_configuration=subnets,
            enable_dns_support=True,
            enable_dns_hostnames=True,
        )
        vpc.add_flow_log(
            "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(self.log_group("FlowLogs"))
        )
        return vpc

    def _interface_endpoints(self) -> None:
        for name, service in INTERFACE_ENDPOINTS.items():
            self.vpc.add_interface_endpoint(
                name,
                service=service,
                subnets=self.subnets,
                security_groups=[self.security_groups.endpoints],
                open=False,  # the group admits the tasks alone, not the whole VPC
            )

    def _attach(self) -> None:
        """Attach to the hub; with central egress every private route but the local one leads there."""
        network = self.configuration.network
        gateway_id = self._transit_gateway_id()
        attachment = ec2.CfnTransitGatewayVpcAttachment(
            self,
            "TransitGatewayAttachment",
            transit_gateway_id=gateway_id,
            vpc_id=self.vpc.vpc_id,
            subnet_ids=self.vpc.select_subnets(subnet_group_name="Transit").subnet_ids,
            tags=[cdk.CfnTag(key="Name", value=self.stage_ref.stage_name)],
        )
        destination = "0.0.0.0/0" if network.egress == "central" else network.supernet
        private = self.vpc.select_subnets(subnet_group_name="Private").subnets
        for index, subnet in enumerate(private, start=1):
            route = ec2.CfnRoute(
                self,
                f"HubRoute{index}",
                route_table_id=subnet.route_table.route_table_id,
                destination_cidr_block=destination,
                transit_gateway_id=gateway_id,
            )
            route.add_resource_dependency(attachment)  # the gateway is no valid target before it is attached

    def _transit_gateway_id(self) -> str:
        """Return the configured id, or read the one that the hub's owner published."""
        configured = self.configuration.network.transit_gateway
        if configured != "create":
            return configured
        return cdk.Fn.get_stack_output(
            self.names.network_stack,
            TRANSIT_GATEWAY_OUTPUT,
            self.configuration.organization.region,
            self.names.role_arn(self.configuration.accounts.shared_services, self.names.network_reader_role),
        )
