import csv
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.nag import PACKS
from compliance.reports import coverage_gaps, findings, guesses, read_reports, report_name, stacks
from operations import cli
from operations.commands import synth as synth_command
from operations.errors import CommandError
from operations.gate import Verdict, collect_reports, judge, synthesize
from tests import documents
from tests.assembly import Assembly

WEB = "AwsSolutions-MyDjangoAppStaging-MyDjangoAppStaging-Web-NagReport"


@pytest.fixture
def assembly(organization: Assembly, tmp_path: Path) -> Path:
    """A copy of the sample's assembly, to break."""
    copy = tmp_path / "cdk.out"
    shutil.copytree(organization.directory, copy)
    return copy


def edit_json(file: Path, change: Any) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def judge_first_row_as(compliance: str, file: Path) -> None:
    with file.open(encoding="utf-8", newline="") as content:
        reader = csv.DictReader(content)
        rows = list(reader)
    rows[0]["Compliance"] = compliance
    with file.open("w", encoding="utf-8", newline="") as content:
        writer = csv.DictWriter(content, fieldnames=list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


def test_a_planted_violation_in_a_stage_inside_the_pipeline_is_reported(tmp_path: Path) -> None:
    planted = [sys.executable, "-m", "tests.operations.planted", "--no-template-validation"]
    planted += ["--config", str(documents.SAMPLE)]
    verdict = synthesize(planted, tmp_path / "cdk.out")
    assert not verdict.passed
    assert verdict.exit_code == 1
    for stage in ("MyDjangoAppStaging", "MyDjangoAppProduction"):
        broken = {row.rule for row in verdict.findings if row.resource == f"{stage}/Media/Planted"}
        assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= broken
    assert all(row.resource.endswith("/Media/Planted") for row in verdict.findings)
    assert not verdict.gaps


def test_the_sample_has_no_open_finding_and_no_gap(organization: Assembly) -> None:
    verdict = judge(organization.directory)
    assert (verdict.findings, verdict.gaps) == ((), ())
    assert verdict.passed
    assert verdict.stacks == len(organization.stacks)
    assert verdict.resources == len(organization.resources())
    assert verdict.judged > verdict.stacks


def test_every_stack_of_every_stage_has_a_report_of_every_pack(organization: Assembly) -> None:
    names = {report.name for report in read_reports(organization.directory)}
    found = stacks(organization.directory)
    assert {stack.stage for stack in found} == {
        "",
        "SharedServices",
        "MyDjangoAppStaging",
        "MyDjangoAppProduction",
    }
    assert names == {report_name(pack, stack) for stack in found for pack in PACKS}


def test_a_report_that_is_gone_is_a_gap(assembly: Path) -> None:
    (assembly / f"{WEB}.csv").unlink()
    verdict = judge(assembly)
    assert not verdict.passed
    assert [gap.stack for gap in verdict.gaps] == ["MyDjangoAppStaging/Web"]


def test_a_pack_that_nobody_registered_leaves_a_gap_in_every_stack(organization: Assembly) -> None:
    found, reports = stacks(organization.directory), read_reports(organization.directory)
    gaps = coverage_gaps(found, reports, ["HIPAA.Security"])
    assert [gap.stack for gap in gaps] == [stack.path for stack in found]


def test_a_report_about_another_stack_does_not_count(assembly: Path) -> None:
    other = WEB.replace("Staging", "Production")
    shutil.copy(assembly / f"{other}.csv", assembly / f"{WEB}.csv")
    assert "about something else" in judge(assembly).gaps[0].problem


def test_two_stacks_cannot_share_a_report(organization: Assembly) -> None:
    found = stacks(organization.directory)
    twin = replace(found[-1], path="Elsewhere/Twin", region="us-east-1")
    gaps = coverage_gaps([*found, twin], read_reports(organization.directory), PACKS)
    assert [gap.stack for gap in gaps] == ["Elsewhere/Twin"]
    assert f"the name of that on {found[-1].path}" in gaps[0].problem


@pytest.mark.parametrize("compliance", ["Non-Compliant", "UNKNOWN"])
def test_what_is_neither_compliant_nor_waived_is_a_finding(assembly: Path, compliance: str) -> None:
    judge_first_row_as(compliance, assembly / f"{WEB}.csv")
    found = findings(read_reports(assembly))
    assert [(row.report, row.compliance) for row in found] == [(WEB, compliance)]
    assert not judge(assembly).passed


def test_context_that_would_have_been_looked_up_is_a_gap(assembly: Path) -> None:
    missing = [{"key": "availability-zones:account=1:region=eu-west-1", "provider": "availability-zones"}]
    edit_json(
        assembly / "assembly-SharedServices" / "manifest.json",
        lambda manifest: manifest.update(missing=missing),
    )
    gaps = guesses(stacks(assembly))
    assert {gap.stack for gap in gaps} == {"SharedServices/Network", "SharedServices/Dns"}
    assert "availability-zones:account=1" in gaps[0].problem


def test_a_zone_that_the_cdk_made_up_is_a_gap(assembly: Path) -> None:
    stack = next(stack for stack in stacks(assembly) if stack.path == "SharedServices/Network")
    edit_json(stack.template_file, lambda template: template.update(Description="in dummy1a"))
    assert [gap.stack for gap in guesses(stacks(assembly))] == ["SharedServices/Network"]


def test_a_stack_without_resources_needs_no_report(assembly: Path) -> None:
    stack = next(stack for stack in stacks(assembly) if stack.path == "MyDjangoAppStaging/Web")
    edit_json(stack.template_file, lambda template: template.pop("Resources"))
    (assembly / f"{WEB}.csv").unlink()
    assert judge(assembly).gaps == ()


def test_reports_are_collected_into_an_emptied_folder(organization: Assembly, tmp_path: Path) -> None:
    target = tmp_path / "reports" / "nag"
    target.mkdir(parents=True)
    (target / "AwsSolutions-Gone-NagReport.csv").touch()
    count = collect_reports(organization.directory, target)
    assert count == len(list(target.iterdir())) == 2 * len(organization.stacks)
    with (target / f"{WEB}.csv").open(encoding="utf-8", newline="") as content:
        rows = list(csv.DictReader(content))
    lines = json.loads((target / f"{WEB}.json").read_text(encoding="utf-8"))["lines"]
    assert [line["ruleId"] for line in lines] == [row["Rule ID"] for row in rows]
    assert [line["exceptionReason"] for line in lines] == [row["Exception Reason"] for row in rows]


def test_an_old_assembly_leaves_nothing_behind(assembly: Path) -> None:
    (assembly / "AwsSolutions-Gone-NagReport.csv").touch()
    verdict = synthesize([sys.executable, "-c", "raise SystemExit('no clay')"], assembly)
    assert not verdict.passed
    assert "no clay" in verdict.output
    assert not (assembly / "AwsSolutions-Gone-NagReport.csv").exists()


def test_fails_rather_than_remove_what_is_no_assembly(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").touch()
    with pytest.raises(CommandError, match="no cloud assembly"):
        synthesize([sys.executable, "-c", ""], precious)
    assert (precious / "thesis.txt").exists()


def test_synthesis_gets_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_PROFILE", "administrator")
    program = "import os, sys; sys.exit(str(sorted(name for name in os.environ if name.startswith('AWS_'))))"
    verdict = synthesize([sys.executable, "-c", program], tmp_path / "cdk.out")
    assert "AWS_ACCESS_KEY_ID" not in verdict.output
    assert "AWS_PROFILE" not in verdict.output


def test_the_command_shows_findings_and_gaps_and_fails(
    assembly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge_first_row_as("Non-Compliant", assembly / f"{WEB}.csv")
    (assembly / f"{WEB.replace('Web', 'Workers')}.csv").unlink()
    monkeypatch.setattr(synth_command, "synthesize", lambda *_: judge(assembly))
    monkeypatch.setattr(synth_command, "ROOT", tmp_path)
    assert cli.main(["synth", "--output", str(assembly)]) == 1
    told = capsys.readouterr().out
    assert "Findings without a fix or a waiver: 1" in told
    assert "MyDjangoAppStaging/Workers" in told
    assert (tmp_path / "reports" / "nag" / f"{WEB}.json").is_file()


def test_the_command_shows_what_the_cli_wrote_when_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        synth_command, "synthesize", lambda *_: Verdict(exit_code=1, output="ValidationFailed: W3010")
    )
    assert cli.main(["synth", "--output", str(tmp_path / "new")]) == 1
    assert "ValidationFailed: W3010" in capsys.readouterr().out
