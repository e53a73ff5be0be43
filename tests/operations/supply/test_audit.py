"""What the audit tools say is read as it is, and what they leave out is told."""

import json
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from compliance.allowances import Allowance
from operations.supply import audit as module
from operations.supply.audit import Audit, Vulnerability, audit_node, audit_python
from operations.supply.components import Component, Inventory
from operations.supply.judging import Outcome, judge
from operations.supply.licenses import read_policy

TODAY = date(2026, 11, 27)
PYTHON = (
    Component("pypi", "Django", "4.2.0", "BSD-3-Clause"),
    Component("pypi", "odd", "1.0", "GPL-3.0-only"),
)
NODE = (Component("npm", "left", "1.0.0", "MIT"),)
INVENTORIES = (
    Inventory("platform", "the platform", "lock.txt", PYTHON),
    Inventory("shop", "the image of shop", "shop", (*NODE, PYTHON[0])),
)
KNOWN = Vulnerability(
    "pypi", "django", "4.2.0", "PYSEC-2026-1", ("CVE-2026-0001",), "It leaks.", "raise it to 4.2.9"
)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of the Python that runs pip-audit, and one in place of Node; they say what is in a file."""
    answer, program = tmp_path / "answer.json", tmp_path / "tool"
    program.write_text(f'#!/bin/sh\ncat "{answer}"\nexit 1\n', encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(module, "bundled_node", lambda: program)
    return answer


def judged(audits: Sequence[Audit], allowances: Sequence[Allowance] = ()) -> Outcome:
    return judge(INVENTORIES, audits, policy=read_policy(), allowances=allowances, today=TODAY)


def allowance(kind: str, id_: str, package: str, **changes: object) -> Allowance:
    entry = {
        "kind": kind,
        "id": id_,
        "packages": (package,),
        "reason": "Not called.",
        "owner": "platform",
        "ticket": "SEC-200",
        "expires": TODAY + timedelta(days=90),
    }
    return Allowance.model_validate({**entry, **changes})


def test_what_pip_audit_skips_is_not_taken_for_audited(tools: Path) -> None:
    answer = {
        "dependencies": [
            {
                "name": "django",
                "skip_reason": "Dependency not found on PyPI and could not be audited: django (4.2.0)",
            },
            {"name": "odd", "version": "1.0", "vulns": []},
        ]
    }
    tools.write_text(json.dumps(answer), encoding="utf-8")
    assert audit_python(PYTHON).unaudited == (
        "1 of 2 packages: Dependency not found on PyPI and could not be audited",
    )


def test_a_package_that_pip_audit_does_not_mention_is_not_taken_for_audited(tools: Path) -> None:
    tools.write_text(
        json.dumps({"dependencies": [{"name": "odd", "version": "1.0", "vulns": []}]}), encoding="utf-8"
    )
    assert audit_python(PYTHON).unaudited == ("pip-audit said nothing of django",)


def test_what_pip_audit_knows_is_read(tools: Path) -> None:
    known = {
        "id": "PYSEC-2026-1",
        "fix_versions": ["4.2.9"],
        "aliases": ["CVE-2026-0001"],
        "description": "It leaks.\nMore.",
    }
    answer = {
        "dependencies": [
            {"name": "django", "version": "4.2.0", "vulns": [known]},
            {"name": "odd", "version": "1.0", "vulns": []},
        ]
    }
    tools.write_text(json.dumps(answer), encoding="utf-8")
    assert audit_python(PYTHON) == Audit("pip-audit", (KNOWN,))


@pytest.mark.parametrize("said", ["", "Traceback", "[]", "{}"])
def test_a_tool_that_fails_leaves_all_unaudited(tools: Path, said: str) -> None:
    tools.write_text(said, encoding="utf-8")
    assert audit_python(PYTHON).unaudited
    assert audit_node().unaudited


def test_two_versions_of_a_package_are_both_asked_for(tools: Path) -> None:
    tools.write_text(json.dumps({"dependencies": []}), encoding="utf-8")
    twice = (PYTHON[0], Component("pypi", "django", "5.2.0"))
    assert audit_python(twice).unaudited == ("pip-audit said nothing of django",) * 2


def test_a_registry_that_does_not_answer_leaves_all_unaudited(tools: Path) -> None:
    said = "405 Method Not Allowed - POST https://registry.example/-/npm/v1/security/advisories/bulk"
    tools.write_text(json.dumps({"message": said, "error": {}}), encoding="utf-8")
    assert audit_node().unaudited == ("405 Method Not Allowed",)


def test_what_npm_audit_knows_is_read_once_where_it_is_and_not_where_it_comes_through(
    tools: Path, tmp_path: Path
) -> None:
    advisory = {
        "source": 1,
        "name": "left",
        "title": "It pads wrongly",
        "url": "https://advisories.example/GHSA-aaaa-bbbb-cccc",
        "severity": "high",
        "range": "<1.0.1",
    }
    answer = {
        "auditReportVersion": 2,
        "vulnerabilities": {
            "left": {"via": [advisory], "nodes": ["node_modules/left"], "fixAvailable": True},
            "right": {"via": ["left"], "nodes": ["node_modules/right"], "fixAvailable": True},
        },
    }
    tools.write_text(json.dumps(answer), encoding="utf-8")
    lock = {"packages": {"node_modules/left": {"version": "1.0.0"}}}
    (tmp_path / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (known,) = audit_node(tmp_path).vulnerabilities
    assert (known.package, known.version, known.id, known.severity) == (
        "left",
        "1.0.0",
        "GHSA-aaaa-bbbb-cccc",
        "high",
    )


def test_a_vulnerability_and_a_license_are_findings_of_every_place_that_has_the_package() -> None:
    outcome = judged([Audit("pip-audit", (KNOWN,))])
    assert [(one.kind, one.id, one.where) for one in outcome.open] == [
        ("vulnerability", "PYSEC-2026-1", ("platform", "shop")),
        ("license", "GPL-3.0-only", ("platform",)),
    ]
    assert not outcome.passed(audit_required=False)


def test_the_ledger_accepts_by_any_number_and_says_why() -> None:
    accepted = [
        allowance("vulnerability", "CVE-2026-0001", "Django"),
        allowance("license", "GPL-3.0-only", "odd"),
    ]
    outcome = judged([Audit("pip-audit", (KNOWN,))], accepted)
    assert outcome.open == ()
    assert "SEC-200" in outcome.findings[0].allowance
    assert outcome.passed(audit_required=True)


def test_an_expired_entry_accepts_nothing_and_is_a_problem() -> None:
    expired = allowance("license", "GPL-3.0-only", "odd", expires=TODAY - timedelta(days=1))
    outcome = judged([], [expired])
    assert [one.id for one in outcome.open] == ["GPL-3.0-only"]
    assert len(outcome.problems) == 1


def test_an_entry_that_nothing_has_is_dead_unless_nobody_looked() -> None:
    dead = [
        allowance("license", "GPL-3.0-only", "odd"),
        allowance("license", "AGPL-3.0-only", "odd"),
        allowance("vulnerability", "CVE-1", "odd"),
        allowance("image-finding", "CVE-2", "odd"),
    ]
    assert len(judged([], dead).problems) == 2
    unlooked = judged([Audit("pip-audit", unaudited=("no network",))], dead)
    assert [line.split(":")[0] for line in unlooked.problems] == ["license AGPL-3.0-only in odd"]


def test_what_was_not_audited_fails_in_the_pipeline_and_not_on_a_laptop() -> None:
    outcome = judged(
        [Audit("npm audit", unaudited=("no network",))], [allowance("license", "GPL-3.0-only", "odd")]
    )
    assert outcome.unaudited == ("npm audit: no network",)
    assert outcome.passed(audit_required=False)
    assert not outcome.passed(audit_required=True)
