import pytest

from tests.config.support import (
    PRODUCTION,
    STAGING,
    accepted,
    add_environment,
    problems,
    production,
    refused,
    sample,
    staging,
)


@pytest.mark.parametrize("supernet", ["8.0.0.0/8", "0.0.0.0/0", "172.0.0.0/8", "192.0.0.0/8", "100.0.0.0/8"])
def test_rejects_a_supernet_that_is_not_private(supernet: str) -> None:
    data = sample()
    data["network"]["supernet"] = supernet
    assert "not a private network" in problems(data)[0].problem


@pytest.mark.parametrize("start", ["10.128", "172.16", "192.168", "100.64"])
def test_accepts_every_private_range(start: str) -> None:
    data = sample()
    data["network"] |= {"supernet": f"{start}.0.0/16", "hub_cidr": f"{start}.0.0/22"}
    staging(data)["cidr"], production(data)["cidr"] = f"{start}.16.0/20", f"{start}.32.0/20"
    accepted(data)


@pytest.mark.parametrize(
    ("cidr", "better"), [("10.16.0.0/12", "10.16.0.0/16"), ("10.1.2.128/25", "10.1.2.0/24")]
)
def test_rejects_a_network_too_large_or_too_small_for_a_vpc(cidr: str, better: str) -> None:
    data = sample()
    staging(data)["cidr"] = cidr
    refused(data, f"{STAGING}.cidr", "/16 to /24", f'write "{better}"')


@pytest.mark.parametrize("prefix", [16, 24])
def test_accepts_the_largest_and_the_smallest_network(prefix: int) -> None:
    data = sample()
    staging(data)["cidr"] = f"10.1.0.0/{prefix}"
    accepted(data)


def test_rejects_a_network_outside_of_the_supernet() -> None:
    data = sample()
    staging(data)["cidr"] = "192.168.0.0/20"
    refused(data, f"{STAGING}.cidr", "outside of network.supernet, 10.0.0.0/8")


def test_rejects_a_hub_outside_of_the_supernet_or_of_the_wrong_size() -> None:
    data = sample()
    data["network"]["hub_cidr"] = "172.16.0.0/28"
    found = problems(data)
    assert [problem.path for problem in found] == ["network.hub_cidr"] * 2
    assert "too small" in found[0].problem
    assert "outside" in found[1].problem


def test_rejects_networks_that_overlap_and_names_both() -> None:
    data = sample()
    production(data)["cidr"] = "10.1.8.0/21"
    refused(
        data, f"{PRODUCTION}.cidr", f"overlaps 10.1.0.0/20 of {STAGING}.cidr", '"10.0.8.0/21", which is free'
    )


def test_rejects_a_network_that_overlaps_the_hub() -> None:
    data = sample()
    staging(data)["cidr"] = "10.0.2.0/24"
    refused(data, f"{STAGING}.cidr", "overlaps 10.0.0.0/22 of network.hub_cidr", '"10.0.4.0/24"')


def test_rejects_an_overlap_in_a_supernet_that_is_full() -> None:
    data = sample()
    data["network"] |= {"supernet": "10.0.0.0/15", "hub_cidr": "10.0.0.0/16"}
    staging(data)["cidr"] = "10.1.0.0/16"
    production(data)["cidr"] = "10.1.0.0/16"
    refused(data, f"{PRODUCTION}.cidr", "choose a free part of the supernet")


def test_rejects_an_overlap_also_when_the_supernet_is_wrong() -> None:
    data = sample()
    data["network"]["supernet"] = "10.0.0.0/99"
    production(data)["cidr"] = "10.1.0.0/20"
    assert [problem.path for problem in problems(data)] == ["network.supernet", f"{PRODUCTION}.cidr"]


def test_names_every_overlap() -> None:
    data = sample()
    add_environment(data, "wide", cidr="10.0.0.0/16")
    add_environment(data, "twin", cidr="10.0.0.0/24")
    assert len(problems(data)) == 3


def test_rejects_central_egress_without_a_transit_gateway() -> None:
    data = sample()
    data["network"]["transit_gateway"] = "off"
    refused(data, "network.transit_gateway", "egress central", 'network.egress to "local"')


def test_rejects_central_egress_by_default_without_a_transit_gateway() -> None:
    data = sample()
    del data["network"]["egress"]
    data["network"]["transit_gateway"] = "off"
    refused(data, "network.transit_gateway", "egress central")


def test_rejects_neither_egress_nor_endpoints() -> None:
    data = sample()
    data["network"] |= {"egress": "none", "endpoints": "none"}
    refused(data, "network.endpoints", "could not even fetch their image")


@pytest.mark.parametrize(
    ("gateway", "egress", "endpoints"),
    [
        ("off", "local", "local"),
        ("off", "local", "none"),
        ("off", "none", "local"),
        ("create", "none", "local"),
        ("create", "central", "none"),
        ("tgw-0123456789abcdef0", "central", "local"),
        ("create", "local", "none"),
    ],
)
def test_accepts_ways_out_that_lead_somewhere(gateway: str, egress: str, endpoints: str) -> None:
    data = sample()
    data["network"] |= {"transit_gateway": gateway, "egress": egress, "endpoints": endpoints}
    accepted(data)


@pytest.mark.parametrize("key", ["egress", "endpoints"])
def test_rejects_choices_that_do_not_exist(key: str) -> None:
    data = sample()
    data["network"][key] = "locale"
    refused(data, f"network.{key}", 'did you mean "local"?', '"local"')
