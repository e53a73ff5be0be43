"""SARIF 2.1.0, so that a code host shows findings beside the code that makes them."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from compliance.changes import ComplianceChange, Judgement, Kind, judgements
from compliance.results import ComplianceResult, Rule, Stack, Status

ROOT = Path(__file__).parents[2]
VERSION = "2.1.0"
LEDGER = "compliance/waivers.toml"
TOLD = frozenset({Status.NON_COMPLIANT, Status.UNKNOWN, Status.WAIVED})
"""Compliant rows are no results: code hosts would show thousands of notes. The page and the CSV have them."""

BASELINE_STATES = {Kind.NEW: "new", Kind.CHANGED: "updated", Kind.GONE: "absent"}


def sarif_log(result: ComplianceResult, *, change: ComplianceChange | None = None) -> str:
    """Return the log as text.

    Args:
        result: what the gate found.
        change: what differs from a baseline; each result then says how it does.
    """
    rules = {rule.id: index for index, rule in enumerate(result.rules)}
    stacks = {stack.name: stack for stack in result.stacks}
    run = {
        "tool": {
            "driver": {
                "name": "landing-zone-compliance",
                "rules": [_rule(rule) for rule in result.rules],
            }
        },
        "automationDetails": {"id": f"{result.organization}/compliance/"},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(row, state, index=rules.get(row.rule), stack=stacks.get(row.stack))
            for row, state in _told(result, change)
        ],
    }
    return json.dumps({"version": VERSION, "runs": [run]}, separators=(",", ":")) + "\n"


def _told(
    result: ComplianceResult, change: ComplianceChange | None
) -> Iterator[tuple[Judgement, str | None]]:
    """Yield what is told, with its state towards the baseline."""
    known = (
        {} if change is None else {one.after.key: one.kind for one in change.rows if one.after is not None}
    )
    for row in judgements(result, TOLD):
        kind = known.get(row.key)
        yield row, None if change is None else "unchanged" if kind is None else BASELINE_STATES[kind]
    for one in () if change is None else change.rows:
        if one.before is not None and one.after is None and one.before.status in TOLD:
            yield one.before, BASELINE_STATES[one.kind]


def _rule(rule: Rule) -> Mapping[str, Any]:
    described: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.text or rule.id},
        "defaultConfiguration": {"level": rule.level},
        "properties": {"pack": rule.pack, "tags": ["security", rule.pack]},
    }
    if rule.fix:
        described["help"] = {"text": rule.fix}
    return described


def _result(
    row: Judgement, state: str | None, *, index: int | None, stack: Stack | None
) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "ruleId": row.rule,
        **({} if index is None else {"ruleIndex": index}),
        "level": "warning" if row.status is Status.WAIVED else "error",
        "message": {"text": _message(row)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": source_file(stack.path if stack else row.resource)},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": row.resource, "kind": "resource"}],
            }
        ],
        # The verdict is left out: a finding that is waived stays the same finding.
        "partialFingerprints": {
            "resource/v1": hashlib.sha256("|".join(map(str, row.key)).encode()).hexdigest()
        },
        "properties": {"stack": row.stack, "status": row.status},
    }
    if state is not None:
        found["baselineState"] = state
    if row.waiver is not None:
        found["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": row.waiver.because,
                "location": {"physicalLocation": {"artifactLocation": {"uri": LEDGER}}},
            }
        ]
    return found


def _message(row: Judgement) -> str:
    finding = f" ({row.finding})" if row.finding else ""
    told = {
        Status.UNKNOWN: "could not be judged, since the rule itself failed",
        Status.WAIVED: "is accepted by the waiver ledger",
    }.get(row.status, "does not hold")
    return f"{row.rule} {told} on {row.resource}{finding}"


@cache
def source_file(stack_path: str) -> str:
    """Return the file in this repository that defines a stack, by the project's layout: one stack, one file.

    Args:
        stack_path: construct path of the stack.

    Returns:
        Its file; `app.py` for a stack that the CDK adds by itself.
    """
    stage, _, name = stack_path.rpartition("/")
    file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() + ".py"
    folder = (
        "pipeline" if not stage else "shared_services" if stage == "SharedServices" else "workloads/django"
    )
    return f"{folder}/{file}" if (ROOT / folder / file).is_file() else "app.py"
