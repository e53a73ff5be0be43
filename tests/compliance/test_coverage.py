"""What no rule looked at is told: a stack without a report, a rule that threw, a resource that was passed over."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_ec2 as ec2

import app
from compliance.coverage import Watched, report_problems
from compliance.packs import AWS_SOLUTIONS
from compliance.reports import read_reports, report_name
from compliance.results import ComplianceResult, Coverage, Row, Status
from compliance.waivers import Waiver
from config import Configuration
from tests import documents
from tests.assembly import Assembly
from tests.compliance.judging import TODAY, WAIVERS, judged, rows
from workloads.django import DjangoStage
from workloads.django.network import NetworkStack

WEB = "AwsSolutions-MyDjangoAppStaging-MyDjangoAppStaging-Web-NagReport.csv"


@pytest.fixture
def assembly(organization: Assembly, tmp_path: Path) -> Path:
    """A copy of the sample's assembly, to break."""
    copy = tmp_path / "cdk.out"
    shutil.copytree(organization.directory, copy)
    return copy


def edit_rows(file: Path, **changes: str) -> None:
    """Change the first row of a report."""
    with file.open(encoding="utf-8", newline="") as content:
        said = list(csv.DictReader(content))
    said[0].update(changes)
    with file.open("w", encoding="utf-8", newline="") as content:
        writer = csv.DictWriter(content, fieldnames=list(said[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(said)


def coverage(result: ComplianceResult, pack: str, stack: str) -> Coverage:
    return next(cell.coverage for cell in result.coverage if (cell.pack, cell.stack) == (pack, stack))


def test_every_pack_looked_at_every_stack(organization: Assembly, configuration: Configuration) -> None:
    result = judged(organization, configuration)
    assert len(result.coverage) == len(result.packs) * len(result.stacks)
    assert {cell.coverage for cell in result.coverage} == {Coverage.EVALUATED, Coverage.NOTHING_TO_JUDGE}
    own = [cell for cell in result.coverage if cell.pack == "landing-zone"]
    resources = {stack.name: stack.resources for stack in result.stacks}
    assert {cell.stack: cell.resources for cell in own} == resources, "every resource, by a rule of ours"


def test_a_report_that_is_gone_leaves_a_cell_empty(assembly: Path, configuration: Configuration) -> None:
    (assembly / WEB).unlink()
    result = judged(assembly, configuration)
    assert not result.passed
    assert coverage(result, AWS_SOLUTIONS.id, "MyDjangoAppStaging-Web") is Coverage.MISSING
    assert any(
        problem.where == "MyDjangoAppStaging/Web" and "AWS Solutions wrote no report" in problem.problem
        for problem in result.problems
    )


def test_a_report_about_another_stack_does_not_count(assembly: Path, configuration: Configuration) -> None:
    shutil.copy(assembly / WEB.replace("Staging", "Production"), assembly / WEB)
    result = judged(assembly, configuration)
    assert any("about something else" in problem.problem for problem in result.problems)


def test_two_stacks_cannot_share_a_report(organization: Assembly) -> None:
    stack = organization["MyDjangoAppProduction-Web"]
    twin = Assembly(organization.directory)[stack.name]
    twin.path = "Elsewhere/Twin"
    watched = [Watched(each, (AWS_SOLUTIONS,)) for each in (stack, twin)]
    (problem,) = report_problems(watched, read_reports(organization.directory))
    assert problem.where == "Elsewhere/Twin"
    assert f"the name of that on {stack.path}" in problem.problem
    assert report_name("AwsSolutions", stack) in problem.problem


@pytest.mark.parametrize(
    ("compliance", "status"),
    [("Non-Compliant", Status.NON_COMPLIANT), ("UNKNOWN", Status.UNKNOWN), ("Odd", Status.UNKNOWN)],
)
def test_what_is_neither_compliant_nor_waived_is_open(
    assembly: Path, configuration: Configuration, compliance: str, status: Status
) -> None:
    edit_rows(assembly / WEB, Compliance=compliance)
    result = judged(assembly, configuration)
    assert not result.passed
    assert [row.stack for row in rows(result, status)] == ["MyDjangoAppStaging-Web"]
    failed = coverage(result, AWS_SOLUTIONS.id, "MyDjangoAppStaging-Web") is Coverage.FAILED
    assert failed is (status is Status.UNKNOWN)


def test_what_was_suppressed_elsewhere_than_in_the_ledger_is_open(
    assembly: Path, configuration: Configuration
) -> None:
    edit_rows(assembly / WEB, **{"Compliance": "Suppressed", "Exception Reason": "trust me on this one"})
    result = judged(assembly, configuration)
    assert [row.stack for row in rows(result, Status.NON_COMPLIANT)] == ["MyDjangoAppStaging-Web"]


def test_a_stack_in_which_nothing_is_judged_is_a_problem(
    assembly: Path, configuration: Configuration
) -> None:
    stack = Assembly(assembly)["MyDjangoAppStaging-Edge"]
    template = json.loads(stack.template_file.read_text(encoding="utf-8"))
    stack.template_file.write_text(json.dumps({**template, "Resources": {}}), encoding="utf-8")
    problems = judged(assembly, configuration).problems
    assert ("MyDjangoAppStaging/Edge", "no rule of any pack judged a resource in it") in [
        (problem.where, problem.problem) for problem in problems
    ]


def _passed_over(result: ComplianceResult) -> list[Row]:
    return [row for row in result.rows if row.finding == "passed over"]


def test_what_cdk_nag_passes_over_in_silence_is_noticed(
    organization: Assembly, configuration: Configuration
) -> None:
    result = judged(organization, configuration, waivers=())
    found = {(row.resource, row.rule) for row in _passed_over(result)}
    role = "MyDjangoAppStaging/Network/Custom::VpcRestrictDefaultSGCustomResourceProvider/Role"
    assert (role, "AwsSolutions-IAM5") in found
    assert all("/Custom::" in resource for resource, _ in found), "the CDK's own helpers, and nothing else"
    assert {row.status for row in _passed_over(result)} == {Status.UNKNOWN}


def test_and_is_looked_at_by_a_rule_of_ours(organization: Assembly, configuration: Configuration) -> None:
    found = _passed_over(judged(organization, configuration))
    assert {row.status for row in found} == {Status.WAIVED, Status.RECHECKED}
    again = [row for row in found if row.status is Status.RECHECKED]
    assert {row.rechecked_by for row in again} == {"LZ-IAM-3"}
    assert {row.rule.partition("-")[2] for row in again} == {
        "IAM5",
        "IAMPolicyNoStatementsWithAdminAccess",
        "IAMPolicyNoStatementsWithFullAccess",
    }


def test_a_helper_that_may_do_everything_is_not_waved_through(
    assembly: Path, configuration: Configuration
) -> None:
    stack = Assembly(assembly)["MyDjangoAppStaging-Network"]
    role = stack.resource("AWS::IAM::Role", "VpcRestrictDefaultSG")
    role.properties["Policies"] = [
        {
            "PolicyName": "Inline",
            "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
        }
    ]
    stack.template_file.write_text(json.dumps(stack.template), encoding="utf-8")
    result = judged(assembly, configuration)
    assert {(row.rule, row.status) for row in rows(result, Status.NON_COMPLIANT, Status.UNKNOWN)} == {
        ("LZ-IAM-3", Status.NON_COMPLIANT),
        ("AwsSolutions-IAM5", Status.UNKNOWN),
        ("NIST.800.53.R5-IAMPolicyNoStatementsWithAdminAccess", Status.UNKNOWN),
        ("NIST.800.53.R5-IAMPolicyNoStatementsWithFullAccess", Status.UNKNOWN),
    }


class _EndpointsOpenToTheVpc(DjangoStage):
    """A stage whose interface endpoints admit the whole VPC, whose range the rules of cdk-nag cannot read."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        network = self.node.find_child("Network")
        assert isinstance(network, NetworkStack)
        vpc = network.node.find_child("Vpc")
        assert isinstance(vpc, ec2.Vpc)
        group = ec2.SecurityGroup(network, "Wide", vpc=vpc, description="Endpoints", allow_all_outbound=False)
        group.add_ingress_rule(ec2.Peer.ipv4(vpc.vpc_cidr_block), ec2.Port.tcp(443), "from the VPC")


def test_a_rule_that_throws_on_a_token_is_rechecked_and_not_waved_through(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(app, "DjangoStage", _EndpointsOpenToTheVpc)
    app.build(
        configuration, documents.images(configuration), outdir=str(tmp_path), validate_templates=False
    ).synth()
    wide = {f"{stage}/Network/Wide/Resource" for stage in (documents.STAGING, documents.PRODUCTION)}

    threw = rows(judged(tmp_path, configuration), Status.UNKNOWN)
    assert {row.resource for row in threw} == wide
    assert "AwsSolutions-EC23" in {row.rule for row in threw}

    again = tuple(
        Waiver(
            rule=rule,
            path="{stage}/Network/Wide/Resource",
            reason="The range of the VPC is a reference that cdk-nag cannot read.",
            owner="security",
            ticket="SEC-1",
            expires=TODAY,
            rechecked_by="LZ-NET-1",
        )
        for rule in sorted({row.rule for row in threw})
    )
    result = judged(tmp_path, configuration, waivers=(*WAIVERS, *again))
    assert result.passed
    assert {row.resource for row in rows(result, Status.RECHECKED)} >= wide

    stack = Assembly(tmp_path)["MyDjangoAppStaging-Network"]
    stack.resource("AWS::EC2::SecurityGroup", "Wide").properties["SecurityGroupIngress"][0]["CidrIp"] = (
        "0.0.0.0/0"
    )
    stack.template_file.write_text(json.dumps(stack.template), encoding="utf-8")
    opened = judged(tmp_path, configuration, waivers=(*WAIVERS, *again))
    assert not opened.passed
    assert {row.resource for row in rows(opened, Status.UNKNOWN)} == {
        "MyDjangoAppStaging/Network/Wide/Resource"
    }
