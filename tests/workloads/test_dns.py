"""An environment's zone, its delegation and its certificates."""

import pytest

from tests import documents
from tests.assembly import Assembly, Stack
from tests.conftest import Synthesize

DOMAINS = {documents.STAGING: "staging.acme.example", documents.PRODUCTION: "www.acme.example"}
ROLES = {documents.STAGING: "my-django-app-staging", documents.PRODUCTION: "my-django-app-production"}


@pytest.fixture(params=DOMAINS)
def dns(organization: Assembly, request: pytest.FixtureRequest) -> Stack:
    """The DNS stack of each environment."""
    return organization[f"{request.param}-Dns"]


def test_the_zone_has_the_configured_name(dns: Stack) -> None:
    assert dns.resource("AWS::Route53::HostedZone").get("Name") == f"{DOMAINS[dns.stage]}."


def test_the_delegation_goes_through_the_environments_own_role(dns: Stack) -> None:
    record = dns.resource("Custom::CrossAccountZoneDelegation")
    assert (
        record.get("AssumeRoleArn")
        == f"arn:aws:iam::222222222222:role/acme-dns-delegation-{ROLES[dns.stage]}"
    )
    assert record.get("ParentZoneName") == "acme.example"
    assert record.get("DelegatedZoneName") == DOMAINS[dns.stage]
    zone = dns.resource("AWS::Route53::HostedZone")
    assert record.text("DelegatedZoneNameServers") == f"${{{dns.name}/{zone.logical_id}.NameServers}}"


def test_the_delegation_is_kept_and_soon_corrected(dns: Stack) -> None:
    record = dns.resource("Custom::CrossAccountZoneDelegation")
    assert record.body["DeletionPolicy"] == record.body["UpdateReplacePolicy"] == "Retain"
    assert record.get("TTL") == 300


def test_a_parent_zone_that_exists_is_named_by_its_id(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.bare())
    records = assembly.resources("Custom::CrossAccountZoneDelegation")
    assert [record.get("ParentZoneId") for record in records] == [documents.EXISTING_ZONE] * 2
    assert [record.get("ParentZoneName") for record in records] == [None, None]


def test_the_certificate_waits_for_the_delegation(dns: Stack) -> None:
    certificate = dns.resource("AWS::CertificateManager::Certificate")
    record = dns.resource("Custom::CrossAccountZoneDelegation")
    assert record.logical_id in certificate.body["DependsOn"]
    assert certificate.get("DomainName") == DOMAINS[dns.stage]
    assert certificate.get("ValidationMethod") == "DNS"


def test_the_cdns_certificate_is_validated_in_the_same_zone(organization: Assembly, dns: Stack) -> None:
    edge = organization[f"{dns.stage}-Edge"]
    certificate = edge.resource("AWS::CertificateManager::Certificate")
    zone = dns.resource("AWS::Route53::HostedZone")
    assert certificate.get("DomainName") == f"static.{DOMAINS[dns.stage]}"
    (option,) = certificate.get("DomainValidationOptions")
    assert edge.text(option["HostedZoneId"]) == f"${{{dns.name}/{zone.logical_id}}}"
    assert dns.name in organization.dependencies(edge)


def test_zone_and_domain_are_published(dns: Stack) -> None:
    assert dns.parameter(f"/{dns.stage}/Domain") == DOMAINS[dns.stage]
    assert dns.parameter(f"/{dns.stage}/HostedZoneId").startswith(f"${{{dns.name}/Zone")
