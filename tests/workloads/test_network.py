"""An environment's VPC: subnets, endpoints, flow logs, and which group admits whom."""

import copy
from ipaddress import IPv4Network
from itertools import combinations

import pytest

from compliance.routes import network_of
from tests import documents
from tests.assembly import Assembly, Json, Resource, Stack
from tests.conftest import Synthesize

STAGES = [documents.STAGING, documents.PRODUCTION]
ENDPOINTS = {"ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs", "ssm", "ssmmessages"}
ANYWHERE = {"0.0.0.0/0", "::/0"}


def _ingress(assembly: Assembly) -> list[tuple[Resource, str, Json]]:
    """List every rule that lets traffic in: the template's resource, the group, and the rule."""
    found = [
        (group, f"${{{group.stack.name}/{group.logical_id}.GroupId}}", rule)
        for group in assembly.resources("AWS::EC2::SecurityGroup")
        for rule in group.get("SecurityGroupIngress", default=[])
    ]
    return found + [
        (rule, rule.text("GroupId"), rule.properties)
        for rule in assembly.resources("AWS::EC2::SecurityGroupIngress")
    ]


def _open_to_the_world(assembly: Assembly) -> list[str]:
    """List rules that admit the whole internet, the load balancer's two ports aside."""
    return [
        f"{resource} port {rule.get('FromPort')} to {rule.get('ToPort')}"
        for resource, group, rule in _ingress(assembly)
        if ANYWHERE & {rule.get("CidrIp"), rule.get("CidrIpv6")}
        and not (
            "SecurityGroupsAlb" in group
            and rule["FromPort"] == rule["ToPort"]
            and rule["ToPort"] in {80, 443}
        )
    ]


def test_only_the_load_balancer_is_open_to_the_world(organization: Assembly) -> None:
    assert not _open_to_the_world(organization)
    world = [
        rule for _, _, rule in _ingress(organization) if ANYWHERE & {rule.get("CidrIp"), rule.get("CidrIpv6")}
    ]
    assert sorted(rule["ToPort"] for rule in world) == [80, 80, 443, 443]


@pytest.mark.parametrize("key", ["CidrIp", "CidrIpv6"])
def test_the_check_of_open_groups_finds_a_database_that_is_open(organization: Assembly, key: str) -> None:
    broken = copy.deepcopy(organization)
    rule = next(
        rule
        for rule in broken.resources("AWS::EC2::SecurityGroupIngress")
        if "SecurityGroupsDatabase" in rule.logical_id
    )
    del rule.properties["SourceSecurityGroupId"]
    rule.properties[key] = "0.0.0.0/0" if key == "CidrIp" else "::/0"
    assert len(_open_to_the_world(broken)) == 1


def _admitted(assembly: Assembly, stage_name: str) -> dict[str, set[tuple[str, int]]]:
    """Map each group of an environment to whom it admits, on which port."""
    found: dict[str, set[tuple[str, int]]] = {}
    for resource, group, rule in _ingress(assembly):
        if resource.stack.stage == stage_name:
            assert rule["IpProtocol"] == "tcp"
            assert rule["FromPort"] == rule["ToPort"]
            source = resource.stack.text(rule.get("SourceSecurityGroupId", rule.get("CidrIp")))
            found.setdefault(_short(group), set()).add((_short(source), rule["ToPort"]))
    return found


def _short(group: str) -> str:
    """Return the name of a group without stack, construct and hash."""
    return group.partition("/SecurityGroups")[2].partition(".")[0][:-8] or group


@pytest.mark.parametrize("stage_name", STAGES)
def test_each_group_admits_exactly_those_who_need_it(organization: Assembly, stage_name: str) -> None:
    tasks = ("Web", "Workers", "Release")
    assert _admitted(organization, stage_name) == {
        "Alb": {("0.0.0.0/0", 80), ("0.0.0.0/0", 443)},
        "Web": {("Alb", 8000)},
        "Database": {(name, 5432) for name in tasks},
        "Endpoints": {(name, 443) for name in tasks},
    }


