import csv
import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.results import RESULT, Status, read_result
from config import Configuration
from operations import cli
from operations.commands import synth as synth_command
from operations.errors import CommandError
from operations.gate import Verdict, collect_reports, judge, synthesize
from tests import documents
from tests.assembly import Assembly
from tests.compliance.judging import TODAY, WAIVERS
from tests.compliance.test_coverage import edit_rows

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


def test_a_planted_violation_in_a_stage_inside_the_pipeline_is_reported(
    configuration: Configuration, tmp_path: Path
) -> None:
    planted = [sys.executable, "-m", "tests.operations.planted", "--no-template-validation"]
    planted += ["--config", str(documents.SAMPLE)]
    verdict = synthesize(planted, tmp_path / "cdk.out", configuration=configuration)
    assert not verdict.passed
    assert verdict.exit_code == 1
    for stage in ("MyDjangoAppStaging", "MyDjangoAppProduction"):
        broken = {row.rule for row in verdict.findings if row.resource == f"{stage}/Media/Planted"}
        assert {"AwsSolutions-S1", "AwsSolutions-S10", "LZ-TLS-1"} <= broken
    assert all(row.resource.endswith("/Media/Planted") for row in verdict.findings)
    assert not verdict.problems


def test_the_sample_has_no_open_finding_and_no_problem(
    organization: Assembly, configuration: Configuration
) -> None:
    verdict = judge(organization.directory, configuration=configuration)
    assert (verdict.findings, verdict.problems) == ((), ())
    assert verdict.passed
    assert verdict.result is not None
    assert len(verdict.result.stacks) == len(organization.stacks)
    assert sum(stack.resources for stack in verdict.result.stacks) == len(organization.resources())


def test_a_failed_synthesis_does_not_pass_whatever_its_rules_say(
    organization: Assembly, configuration: Configuration
) -> None:
    assert not judge(organization.directory, configuration=configuration, exit_code=1).passed


def test_context_that_would_have_been_looked_up_is_a_problem(
    assembly: Path, configuration: Configuration
) -> None:
    missing = [{"key": "availability-zones:account=1:region=eu-west-1", "provider": "availability-zones"}]
    edit_json(
        assembly / "assembly-SharedServices" / "manifest.json",
        lambda manifest: manifest.update(missing=missing),
    )
    problems = judge(assembly, configuration=configuration).problems
    assert {problem.where for problem in problems} == {"SharedServices/Network", "SharedServices/Dns"}
    assert "availability-zones:account=1" in problems[0].problem


def test_a_zone_that_the_cdk_made_up_is_a_problem(assembly: Path, configuration: Configuration) -> None:
    stack = Assembly(assembly)["SharedServices-Network"]
    edit_json(stack.template_file, lambda template: template.update(Description="in dummy1a"))
    (problem,) = judge(assembly, configuration=configuration).problems
    assert (problem.where, '"dummy1"' in problem.problem) == ("SharedServices/Network", True)


def test_reports_are_collected_into_an_emptied_folder(organization: Assembly, tmp_path: Path) -> None:
    target = tmp_path / "reports" / "nag"
    target.mkdir(parents=True)
    (target / "AwsSolutions-Gone-NagReport.csv").touch()
    count = collect_reports(organization.directory, target)
    assert count == len(list(target.iterdir())) == 2 * 2 * len(organization.stacks)
    with (target / f"{WEB}.csv").open(encoding="utf-8", newline="") as content:
        rows = list(csv.DictReader(content))
    lines = json.loads((target / f"{WEB}.json").read_text(encoding="utf-8"))["lines"]
    assert [line["ruleId"] for line in lines] == [row["Rule ID"] for row in rows]
    assert [line["exceptionReason"] for line in lines] == [row["Exception Reason"] for row in rows]


def test_an_old_assembly_leaves_nothing_behind(assembly: Path, configuration: Configuration) -> None:
    (assembly / "AwsSolutions-Gone-NagReport.csv").touch()
    program = [sys.executable, "-c", "raise SystemExit('no clay')"]
    verdict = synthesize(program, assembly, configuration=configuration)
    assert not verdict.passed
    assert "no clay" in verdict.output
    assert not (assembly / "AwsSolutions-Gone-NagReport.csv").exists()


def test_fails_rather_than_remove_what_is_no_assembly(tmp_path: Path, configuration: Configuration) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").touch()
    with pytest.raises(CommandError, match="no cloud assembly"):
        synthesize([sys.executable, "-c", ""], precious, configuration=configuration)
    assert (precious / "thesis.txt").exists()


def test_synthesis_gets_no_credentials(
    tmp_path: Path, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_PROFILE", "administrator")
    program = "import os, sys; sys.exit(str(sorted(name for name in os.environ if name.startswith('AWS_'))))"
    verdict = synthesize([sys.executable, "-c", program], tmp_path / "cdk.out", configuration=configuration)
    assert "AWS_ACCESS_KEY_ID" not in verdict.output
    assert "AWS_PROFILE" not in verdict.output


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, configuration: Configuration) -> Any:
    """`lz synth` without the synthesis: it judges an assembly, on a day."""

    def run(assembly: Path, today: Any = TODAY) -> int:
        monkeypatch.setattr(
            synth_command,
            "synthesize",
            lambda *_, **__: judge(assembly, configuration=configuration, today=today),
        )
        monkeypatch.setattr(synth_command, "ROOT", tmp_path)
        return cli.main(["synth", "--output", str(assembly)])

    return run


def test_the_command_shows_findings_and_problems_and_fails(
    assembly: Path, tmp_path: Path, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_rows(assembly / f"{WEB}.csv", Compliance="Non-Compliant")
    (assembly / f"{WEB.replace('Web', 'Workers')}.csv").unlink()
    assert command(assembly) == 1
    told = capsys.readouterr().out
    assert "Findings without a fix or a waiver: 1" in told
    assert "AWS Solutions wrote no report on it" in told
    assert "may be released" not in told
    result = read_result(tmp_path / RESULT)
    assert not result.passed
    assert [row.stack for row in result.rows if row.status is Status.NON_COMPLIANT] == [
        "MyDjangoAppStaging-Web"
    ]
    assert (tmp_path / "reports" / "nag" / f"{WEB}.json").is_file()


def test_the_command_writes_what_it_found_and_warns_of_what_will_expire(
    organization: Assembly,
    configuration: Configuration,
    tmp_path: Path,
    command: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    soon = min(waiver.expires for waiver in WAIVERS) - timedelta(days=7)
    assert command(organization.directory, soon) == 0
    told = capsys.readouterr().out
    assert "may be released" in told
    assert f"warning: waivers.toml: {WAIVERS[0]}" in told
    assert f"expires on {soon + timedelta(days=7)}" in told
    result = read_result(tmp_path / RESULT)
    assert result == judge(organization.directory, configuration=configuration, today=soon).result


def test_the_command_shows_what_the_cli_wrote_when_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        synth_command, "synthesize", lambda *_, **__: Verdict(exit_code=1, output="ValidationFailed: W3010")
    )
    assert cli.main(["synth", "--output", str(tmp_path / "new")]) == 1
    assert "ValidationFailed: W3010" in capsys.readouterr().out
