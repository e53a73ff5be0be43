"""cdk-nag sees every stack, nothing is open, and a violation anywhere stops the synthesis."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_s3 as s3

import app
from config import Configuration
from pipeline import RegistryStack
from shared_services import SharedServicesStage
from tests import documents
from tests.assembly import Assembly
from tests.compliance.reports import lines, report_files
from tests.conftest import Synthesize
from workloads.django import DjangoStage


@pytest.mark.parametrize("variant", documents.VARIANTS)
def test_no_finding_is_open_whatever_is_configured(synthesize: Synthesize, variant: str) -> None:
    assembly = synthesize(documents.VARIANTS[variant])
    assert {line.verdict for line in lines(assembly)} == {"Compliant", "Suppressed"}


def test_every_stack_of_every_account_has_a_report(every_organization: Assembly) -> None:
    assert len(report_files(every_organization)) == len(every_organization.stacks)


def test_a_stack_without_a_report_is_noticed(organization: Assembly, tmp_path: Path) -> None:
    unseen = copy.deepcopy(organization)
    unseen.directory = tmp_path
    with pytest.raises(AssertionError, match=r"cdk-nag never saw .*Registry"):
        report_files(unseen)


def test_every_stack_with_something_to_judge_was_judged(organization: Assembly) -> None:
    for stack_name, file in report_files(organization).items():
        judged = {
            line["resourceId"].split("/")[0] for line in json.loads(file.read_text(encoding="utf-8"))["lines"]
        }
        stack = organization[stack_name]
        if stack.resources("AWS::S3::Bucket", "AWS::IAM::Role", "AWS::SQS::Queue"):
            assert judged == {stack.stage or stack.path.split("/")[0]}


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
    found = {(line.rule, line.path) for line in lines(Assembly(tmp_path)) if line.verdict == "Non-Compliant"}
    rules = ("AwsSolutions-S1", "AwsSolutions-S10")  # no access logs, no refusal of plain HTTP
    assert found == {(rule, f"{stack}/Careless") for rule in rules for stack in stacks}
