"""cdk-nag sees every stack with the packs that are on there, and a violation anywhere stops the synthesis."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_s3 as s3

import app
from compliance.catalogue import rules_of
from compliance.packs import AWS_SOLUTIONS, NAG_PACKS, OPTIONAL, OWN, pack_of
from compliance.reports import read_reports, report_name
from compliance.results import Status
from config import Configuration
from pipeline import RegistryStack
from shared_services import SharedServicesStage
from tests import documents
from tests.assembly import Assembly
from tests.compliance.judging import judged, rows
from tests.conftest import Synthesize
from workloads.django import DjangoStage

NIST, HIPAA, PCI = OPTIONAL.values()


def test_every_stack_has_a_report_of_every_pack_and_no_other(every_organization: Assembly) -> None:
    expected = {
        report_name(pack.name, stack)
        for stack in every_organization.stacks.values()
        for pack in (AWS_SOLUTIONS, NIST)
    }
    assert read_reports(every_organization.directory).keys() == expected


def _packs(assembly: Assembly, stage: str) -> set[str]:
    reports = read_reports(assembly.directory)
    return {
        pack.id
        for pack in NAG_PACKS
        for stack in assembly.in_stage(stage)
        if report_name(pack.name, stack) in reports
    }


def test_an_environment_may_have_more_packs_than_another(synthesize: Synthesize) -> None:
    """What is found there then is for those to judge who turn the pack on: synthesis stops, and says it."""
    document = documents.changed(
        {"compliance": {"packs": []}, "staging.compliance": {"packs": ["nist-800-53-r5"]}}
    )
    assembly = synthesize(document)
    assert _packs(assembly, documents.STAGING) == {AWS_SOLUTIONS.id, NIST.id}
    for stage in ("", "SharedServices", documents.PRODUCTION):
        assert _packs(assembly, stage) == {AWS_SOLUTIONS.id}
    result = judged(assembly, documents.configured(document))
    assert result.passed
    assert {cell.coverage.value for cell in result.coverage if cell.pack == NIST.id} >= {"off", "evaluated"}


def test_every_pack_that_is_on_judges_and_stops_what_has_no_waiver(
    configuration: Configuration, tmp_path: Path
) -> None:
    document = documents.changed(
        {
            "compliance": {"packs": []},
            "production.compliance": {"packs": ["hipaa-security", "pci-dss-321", "nist-800-53-r5"]},
        }
    )
    changed = documents.configured(document)
    organization = app.build(
        changed, documents.images(changed), outdir=str(tmp_path), validate_templates=False
    )
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        organization.synth()
    result = judged(tmp_path, changed)
    assert {pack.id for pack in result.packs} == {OWN.id, *(pack.id for pack in NAG_PACKS)}
    open_rows = rows(result, Status.NON_COMPLIANT)
    assert {row.pack for row in open_rows} == {HIPAA.id, PCI.id}
    assert all(row.resource.startswith(f"{documents.PRODUCTION}/") for row in open_rows)


# The packs' sizes; see RULES.md of cdk-nag 2.38, which lacks one of NIST's.
@pytest.mark.parametrize(("pack", "count"), [*zip(NAG_PACKS, (131, 85, 90, 69), strict=True)], ids=str)
def test_the_rules_of_a_pack_are_read_from_cdk_nag(pack: Any, count: int) -> None:
    rules = rules_of(pack)
    assert len(rules) == count
    for rule in rules.values():
        assert pack_of(rule.id) == pack
        assert rule.text.endswith((".", ")"))
        assert len(rule.fix) > 30


def test_every_rule_of_a_report_is_in_the_catalogue(organization: Assembly) -> None:
    known = {rule_id for pack in NAG_PACKS for rule_id in rules_of(pack)}
    said = {row.rule for report in read_reports(organization.directory).values() for row in report.rows}
    assert len(said) > 70
    assert said <= known


class _CarelessStage(DjangoStage):
    """A stage in whose web stack somebody put a bucket by hand."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        s3.CfnBucket(self.web, "Careless")


class _CarelessSharedServices(SharedServicesStage):
    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        s3.CfnBucket(self.dns, "Careless")


class _CarelessRegistry(RegistryStack):
    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        s3.CfnBucket(self, "Careless")


@pytest.mark.parametrize(
    ("place", "careless", "stacks"),
    [
        ("app.DjangoStage", _CarelessStage, {"MyDjangoAppStaging/Web", "MyDjangoAppProduction/Web"}),
        ("app.SharedServicesStage", _CarelessSharedServices, {"SharedServices/Dns"}),
        ("pipeline.RegistryStack", _CarelessRegistry, {"Registry"}),
    ],
    ids=["environment", "shared services", "tooling"],
)
def test_a_violation_stops_the_synthesis_wherever_it_is(
    configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    place: str,
    careless: type,
    stacks: set[str],
) -> None:
    monkeypatch.setattr(place, careless)
    organization = app.build(
        configuration, documents.images(configuration), outdir=str(tmp_path), validate_templates=False
    )
    with pytest.raises(RuntimeError, match="ValidationFailed") as caught:
        organization.synth()
    for stack in stacks:
        assert f"{stack}/Careless" in str(caught.value)
    open_rows = rows(judged(tmp_path, configuration), Status.NON_COMPLIANT)
    assert {row.resource for row in open_rows} == {f"{stack}/Careless" for stack in stacks}
    # No access logs, no refusal of plain HTTP; and our own: it answers plain transport, and may become public.
    assert {row.rule for row in open_rows} >= {"AwsSolutions-S1", "AwsSolutions-S10", "LZ-TLS-1", "LZ-PUB-1"}
