"""No environment reaches another: computed from the route tables, the way a packet would go."""

from collections.abc import Iterator

from compliance.routes import BLACKHOLE, NOWHERE, destination, first_address, network_of, subnet_tables
from compliance.rules.rule import Finding, Organization, judged, rule
from compliance.templates import Assembly, Resource
from config.naming import SHARED_SERVICES_STAGE

VPC = "AWS::EC2::VPC"
_DEAD_ENDS = frozenset({BLACKHOLE, NOWHERE})


def environment_networks(assembly: Assembly) -> list[Resource]:
    """Return the VPCs of the environments.

    Args:
        assembly: the templates.
    """
    return [vpc for vpc in assembly.resources(VPC) if vpc.stack.stage not in {"", SHARED_SERVICES_STAGE}]


def ways_out_of(vpc: Resource) -> list[str]:
    """List every way by which a packet from a VPC would arrive in another environment.

    Args:
        vpc: the VPC of an environment.
    """
    assembly = vpc.stack.assembly
    found = []
    for other in environment_networks(assembly):
        if other.stack is not vpc.stack:
            network = network_of(other.stack)
            for address in (first_address(network), network[-2]):
                for subnet, routes in subnet_tables(vpc.stack).items():
                    end = destination(assembly, routes, address)
                    if end not in _DEAD_ENDS:
                        found.append(f"{subnet} to {address} of {other.stack.stage}: {end}")
    return found


@rule(
    "LZ-NET-4",
    text="No environment reaches another over the network.",
    fix="Keep the black hole for the supernet in the spokes' route table, and every environment in that table.",
)
def no_environment_reaches_another(organization: Organization) -> Iterator[Finding]:
    """Look at every environment's VPC. Behind somebody else's gateway the routes are theirs, and nothing is said."""
    if organization.configuration.network.transit_gateway.startswith("tgw-"):
        return
    assembly = organization.assembly
    peerings = assembly.resources("AWS::EC2::VPCPeeringConnection")
    for vpc in environment_networks(assembly):
        wrong = ways_out_of(vpc)
        wrong += [
            f"{peering.path} leads around the hub" for peering in peerings if peering.stack is vpc.stack
        ]
        yield from judged(vpc, wrong)
