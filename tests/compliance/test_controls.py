"""docs/compliance.md and docs/threat-model.md, held against the code: rules, waivers and tests that they name."""

import re
from pathlib import Path

import pytest

from compliance.packs import AWS_SOLUTIONS
from compliance.results import ComplianceResult, Status
from compliance.rules import RULES
from config import Configuration
from tests.assembly import Assembly
from tests.compliance.judging import judged

ROOT = Path(__file__).parents[2]
PAGE, THREATS = ROOT / "docs" / "compliance.md", ROOT / "docs" / "threat-model.md"
QUESTIONS = [f"SEC{number:02}" for number in range(1, 12)]  # AWS Well-Architected Framework, security pillar
CREDENTIALS = (
    "Developer with push to the platform",
    "Developer with push to a workload",
    "Approver",
    "Platform engineer",
    "Security reader",
    "Operator of an environment",
    "Pipeline role",
    "Action roles",
    "Image builds",
    "Release step and release runner",
    "deploy and publishing roles",
    "execution role",
    "look-up role",
    "Task roles",
    "Source connection",
    "Docker Hub secret",
    "Registry",
)


def _table(name: str) -> list[list[str]]:
    """The rows of a marked table, without its two lines of heading."""
    text = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- controls {name}: begin -->", f"<!-- controls {name}: end -->"
    lines = text[text.index(begin) + len(begin) : text.index(end)].strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def result(organization: Assembly, configuration: Configuration) -> ComplianceResult:
    return judged(organization, configuration)


def test_every_rule_that_applies_has_a_line_and_no_other(result: ComplianceResult) -> None:
    applied = {row.rule for row in result.rows if row.pack == AWS_SOLUTIONS.id}
    assert [row[0] for row in _table("aws-solutions")] == sorted(applied)


def test_what_is_waived_is_said_to_be_and_nothing_else(result: ComplianceResult) -> None:
    waived = {row.rule for row in result.rows if row.status is Status.WAIVED and row.pack == AWS_SOLUTIONS.id}
    assert {row[0] for row in _table("aws-solutions") if "waived" in row[2]} == waived


def test_our_own_rules_are_told_in_their_own_words() -> None:
    assert _table("own") == [[rule.id, rule.text, rule.fix] for rule in RULES]


def test_every_question_of_the_security_pillar_is_answered_once() -> None:
    table = _table("well-architected")
    assert [row[0].split()[0] for row in table] == QUESTIONS
    assert all(all(cells) for cells in table)


@pytest.mark.parametrize("page", [PAGE, THREATS], ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
    files = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in files for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert len(named) > 15
    assert named - there == set()


def test_every_control_names_a_test() -> None:
    for row in _table("aws-solutions"):
        assert re.fullmatch(r"`test_\w+`", row[3]), row[0]
    for row in _table("well-architected"):
        assert "`test_" in row[2], row[0]


def test_the_threat_model_says_something_of_every_credential_and_of_what_is_left() -> None:
    text = THREATS.read_text(encoding="utf-8")
    assert [name for name in CREDENTIALS if name not in text] == []
    left = text[text.index("## Residual risks") :]
    numbers = {int(number) for number in re.findall(r"residual risk (\d)", text)}
    assert numbers <= {int(number) for number in re.findall(r"^(\d)\.", left, re.MULTILINE)}


def test_every_role_that_crosses_accounts_is_in_the_threat_model(result: ComplianceResult) -> None:
    text = THREATS.read_text(encoding="utf-8").lower()
    words = {
        "delegation": "delegation role",
        "release-runner": "release runner",
        "serving-reader": "record step",
        "outputs-reader": "outputs",
        "deploy-role": "deploy and publishing",
        "publishing-role": "deploy and publishing",
        "lookup-role": "look-up role",
    }
    for trust in result.trust:
        if trust.crosses_accounts:
            (word,) = (told for part, told in words.items() if part in trust.role)
            assert word in text, trust.role
