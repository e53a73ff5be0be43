"""Every environment reaches the hub and the internet as configured; that none reaches another is rule LZ-NET-4."""

from ipaddress import IPv4Network

import pytest

from compliance.routes import (
    INTERNET,
    NOWHERE,
    Route,
    attached,
    destination,
    first_address,
    gateway_table,
    network_of,
    next_hop,
    subnet_tables,
)
from tests import documents
from tests.assembly import Assembly, Stack
from tests.conftest import Synthesize

PUBLIC_ADDRESS = "93.184.215.14"


def _networks(assembly: Assembly) -> list[Stack]:
    return [
        stack
        for stack in assembly.stacks.values()
        if stack.id == "Network" and stack.stage != "SharedServices"
    ]


def test_only_the_hub_itself_is_associated_with_the_hubs_table(organization: Assembly) -> None:
    network = organization["SharedServices-Network"]
    (association,) = organization.resources("AWS::EC2::TransitGatewayRouteTableAssociation")
    assert association.stack is network
    assert (
        association.text("TransitGatewayAttachmentId")
        == "${SharedServices-Network/EgressAttachment8AB07619.Id}"
    )
    assert association.text("TransitGatewayRouteTableId") == "${SharedServices-Network/HubRoutes}"
    assert not organization.resources("AWS::EC2::TransitGatewayRouteTablePropagation")


def test_the_hub_answers_every_environment(organization: Assembly) -> None:
    table = gateway_table(organization, "hub")
    for stack in attached(organization):
        assert next_hop(table, first_address(network_of(stack))) == stack.stage


def test_environments_reach_the_hub(organization: Assembly) -> None:
    hub = network_of(organization["SharedServices-Network"])
    for stack in _networks(organization):
        ends = {destination(organization, routes, hub[10]) for routes in _private(stack)}
        assert ends == {"hub"}


def _private(stack: Stack) -> list[list[Route]]:
    return [routes for subnet, routes in subnet_tables(stack).items() if "PrivateSubnet" in subnet]


@pytest.mark.parametrize(
    ("variant", "end"), [("sample", INTERNET), ("tuned", INTERNET), ("bare", INTERNET), ("closed", NOWHERE)]
)
def test_private_subnets_leave_as_configured(synthesize: Synthesize, variant: str, end: str) -> None:
    assembly = synthesize(documents.VARIANTS[variant])
    for stack in _networks(assembly):
        assert {destination(assembly, routes, PUBLIC_ADDRESS) for routes in _private(stack)} == {end}


def test_with_central_egress_only_the_hub_has_nat_gateways(organization: Assembly) -> None:
    gateways = organization.resources("AWS::EC2::NatGateway")
    assert {gateway.stack.name for gateway in gateways} == {"SharedServices-Network"}
    assert len(gateways) == 2


def test_with_egress_of_their_own_production_has_a_nat_gateway_per_zone(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.tuned())
    stages = [gateway.stack.stage for gateway in assembly.resources("AWS::EC2::NatGateway")]
    assert sorted(stages) == [*[documents.PRODUCTION] * 3, documents.STAGING]


def test_no_private_subnet_has_a_way_in_from_the_internet(organization: Assembly) -> None:
    for stack in _networks(organization):
        tables = [
            route.text("RouteTableId")
            for route in stack.resources("AWS::EC2::Route")
            if route.get("GatewayId")
        ]
        assert len(tables) == 2
        assert all("PublicSubnet" in table for table in tables)


def test_address_ranges_are_those_of_the_configuration(organization: Assembly) -> None:
    ranges = {
        stack.stage: network_of(stack) for stack in organization.stacks.values() if stack.id == "Network"
    }
    assert ranges == {
        "SharedServices": IPv4Network("10.0.0.0/22"),
        documents.STAGING: IPv4Network("10.1.0.0/20"),
        documents.PRODUCTION: IPv4Network("10.2.0.0/20"),
    }
