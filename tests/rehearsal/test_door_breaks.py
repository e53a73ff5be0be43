"""The door breaks where production would: every test takes one link away, sees it named, and mends it."""

from typing import Any

from rehearsal.door import DoorState
from rehearsal.door.sites import broken_ways, sites
from tests.rehearsal.conftest import SHARED
from tests.rehearsal.site_template import DOMAIN, HOST
from tests.rehearsal.sites import Site, ask, eventually


def problem(state: DoorState, url: str) -> tuple[str, str]:
    """The link that breaks on the way to a site, and the reason."""
    found = next(site for site in sites(state) if site.url == url)
    return found.step, found.problem


def breaks(state: DoorState, step: str, url: str = f"https://{HOST}/") -> str:
    """Wait until the way breaks at a link, see that a client gets nowhere, and give the reason."""
    found, reason = eventually(lambda: problem(state, url), lambda now: now[0] == step)
    assert found == step, reason
    refused = ask(state, url)
    assert (refused.status, refused.step) == (0, "tunnel")
    assert any(text.startswith(f"{url}: {step}") for text in broken_ways(state))
    return str(reason)


def holds(state: DoorState) -> None:
    """Wait until all ways hold again."""
    assert eventually(lambda: list(broken_ways(state)), lambda now: now == []) == []


def test_a_delegation_to_other_servers_breaks_the_way(state: DoorState, site: Site) -> None:
    own = site.zone.outputs["Servers"].split(",")
    site.delegate(["ns-1.elsewhere.example", "ns-2.elsewhere.example"])
    reason = breaks(state, "delegation")
    site.delegate([*own[:3], "ns-4.elsewhere.example"])
    partly = eventually(lambda: problem(state, f"https://{HOST}/")[1], lambda now: "every other query" in now)
    site.delegate(own)
    holds(state)

    assert "which do not know it (SERVFAIL)" in reason
    assert site.zone_id in reason
    assert "ns-4.elsewhere.example" in partly


def test_a_missing_delegation_breaks_the_way(state: DoorState, site: Site) -> None:
    route53 = site.cloud.client("route53", SHARED)
    listed = route53.list_resource_record_sets(HostedZoneId=site.parent.ids["Zone"])["ResourceRecordSets"]
    record = next(one for one in listed if one["Type"] == "NS" and one["Name"] == f"{HOST}.")
    site.change(record, action="DELETE", zone_id=site.parent.ids["Zone"], account=SHARED)
    reason = breaks(state, "record")
    site.delegate(site.zone.outputs["Servers"].split(","))
    holds(state)

    assert f"zone {DOMAIN}" in reason
    assert "NXDOMAIN" in reason


def test_a_record_that_points_to_no_load_balancer_breaks_the_way(state: DoorState, site: Site) -> None:
    alias = _alias(site, "gone-1234567890.eu-west-1.elb.amazonaws.com.")
    own = _record(site)
    site.change(alias)
    reason = breaks(state, "alias")
    site.change(own)
    holds(state)

    assert "no account has a load balancer gone-1234567890" in reason


def test_a_missing_record_breaks_the_way(state: DoorState, site: Site) -> None:
    own = _record(site)
    site.change(own, action="DELETE")
    reason = breaks(state, "record")
    site.change(own)
    holds(state)

    assert "has no A, AAAA or CNAME record" in reason
    assert "only NS, SOA (NODATA)" in reason


def test_a_missing_listener_breaks_the_way(state: DoorState) -> None:
    assert ask(state, f"https://{HOST}:8443/").step == "tunnel"
    answer = ask(state, f"http://{HOST}:8080/")

    assert answer.step == "security group"


def test_a_security_group_that_lets_nobody_in_breaks_the_way(state: DoorState, site: Site) -> None:
    rule = {
        "GroupId": site.outputs["SecurityGroup"],
        "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
    }
    ec2 = site.cloud.client("ec2")
    ec2.revoke_security_group_ingress(**rule)
    reason = breaks(state, "security group")
    ec2.authorize_security_group_ingress(**rule)
    holds(state)

    assert "admits port 443" in reason


def test_a_certificate_of_another_name_is_refused_by_clients(state: DoorState, site: Site) -> None:
    acm, elbv2 = site.cloud.client("acm"), site.cloud.client("elbv2")
    other = acm.request_certificate(DomainName="other.example", ValidationMethod="DNS")["CertificateArn"]
    _show(elbv2, site, other)
    answer = eventually(lambda: ask(state, f"https://{HOST}/"), lambda found: found.step == "tls")
    _show(elbv2, site, site.outputs["Certificate"])
    holds(state)

    assert "certificate is not valid for" in answer.reason


def test_a_certificate_that_does_not_exist_breaks_the_way(state: DoorState, site: Site) -> None:
    elbv2 = site.cloud.client("elbv2")
    _show(elbv2, site, site.outputs["Certificate"][:-12] + "000000000000")
    missing = breaks(state, "certificate")
    _show(elbv2, site, site.edge.outputs["Arn"])
    elsewhere = eventually(lambda: problem(state, f"https://{HOST}/")[1], lambda now: "us-east-1" in now)
    _show(elbv2, site, site.outputs["Certificate"])
    holds(state)

    assert "does not exist" in missing
    assert "which is not in 333333333333 eu-west-1" in elsewhere


def _record(site: Site) -> dict[str, Any]:
    listed = site.cloud.client("route53").list_resource_record_sets(HostedZoneId=site.zone_id)
    found: dict[str, Any] = next(
        one for one in listed["ResourceRecordSets"] if one["Type"] == "A" and one["Name"] == f"{HOST}."
    )
    return found


def _alias(site: Site, target: str) -> dict[str, Any]:
    own = _record(site)
    return {**own, "AliasTarget": {**own["AliasTarget"], "DNSName": target}}


def _show(elbv2: Any, site: Site, certificate: str) -> None:
    elbv2.modify_listener(ListenerArn=site.outputs["Https"], Certificates=[{"CertificateArn": certificate}])
