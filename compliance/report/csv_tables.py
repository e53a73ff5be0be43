"""The tables of a result for spreadsheets."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from compliance.report.digest import account_names
from compliance.results import ComplianceResult

ROWS = "compliance.csv"
TRUST = "trust.csv"
EXPOSURES = "exposures.csv"

ROW_COLUMNS = (
    *(
        "account",
        "account name",
        "environment",
        "stack",
        "pack",
        "rule",
        "level",
        "status",
        "resource",
        "finding",
    ),
    *("rechecked by", "waiver reason", "waiver owner", "waiver ticket", "waiver expires", "rule text"),
)
TRUST_COLUMNS = (
    *(
        "account",
        "account name",
        "role",
        "principal",
        "kind",
        "from account",
        "crosses accounts",
        "condition",
    ),
    *("used by", "stack", "resource"),
)
EXPOSURE_COLUMNS = ("account", "account name", "kind", "names", "ports", "declared", "stack", "resource")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would execute at the start of a cell (OWASP, CSV Injection)."""


def write_tables(result: ComplianceResult, directory: Path) -> list[Path]:
    """Write the tables.

    Args:
        result: what the gate found.
        directory: the folder.

    Returns:
        The files.
    """
    return [
        _write(directory / ROWS, ROW_COLUMNS, _rows(result)),
        _write(directory / TRUST, TRUST_COLUMNS, _trust(result)),
        _write(directory / EXPOSURES, EXPOSURE_COLUMNS, _exposures(result)),
    ]


def _rows(result: ComplianceResult) -> Iterator[Sequence[object]]:
    names = account_names(result)
    stacks = {stack.name: stack for stack in result.stacks}
    rules = {rule.id: rule for rule in result.rules}
    for row in result.rows:
        stack, rule = stacks[row.stack], rules[row.rule]
        waiver = () if row.waiver is None else result.waivers[row.waiver]
        accepted = (waiver.reason, waiver.owner, waiver.ticket, waiver.expires) if waiver else ("",) * 4
        yield (
            *(stack.account, names.get(stack.account, ""), stack.environment, stack.path),
            *(row.pack, row.rule, rule.level, row.status, row.resource, row.finding, row.rechecked_by),
            *(*accepted, rule.text),
        )


def _trust(result: ComplianceResult) -> Iterator[Sequence[object]]:
    names = account_names(result)
    for trust in result.trust:
        yield (
            *(trust.account, names.get(trust.account, ""), trust.role, trust.principal, trust.kind),
            *(trust.from_account, _yes(trust.crosses_accounts), trust.condition),
            *(" ".join(trust.used_by), trust.stack, trust.resource),
        )


def _exposures(result: ComplianceResult) -> Iterator[Sequence[object]]:
    names = account_names(result)
    for one in result.exposures:
        yield (
            *(one.account, names.get(one.account, ""), one.kind, " ".join(one.names), one.ports),
            *(_yes(one.declared), one.stack, one.resource),
        )


def _yes(value: bool) -> str:  # noqa: FBT001 -- a cell
    return "yes" if value else "no"


def _write(file: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        known: dict[object, str] = {}  # most cells are those of other rows
        for row in rows:
            for value in row:
                if value not in known:
                    known[value] = _cell(value)
            writer.writerow([known[value] for value in row])
    return file


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
