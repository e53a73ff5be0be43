"""Network: an address plan without overlaps, and a way out that exists."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from config.problems import Finding, Place, dotted
from config.rules.view import View

# RFC 1918, and the shared address space of RFC 6598, which VPCs may use too.
# Source: Amazon VPC User Guide, "VPC CIDR blocks".
PRIVATE = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
LARGEST, SMALLEST = 16, 24  # prefix lengths; AWS allows /16 to /28, and the subnets of three zones need a /24


def check(view: View) -> Iterator[Finding]:
    """Apply the rules about the network."""
    yield from _address_plan(view)
    yield from _ways_out(view)


def _address_plan(view: View) -> Iterator[Finding]:
    text = view.get("network", "supernet")
    supernet = IPv4Network(text) if text else None
    if supernet and not any(supernet.subnet_of(private) for private in PRIVATE):
        yield Finding(
            ("network", "supernet"),
            "not a private network: packets to its true owner would get lost",
            f"a network inside {', '.join(map(str, PRIVATE))}",
            'write "10.0.0.0/8", or the part of it that your organization gave you',
        )
    places: list[Place] = [("network", "hub_cidr")]
    places += [(*environment.place, "cidr") for environment in view.environments()]
    earlier: list[tuple[Place, IPv4Network]] = []
    for place in places:
        text = view.get(*place)
        if text is None:
            continue
        network = IPv4Network(text)
        yield from _size_and_place(place, network, supernet)
        for other, taken in earlier:
            if network.overlaps(taken):
                yield Finding(
                    place,
                    f"overlaps {taken} of {dotted(other)}",
                    "networks that have no address in common",
                    _free(supernet, network.prefixlen, view, places),
                )
        earlier.append((place, network))


def _size_and_place(place: Place, network: IPv4Network, supernet: IPv4Network | None) -> Iterator[Finding]:
    allowed = f"/{LARGEST} to /{SMALLEST}"
    if not LARGEST <= network.prefixlen <= SMALLEST:
        size = "large" if network.prefixlen < LARGEST else "small"
        better = LARGEST if network.prefixlen < LARGEST else SMALLEST
        fix = IPv4Network((network.network_address, better), strict=False)
        yield Finding(place, f"/{network.prefixlen} is too {size} for a VPC", allowed, f'write "{fix}"')
    if supernet and not network.subnet_of(supernet):
        yield Finding(
            place,
            f"outside of network.supernet, {supernet}",
            f"{allowed}, inside {supernet}",
            "choose a free part of the supernet, or widen the supernet",
        )


def _free(supernet: IPv4Network | None, prefix: int, view: View, places: list[Place]) -> str:
    """Name the first free network of a size, among a few hundred: a supernet may hold many thousand."""
    otherwise = "choose a free part of the supernet"
    if supernet is None or prefix < supernet.prefixlen:
        return otherwise
    taken = [IPv4Network(text) for place in places if (text := view.get(*place))]
    candidates = supernet.subnets(new_prefix=prefix)
    for candidate, _ in zip(candidates, range(512), strict=False):
        if not any(candidate.overlaps(network) for network in taken):
            return f'write "{candidate}", which is free'
    return otherwise


def _ways_out(view: View) -> Iterator[Finding]:
    egress = view.get("network", "egress")
    if egress == "central" and view.get("network", "transit_gateway") == "off":
        yield Finding(
            ("network", "transit_gateway"),
            "egress central leads through the transit gateway, which is off",
            '"create" or the id of a transit gateway; "off" only with egress local or none',
            'write "create", or set network.egress to "local"',
        )
    if egress == "none" and view.get("network", "endpoints") == "none":
        yield Finding(
            ("network", "endpoints"),
            "without egress and without endpoints, containers could not even fetch their image",
            '"local", with egress none',
            'write "local", or set network.egress to "local" or "central"',
        )
