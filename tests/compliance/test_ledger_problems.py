"""What is wrong with a ledger is told, with the fix, and stops a release."""

from datetime import date, timedelta

import pytest

from compliance.allowances import Allowance
from compliance.results import ComplianceResult, Problem, Status
from compliance.waivers import Waiver
from config import Configuration
from tests.assembly import Assembly
from tests.compliance.judging import TODAY, WAIVERS, judged, rows

GOOD = Waiver(
    rule="LZ-TAG-1",
    path="{stage}/Web",
    reason="It is only an example of a waiver.",
    owner="platform",
    ticket="SEC-1",
    expires=TODAY,
)


def _with(organization: Assembly, configuration: Configuration, **changes: object) -> ComplianceResult:
    """Judge the sample by the committed ledger and one more waiver."""
    return judged(organization, configuration, waivers=(*WAIVERS, GOOD.model_copy(update=changes)))


@pytest.mark.parametrize(
    ("changes", "problem", "fix"),
    [
        ({"rule": "AwsSolutions-S99"}, "no pack has a rule AwsSolutions-S99", "correct the id"),
        ({"rule": "S1"}, "no pack has a rule S1", "correct the id"),
        ({"rechecked_by": "AwsSolutions-S1"}, "AwsSolutions-S1 is no rule of ours", "one of LZ-"),
        ({}, "it covers no finding", "remove it"),
        ({"optional": True}, "it covers no finding", "remove it"),
        ({"rule": "AwsSolutions-S1", "path": "{stage}/Nowhere/Bucket"}, "it covers no finding", "remove it"),
        (
            {"expires": TODAY - timedelta(days=1)},
            f"expired on {TODAY - timedelta(days=1)}",
            "fix the finding",
        ),
        ({"expires": TODAY + timedelta(days=367)}, "more than a year ahead", "once a year"),
        ({"rule": "AwsSolutions-S1", "path": "{stage}"}, "a whole stack or stage", "the one construct"),
        ({"rule": "AwsSolutions-S1", "path": "{stage}/Media"}, "a whole stack or stage", "the one construct"),
        (
            {"rule": "AwsSolutions-IAM5", "path": "Pipeline"},
            "a whole stack or stage",
            "the one construct",
        ),
    ],
    ids=str,
)
def test_a_waiver_that_does_not_hold_is_a_problem(
    organization: Assembly, configuration: Configuration, changes: dict[str, object], problem: str, fix: str
) -> None:
    result = _with(organization, configuration, **changes)
    assert not result.passed
    told = [each for each in result.problems if problem in each.problem and fix in each.fix]
    assert len(told) == 1, result.problems
    assert told[0].where.startswith("waivers.toml: ")


def test_one_that_may_be_idle_is_no_problem_where_its_rule_has_nothing_to_judge(
    organization: Assembly, configuration: Configuration
) -> None:
    absent = {"rule": "AwsSolutions-S1", "path": "{stage}/Nowhere/Bucket", "optional": True}
    assert _with(organization, configuration, **absent).passed


def test_a_finding_that_is_gone_is_a_problem(organization: Assembly, configuration: Configuration) -> None:
    reader = next(
        waiver for waiver in WAIVERS if waiver.path == "SharedServices/Network/OutputsReader/Resource"
    )
    more = reader.model_copy(update={"findings": (*reader.findings, "Resource::*")})
    waivers = tuple(more if waiver == reader else waiver for waiver in WAIVERS)
    (problem,) = judged(organization, configuration, waivers=waivers).problems
    assert problem.problem == "its finding Resource::* is nowhere any more"


def _first_expiry() -> date:
    return min(waiver.expires for waiver in WAIVERS)


@pytest.mark.parametrize(("days", "warned"), [(31, False), (30, True), (0, True)])
def test_thirty_days_before_a_waiver_expires_there_is_a_warning(
    organization: Assembly, configuration: Configuration, days: int, *, warned: bool
) -> None:
    result = judged(organization, configuration, today=_first_expiry() - timedelta(days=days))
    assert bool(result.warnings) is warned
    assert result.passed
    if warned:
        assert result.warnings[0].problem == f"expires on {_first_expiry()}"
        assert "let its owner accept it again" in result.warnings[0].fix


def test_the_day_after_it_is_a_problem(organization: Assembly, configuration: Configuration) -> None:
    result = judged(organization, configuration, today=_first_expiry() + timedelta(days=1))
    assert not result.passed
    assert any(problem.problem.startswith("expired on ") for problem in result.problems)


def test_problems_that_are_the_same_are_told_once(
    organization: Assembly, configuration: Configuration
) -> None:
    result = judged(organization, configuration, today=_first_expiry() + timedelta(days=1))
    problems: list[Problem] = [each for each in result.problems if each.problem.startswith("expired")]
    assert len(problems) == len({each.problem for each in problems})
    assert f"and {len(WAIVERS) - 1} more" in problems[0].where


def test_a_finding_of_our_own_rules_is_waived_in_the_same_ledger(
    organization: Assembly, configuration: Configuration
) -> None:
    closed = configuration.model_copy(
        update={"compliance": configuration.compliance.model_copy(update={"public": ("www.acme.example",)})}
    )
    waiver = GOOD.model_copy(update={"rule": "LZ-PUB-1", "path": "Registry"})
    open_rows = rows(judged(organization, closed), Status.NON_COMPLIANT)
    assert [(row.rule, row.resource) for row in open_rows] == [("LZ-PUB-1", "Registry")]
    result = judged(organization, closed, waivers=(*WAIVERS, waiver))
    assert result.passed
    assert result.waivers[-1].covers == 1


@pytest.mark.parametrize(
    ("days", "problem", "warning"),
    [
        (-1, f"expired on {TODAY - timedelta(days=1)}", ""),
        (367, "a year is the longest", ""),
        (20, "", f"expires on {TODAY + timedelta(days=20)}"),
        (100, "", ""),
    ],
)
def test_what_is_accepted_of_dependencies_and_images_is_in_the_result_and_held_against_the_day(
    organization: Assembly, configuration: Configuration, days: int, problem: str, warning: str
) -> None:
    allowance = Allowance(
        kind="image-finding",
        id="CVE-2026-1000",
        packages=("openssl",),
        reason="Not reachable.",
        owner="platform",
        ticket="SEC-1",
        expires=TODAY + timedelta(days=days),
    )
    found = judged(organization, configuration, allowances=(allowance,))
    (told,) = found.allowances
    assert (told.kind, told.id, told.packages, told.expires) == (
        "image-finding",
        "CVE-2026-1000",
        ("openssl",),
        allowance.expires,
    )
    assert found.passed == (not problem)
    for wanted, said in ((problem, found.problems), (warning, found.warnings)):
        assert [wanted in one.problem for one in said if "CVE-2026-1000" in f"{one.where} {one.problem}"] == (
            [True] if wanted else []
        )
