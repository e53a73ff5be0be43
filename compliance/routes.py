"""Follows a packet through the route tables of the templates, the way AWS would: the longest prefix wins."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from compliance.templates import Assembly, Resource, Stack
from config.naming import SHARED_SERVICES_STAGE

BLACKHOLE = "blackhole"
NOWHERE = "no route"
INTERNET = "internet"
HUB = "hub"
LOCAL = "local"
OTHER = "another target"  # a peering, an instance: nothing that this project makes
UNKNOWN_TABLE = "a route table that is not that of the spokes"

_HUB_STACK = f"{SHARED_SERVICES_STAGE}-Network"
_TARGETS = {
    "TransitGatewayId": "transit gateway",
    "NatGatewayId": INTERNET,
    "GatewayId": INTERNET,
}


@dataclass(frozen=True)
class Route:
    """One entry of a route table.

    Args:
        destination: the range that it is for.
        target: where it leads.
    """

    destination: IPv4Network
    target: str


def network_of(stack: Stack) -> IPv4Network:
    """Return the address range of a stack's VPC."""
    return stack.once("network", lambda: IPv4Network(stack.resource("AWS::EC2::VPC").get("CidrBlock")))


def subnet_tables(stack: Stack) -> dict[str, list[Route]]:
    """Return the routes of each subnet of a stack's VPC."""
    return stack.once("subnet tables", lambda: _subnet_tables(stack))


def _subnet_tables(stack: Stack) -> dict[str, list[Route]]:
    tables = {}
    for association in stack.resources("AWS::EC2::SubnetRouteTableAssociation"):
        table = association.text("RouteTableId")
        routes = [Route(network_of(stack), LOCAL)]
        for route in stack.resources("AWS::EC2::Route"):
            if route.text("RouteTableId") == table and route.get("DestinationCidrBlock"):
                target = next((name for key, name in _TARGETS.items() if route.get(key)), OTHER)
                routes.append(Route(IPv4Network(route.get("DestinationCidrBlock")), target))
        tables[association.text("SubnetId")] = routes
    return tables


def next_hop(routes: list[Route], address: IPv4Address) -> str:
    """Return where a table sends an address."""
    fitting = [route for route in routes if address in route.destination]
    return max(fitting, key=lambda route: route.destination.prefixlen).target if fitting else NOWHERE


def gateway_table(assembly: Assembly, name: str) -> list[Route]:
    """Return the routes of the transit gateway's table `spokes` or `hub`.

    The hub's holds what environments propagate, and no propagation is written down: it follows from the gateway's
    defaults, which one call sets. What the templates of the environments attach is what arrives.
    """
    return assembly.once(("gateway table", name), lambda: _gateway_table(assembly, name))


def _gateway_table(assembly: Assembly, name: str) -> list[Route]:
    network = assembly[_HUB_STACK]
    table = network.resource("AWS::EC2::TransitGatewayRouteTable", name.capitalize())
    routes = [
        Route(IPv4Network(route.get("DestinationCidrBlock")), BLACKHOLE if route.get("Blackhole") else HUB)
        for route in network.resources("AWS::EC2::TransitGatewayRoute")
        if route.text("TransitGatewayRouteTableId") == table.reference
    ]
    if propagation_table(assembly) == table.reference:
        routes += [Route(network_of(stack), stack.stage) for stack in attached(assembly)]
    return routes


def attached(assembly: Assembly) -> list[Stack]:
    """Return the network stacks of the environments that are attached to the gateway."""
    return [
        attachment.stack
        for attachment in assembly.resources("AWS::EC2::TransitGatewayVpcAttachment")
        if attachment.stack.stage != SHARED_SERVICES_STAGE
    ]


def _defaults(assembly: Assembly) -> Resource:
    return assembly[_HUB_STACK].resource("Custom::AWS", "DefaultRouteTables")


def association_table(assembly: Assembly) -> str:
    """Return the table with which attachments are associated that nobody associates by hand."""
    return assembly.once("association", lambda: _option(assembly, "AssociationDefaultRouteTableId"))


def propagation_table(assembly: Assembly) -> str:
    """Return the table into which such attachments propagate their range."""
    return _option(assembly, "PropagationDefaultRouteTableId")


def _option(assembly: Assembly, name: str) -> str:
    call = _defaults(assembly).text("Create")
    return call.partition(f'"{name}":"')[2].partition('"')[0]


def destination(assembly: Assembly, routes: list[Route], address: IPv4Address | str) -> str:
    """Return where a packet ends that leaves from a subnet with these routes.

    Args:
        assembly: the organization.
        routes: the subnet's table.
        address: whom the packet is for.
    """
    address = IPv4Address(ip_address(str(address)))
    hop = next_hop(routes, address)
    if hop == "transit gateway":
        network = assembly[_HUB_STACK]
        spokes = network.resource("AWS::EC2::TransitGatewayRouteTable", "Spokes")
        if association_table(assembly) != spokes.reference:
            return UNKNOWN_TABLE
        hop = next_hop(gateway_table(assembly, "spokes"), address)
        if hop == HUB and address not in network_of(network):
            hop = _through_hub(assembly, address)
    if hop == INTERNET and address.is_private:
        return NOWHERE  # no internet gateway forwards a private address
    return hop


def _through_hub(assembly: Assembly, address: IPv4Address) -> str:
    """Follow a packet that arrives in the hub's small subnets: to its NAT gateway, and from there on."""
    hops = {next_hop(routes, address) for routes in _hub_subnets(assembly, "Transit")}
    if hops != {INTERNET}:
        return " or ".join(sorted(hops))
    hops = {next_hop(routes, address) for routes in _hub_subnets(assembly, "Public")}
    if hops == {"transit gateway"}:  # back to an environment
        return next_hop(gateway_table(assembly, "hub"), address)
    return " or ".join(sorted(hops))


def _hub_subnets(assembly: Assembly, name: str) -> list[list[Route]]:
    tables = subnet_tables(assembly[_HUB_STACK])
    return [routes for subnet, routes in tables.items() if f"{name}Subnet" in subnet]


def first_address(network: IPv4Network) -> IPv4Address:
    """Return an address in a network that a machine could have."""
    return IPv4Address(ip_network(network)[10])
