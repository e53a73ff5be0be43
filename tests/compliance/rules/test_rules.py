"""Every rule of ours: content with every organization that can be configured, and finding what is wrong."""

import copy
import re

import pytest
from aws_cdk.region_info import RegionInfo

from compliance.rules import RULES, Organization
from compliance.rules.load_balancers import LOG_ACCOUNTS
from config import Configuration
from config.regions import REGIONS
from tests import documents
from tests.assembly import Assembly
from tests.compliance.rules import identity_faults, network_faults, other_faults
from tests.compliance.rules.fault import Fault
from tests.conftest import Synthesize

FAULTS = (*network_faults.FAULTS, *identity_faults.FAULTS, *other_faults.FAULTS)
BY_ID = {rule.id: rule for rule in RULES}


@pytest.mark.parametrize("variant", documents.VARIANTS)
def test_no_rule_finds_anything_whatever_is_configured(synthesize: Synthesize, variant: str) -> None:
    document = documents.VARIANTS[variant]
    organization = Organization(synthesize(document), documents.configured(document))
    found = [finding for rule in RULES for finding in rule.findings(organization)]
    assert not [f"{finding.path}: {finding.problem}" for finding in found if finding.problem]


def test_every_rule_has_looked_at_something(organization: Assembly, configuration: Configuration) -> None:
    sample = Organization(organization, configuration)
    assert not [rule.id for rule in RULES if not rule.findings(sample)]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_found_where_it_is(
    organization: Assembly, configuration: Configuration, fault: Fault
) -> None:
    broken = copy.deepcopy(organization)
    fault.spoil(broken)
    found = [
        finding
        for finding in BY_ID[fault.rule].findings(Organization(broken, configuration))
        if finding.problem and finding.path == fault.path
    ]
    assert any(fault.problem in finding.problem for finding in found), found


def test_what_was_remembered_of_templates_is_forgotten_when_they_change(
    organization: Assembly, configuration: Configuration
) -> None:
    """Rules remember what they computed; neither a copy nor the next judgement takes that for its own."""
    judged = Organization(organization, configuration)
    for one in RULES:
        one.findings(judged)
    broken = copy.deepcopy(organization)
    web = broken[f"{documents.STAGING}-Web"]
    assert not web.resources("AWS::S3::Bucket")
    web.template["Resources"]["Uploads"] = {"Type": "AWS::S3::Bucket"}
    assert [bucket.logical_id for bucket in web.resources("AWS::S3::Bucket")] == ["Uploads"]
    Organization(broken, configuration)
    assert broken.resources("AWS::S3::Bucket")
    del web.template["Resources"]["Uploads"]
    Organization(broken, configuration)
    assert not web.resources("AWS::S3::Bucket")


def test_every_rule_has_a_fault_that_it_finds() -> None:
    assert {fault.rule for fault in FAULTS} == BY_ID.keys()


def test_ids_are_unique_and_sentences_whole() -> None:
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"LZ-[A-Z]{3}-\d", rule.id)
        assert rule.text.endswith(".")
        assert rule.fix.endswith(".")


def test_a_fault_of_the_isolation_is_told_for_each_subnet_and_address(
    organization: Assembly, configuration: Configuration
) -> None:
    broken = copy.deepcopy(organization)
    del broken["SharedServices-Network"].template["Resources"]["SpokesDropSupernet"]
    found = BY_ID["LZ-NET-4"].findings(Organization(broken, configuration))
    ways = [finding.problem for finding in found if finding.problem]
    assert len(ways) == 8, "two environments, two private subnets each, two addresses each"
    assert all("Private" in way for way in ways)


def test_a_role_of_tooling_that_is_named_may_cross(
    organization: Assembly, configuration: Configuration
) -> None:
    found = BY_ID["LZ-IAM-2"].findings(Organization(organization, configuration))
    assert {finding.path for finding in found} >= {
        "SharedServices/Dns/OutputsReader/Resource",
        "MyDjangoAppProduction/Release/Runner/Resource",
    }


def test_in_staging_data_need_not_be_kept(organization: Assembly, configuration: Configuration) -> None:
    found = BY_ID["LZ-DAT-1"].findings(Organization(organization, configuration))
    stages = {finding.stack.stage for finding in found}
    assert stages == {"", "SharedServices", documents.PRODUCTION}


def test_the_accounts_of_load_balancers_are_those_that_the_cdk_knows() -> None:
    known = {region: RegionInfo.get(region).elbv2_account for region in REGIONS}
    assert {region: account for region, account in known.items() if account} == LOG_ACCOUNTS
