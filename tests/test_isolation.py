"""No environment reaches another, computed from the route tables; and every one reaches the internet as configured."""

import copy
from ipaddress import IPv4Network
from itertools import permutations

import pytest

from tests import documents
from tests.assembly import Assembly, Json, Stack
from tests.conftest import Synthesize
from compliance.routes import (
    BLACKHOLE,
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

PUBLIC_ADDRESS = "93.184.215.14"


def _networks(assembly: Assembly) -> list[Stack]:
    return [
        stack
        for stack in assembly.stacks.values()
        if stack.id == "Network" and stack.stage != "SharedServices"
    ]


def _ways_between_environments(assembly: Assembly) -> list[str]:
    """List every way by which a packet of one environment would arrive in another."""
    found = []
    for one, other in permutations(_networks(assembly), 2):
        for address in (first_address(network_of(other)), network_of(other)[-2]):
            for subnet, routes in subnet_tables(one).items():
                end = destination(assembly, routes, address)
                if end not in {BLACKHOLE, NOWHERE}:
                    found.append(f"{subnet} to {address} of {other.stage}: {end}")
    return found


# Somebody else's gateway has somebody else's route tables.
OWN_ROUTES = [
    name
    for name, document in documents.VARIANTS.items()
    if not document["network"].get("transit_gateway", "create").startswith("tgw-")
]


@pytest.mark.parametrize("variant", OWN_ROUTES)
def test_no_environment_reaches_another(synthesize: Synthesize, variant: str) -> None:
    assembly = synthesize(documents.VARIANTS[variant])
    assert _networks(assembly)
    assert not _ways_between_environments(assembly)


def _hub(assembly: Assembly) -> dict[str, Json]:
    resources: dict[str, Json] = assembly["SharedServices-Network"].template["Resources"]
    return resources


def test_without_the_black_hole_the_check_finds_the_ways(organization: Assembly) -> None:
    broken = copy.deepcopy(organization)
    del _hub(broken)["SpokesDropSupernet"]
    ways = _ways_between_environments(broken)
    assert len(ways) == 8, "two environments, two private subnets each, two addresses each"
    assert all("Private" in way for way in ways)


def test_a_route_that_is_more_precise_than_the_black_hole_is_found(organization: Assembly) -> None:
    broken = copy.deepcopy(organization)
    _hub(broken)["SpokesHubRoute"]["Properties"]["DestinationCidrBlock"] = "10.2.0.0/20"
    assert _ways_between_environments(broken)


def test_environments_in_the_wrong_table_are_found(organization: Assembly) -> None:
    broken = copy.deepcopy(organization)
    defaults = _hub(broken)["DefaultRouteTables0E30C036"]["Properties"]
    for part in defaults["Create"]["Fn::Join"][1]:
        if part == {"Ref": "SpokesRoutes"}:
            part["Ref"] = "HubRoutes"
    with pytest.raises(AssertionError):
        _ways_between_environments(broken)


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