def test_the_web_group_admits_the_port_of_the_workload(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    assert _admitted(assembly, "ShopStaging")["Web"] == {("Alb", 9000)}


def test_the_load_balancer_and_the_database_start_no_connections_of_their_own(organization: Assembly) -> None:
    for group in organization.resources("AWS::EC2::SecurityGroup"):
        name = _short(f"${{{group.stack.name}/{group.logical_id}.GroupId}}")
        outward = {rule["CidrIp"] for rule in group.get("SecurityGroupEgress", default=[])}
        expected = {"0.0.0.0/0"} if name in {"Web", "Workers", "Release"} else {"255.255.255.255/32"}
        assert outward == (set() if name == "Alb" else expected), group
    (to_web, *_) = organization.resources("AWS::EC2::SecurityGroupEgress")
    assert _short(to_web.text("DestinationSecurityGroupId")) == "Web"


def test_rules_of_groups_are_in_the_network_stack_alone(organization: Assembly) -> None:
    rules = organization.resources("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
    assert {rule.stack.id for rule in rules} == {"Network"}


@pytest.fixture(params=STAGES)
def network(organization: Assembly, request: pytest.FixtureRequest) -> Stack:
    """The network stack of each environment."""
    return organization[f"{request.param}-Network"]


def test_private_subnets_reach_the_services_that_tasks_need(network: Stack) -> None:
    endpoints = network.resources("AWS::EC2::VPCEndpoint")
    interfaces = [each for each in endpoints if each.get("VpcEndpointType") == "Interface"]
    assert {
        each.text("ServiceName").removeprefix("com.amazonaws.eu-west-1.") for each in interfaces
    } == ENDPOINTS
    for each in interfaces:
        assert each.get("PrivateDnsEnabled") is True
        assert len(each.get("SubnetIds")) == 2
        assert all("PrivateSubnet" in network.text(subnet) for subnet in each.get("SubnetIds"))
        assert [_short(network.text(group)) for group in each.get("SecurityGroupIds")] == ["Endpoints"]
    (gateway,) = [each for each in endpoints if each not in interfaces]
    assert gateway.text("ServiceName") == "com.amazonaws.eu-west-1.s3"
    assert any("PrivateSubnet" in network.text(table) for table in gateway.get("RouteTableIds"))


def test_without_endpoints_only_the_free_one_of_s3_is_left(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_existing_gateway())
    endpoints = assembly.resources("AWS::EC2::VPCEndpoint")
    assert [each.get("VpcEndpointType") for each in endpoints] == ["Gateway", "Gateway"]


def test_every_vpc_logs_its_traffic(organization: Assembly) -> None:
    logged = {log.text("ResourceId") for log in organization.resources("AWS::EC2::FlowLog")}
    vpcs = {f"${{{vpc.stack.name}/{vpc.logical_id}}}" for vpc in organization.resources("AWS::EC2::VPC")}
    assert logged == vpcs
    assert len(vpcs) == 3
    assert {log.get("TrafficType") for log in organization.resources("AWS::EC2::FlowLog")} == {"ALL"}


def test_every_vpc_empties_its_default_group(organization: Assembly) -> None:
    assert len(organization.resources("Custom::VpcRestrictDefaultSG")) == 3


def test_no_subnet_gives_away_public_addresses(organization: Assembly) -> None:
    subnets = organization.resources("AWS::EC2::Subnet")
    assert {subnet.get("MapPublicIpOnLaunch") for subnet in subnets} == {False}


def test_the_cluster_has_insights_and_both_kinds_of_fargate(network: Stack) -> None:
    settings = network.resource("AWS::ECS::Cluster").get("ClusterSettings")
    assert settings == [{"Name": "containerInsights", "Value": "enabled"}]
    providers = network.resource("AWS::ECS::ClusterCapacityProviderAssociations").get("CapacityProviders")
    assert providers == ["FARGATE", "FARGATE_SPOT"]


def test_the_attachment_uses_the_gateway_of_shared_services(network: Stack) -> None:
    attachment = network.resource("AWS::EC2::TransitGatewayVpcAttachment")
    assert attachment.text("TransitGatewayId") == "${SharedServices-Network/TransitGateway.Id}"
    assert all("TransitSubnet" in network.text(subnet) for subnet in attachment.get("SubnetIds"))
    routes = [each for each in network.resources("AWS::EC2::Route") if each.get("TransitGatewayId")]
    assert len(routes) == 2
    assert all(each.body["DependsOn"] == [attachment.logical_id] for each in routes)


def test_an_existing_gateway_is_used_by_its_id(synthesize: Synthesize) -> None:
    gateway = documents.EXISTING_GATEWAY
    assembly = synthesize(documents.with_existing_gateway())
    attachments = assembly.resources("AWS::EC2::TransitGatewayVpcAttachment")
    assert [each.get("TransitGatewayId") for each in attachments] == [gateway, gateway]
    routes = [each for each in assembly.resources("AWS::EC2::Route") if each.get("TransitGatewayId")]
    assert {each.get("TransitGatewayId") for each in routes} == {gateway}


def test_without_a_gateway_nothing_is_attached(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.bare())
    assert not assembly.resources("AWS::EC2::TransitGatewayVpcAttachment")
    assert not [each for each in assembly.resources("AWS::EC2::Subnet") if "Transit" in each.logical_id]


@pytest.mark.parametrize(
    ("variant", "stage_name", "prefix"),
    [
        ("two workloads", "ShopProduction", 16),
        ("two workloads", documents.STAGING, 20),
        ("tuned", documents.STAGING, 22),
        ("tuned", documents.PRODUCTION, 23),
        ("two workloads", "ShopStaging", 24),
    ],
)
def test_subnets_of_three_zones_fit_side_by_side_into_any_range(
    synthesize: Synthesize, variant: str, stage_name: str, prefix: int
) -> None:
    network = synthesize(documents.VARIANTS[variant])[f"{stage_name}-Network"]
    subnets = {
        each.logical_id: IPv4Network(each.get("CidrBlock")) for each in network.resources("AWS::EC2::Subnet")
    }
    assert len(subnets) == 9
    assert network_of(network).prefixlen == prefix
    assert all(subnet.subnet_of(network_of(network)) for subnet in subnets.values())
    assert not any(one.overlaps(other) for one, other in combinations(subnets.values(), 2))
    # "Subnets for your load balancer" in AWS's guide: /27 at least, with eight free addresses.
    assert all(subnet.prefixlen <= 27 for name, subnet in subnets.items() if "PublicSubnet" in name)


def test_availability_zones_are_those_of_the_configuration(synthesize: Synthesize) -> None:
    zones = {
        each.get("AvailabilityZone") for each in synthesize(documents.bare()).resources("AWS::EC2::Subnet")
    }
    assert zones == {"eu-west-1b", "eu-west-1c"}
