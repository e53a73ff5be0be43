"""Mistakes in the ledger are told, with the place and what is expected there."""

from pathlib import Path

import aws_cdk as cdk
import pytest

import app
from compliance.nag import Compliance
from compliance.waivers import Waiver, WaiverError, read_waivers
from config import Configuration

GOOD = """
[[waiver]]
rule = "AwsSolutions-S1"
path = "{stage}/Media/Bucket/Resource"
reason = "Because it is only an example."
owner = "platform"
ticket = "SEC-1"
expires = 2027-10-31
"""


def _read(folder: Path, text: str) -> tuple[Waiver, ...]:
    file = folder / "waivers.toml"
    file.write_text(text, encoding="utf-8")
    return read_waivers(file)


def test_reads_an_entry(tmp_path: Path) -> None:
    (waiver,) = _read(tmp_path, GOOD)
    assert (waiver.rule, waiver.owner) == ("AwsSolutions-S1", "platform")
    assert waiver.expires.isoformat() == "2027-10-31"
    assert waiver.findings == waiver.classes == ()


def test_an_entry_with_several_rules_and_paths_stands_for_each_with_each(tmp_path: Path) -> None:
    text = GOOD.replace('"AwsSolutions-S1"', '["AwsSolutions-S1", "AwsSolutions-S2"]')
    text = text.replace(
        '"{stage}/Media/Bucket/Resource"', '["{stage}/Media/Bucket/Resource", "{stage}/Logs/Cdn/Resource"]'
    )
    waivers = _read(tmp_path, text)
    assert [(waiver.rule, waiver.path) for waiver in waivers] == [
        (rule, path)
        for rule in ("AwsSolutions-S1", "AwsSolutions-S2")
        for path in ("{stage}/Media/Bucket/Resource", "{stage}/Logs/Cdn/Resource")
    ]
    assert {waiver.ticket for waiver in waivers} == {"SEC-1"}


def test_a_ledger_may_be_empty(tmp_path: Path) -> None:
    assert _read(tmp_path, "") == ()


@pytest.mark.parametrize("field", ["rule", "path", "reason", "owner", "ticket", "expires"])
def test_rejects_an_entry_that_lacks_a_field(tmp_path: Path, field: str) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{field} ="))
    with pytest.raises(
        WaiverError, match=rf"waivers\.toml: waiver 1 \(.*\): {field}: field required"
    ) as caught:
        _read(tmp_path, text)
    assert "every waiver has rule, path, reason, owner, ticket, expires" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('resaon = "typing mistake"', "resaon: extra inputs are not permitted"),
        ('reason = "  "', "reason: string should have at least 1 character"),
        ('owner = ""', "owner: string should have at least 1 character"),
        ('ticket = "no number"', "ticket: string should match pattern"),
        ("rule = []", "rule: input should be a valid string"),
        ('path = ["{stage}/A/B", 1]', "path: input should be a valid string"),
        ('expires = "next year"', "expires: input should be a valid date"),
        ("rule = 1", "rule: input should be a valid string"),
        ('classes = ["prod"]', "classes.0: input should be 'staging' or 'production'"),
        ('findings = "Resource::*"', "findings: input should be a valid tuple"),
    ],
)
def test_rejects_a_value_and_says_what_is_expected(tmp_path: Path, line: str, problem: str) -> None:
    key = line.split(" ", maxsplit=1)[0]
    kept = [each for each in GOOD.splitlines() if not each.startswith(f"{key} =")]
    with pytest.raises(WaiverError) as caught:
        _read(tmp_path, "\n".join([*kept, line]))
    assert problem in str(caught.value)


def test_counts_the_entries_of_the_message_as_a_reader_does(tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match="waiver 2 "):
        _read(tmp_path, GOOD + GOOD.replace("owner", "owners"))


def test_rejects_text_that_is_no_toml(tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match=r"waivers\.toml: .*line 1.*correct the TOML"):
        _read(tmp_path, "[[waiver]")


@pytest.mark.parametrize(
    "entry", ["waiver = 1", 'waiver = ["AwsSolutions-S1"]', "[waiver]\nrule = 'x'", "[[waivers]]"]
)
def test_rejects_a_ledger_of_another_shape(tmp_path: Path, entry: str) -> None:
    with pytest.raises(WaiverError, match=r"\[\[waiver\]\]"):
        _read(tmp_path, entry)


@pytest.mark.parametrize("part", ["{stge}", "{stage", "{}", "{0}"])
def test_rejects_what_does_not_belong_in_braces(
    tmp_path: Path, configuration: Configuration, part: str
) -> None:
    (waiver,) = _read(tmp_path, GOOD.replace("{stage}", part))
    with pytest.raises(WaiverError, match=r"AwsSolutions-S1 at .*source, stage, tooling, workload"):
        Compliance(configuration, [waiver]).waive(cdk.App())


def test_a_mistake_in_the_ledger_is_told_and_not_thrown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken() -> tuple[Waiver, ...]:
        return _read(tmp_path, "[[waiver]]")

    monkeypatch.setattr("compliance.nag.read_waivers", broken)
    monkeypatch.setattr("sys.argv", ["app.py", "--output", str(tmp_path / "out")])
    assert app.main() == 2
    assert capsys.readouterr().err.startswith("waivers.toml: waiver 1 ")


@pytest.mark.parametrize("path", ["{stage}", "{stage}/Media", "Pipeline"])
def test_a_waiver_that_is_too_wide_is_left_to_the_gate(
    tmp_path: Path, configuration: Configuration, path: str
) -> None:
    waivers = _read(tmp_path, GOOD.replace("{stage}/Media/Bucket/Resource", path))
    Compliance(configuration, waivers).waive(cdk.App())
