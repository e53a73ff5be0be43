"""The parent zone, and the roles through which environments are delegated."""

import copy

import pytest

from compliance.policies import identity_statements, trust
from config import Configuration
from config.naming import Names
from tests import documents
from tests.assembly import Assembly, Resource
from tests.conftest import Synthesize


def _delegation_roles(assembly: Assembly) -> dict[str, Resource]:
    return {
        role.get("RoleName"): role
        for role in assembly["SharedServices-Dns"].resources("AWS::IAM::Role")
        if "-dns-delegation-" in role.get("RoleName")
    }


def test_the_parent_zone_is_kept_and_shows_its_name_servers(organization: Assembly) -> None:
    dns = organization["SharedServices-Dns"]
    zone = dns.resource("AWS::Route53::HostedZone")
    assert zone.get("Name") == "acme.example."
    assert zone.body["DeletionPolicy"] == zone.body["UpdateReplacePolicy"] == "Retain"
    assert set(dns.outputs) == {"ParentNameServers"}


def test_an_existing_parent_zone_is_used_and_not_made(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.bare())
    dns = assembly["SharedServices-Dns"]
    assert not dns.resources("AWS::Route53::HostedZone")
    assert not dns.outputs
    assert set(_delegation_roles(assembly)) == {
        "acme-dns-delegation-my-django-app-staging",
        "acme-dns-delegation-my-django-app-production",
    }


@pytest.mark.parametrize(
    ("variant", "zone"),
    [
        ("two workloads", "${SharedServices-Dns/ZoneA5DE4B68}"),
        ("shared repository", documents.EXISTING_ZONE),
    ],
)
def test_each_environment_may_write_its_own_ns_record_and_nothing_else(
    synthesize: Synthesize, variant: str, zone: str
) -> None:
    document = documents.VARIANTS[variant]
    assembly, configuration = synthesize(document), documents.configured(document)
    roles = _delegation_roles(assembly)
    assert len(roles) == len(configuration.stages()) == 4
    for stage in configuration.stages():
        role = roles[Names(configuration).delegation_role(stage.key)]
        (trusting,) = trust(role)
        assert trusting.principals == (f"AWS:arn:aws:iam::{stage.account_id}:root",)
        change, lookup = identity_statements(role)
        assert change.actions == ("route53:ChangeResourceRecordSets",)
        assert change.resources == (f"arn:aws:route53:::hostedzone/{zone}",)
        assert change.condition == {
            "ForAllValues:StringEquals": {
                "route53:ChangeResourceRecordSetsRecordTypes": ["NS"],
                "route53:ChangeResourceRecordSetsActions": ["UPSERT", "DELETE"],
                "route53:ChangeResourceRecordSetsNormalizedRecordNames": [stage.environment.domain],
            }
        }
        assert lookup.actions == ("route53:ListHostedZonesByName",)
        assert not role.get("Policies")


def _delegations_without_role(assembly: Assembly) -> list[str]:
    """List environments that assume a role for their delegation that shared services do not have."""
    account = assembly["SharedServices-Dns"].account
    made = {f"arn:aws:iam::{account}:role/{name}" for name in _delegation_roles(assembly)}
    return [
        str(record)
        for record in assembly.resources("Custom::CrossAccountZoneDelegation")
        if record.get("AssumeRoleArn") not in made
    ]


def test_every_environment_assumes_a_role_that_exists(
    organization: Assembly, configuration: Configuration
) -> None:
    assert len(organization.resources("Custom::CrossAccountZoneDelegation")) == len(configuration.stages())
    assert not _delegations_without_role(organization)


def test_the_check_of_roles_finds_another_name(organization: Assembly) -> None:
    broken = copy.deepcopy(organization)
    next(iter(_delegation_roles(broken).values())).properties["RoleName"] = "acme-dns-delegation-other"
    assert len(_delegations_without_role(broken)) == 1


def test_only_the_parent_stacks_own_zone_needs_a_reader_of_its_outputs(
    organization: Assembly, synthesize: Synthesize
) -> None:
    existing = synthesize(documents.bare())
    names = [
        {role.get("RoleName") for role in assembly["SharedServices-Dns"].resources("AWS::IAM::Role")}
        for assembly in (organization, existing)
    ]
    assert names[0] - names[1] == {"acme-dns-outputs-reader"}
    assert not names[1] - names[0]
