"""The summary that a pull request and a terminal show."""

from collections.abc import Iterator, Sequence

from compliance.changes import ComplianceChange, Judgement, Kind
from compliance.report.digest import STATUSES, account_lines, changed_sections, describe, to_decide, verdict
from compliance.results import ComplianceResult

MOST_LINES = 30
"""Lines of one list: a comment on a code host holds 65,536 characters, and a person reads fewer."""


def summary(result: ComplianceResult, *, change: ComplianceChange | None = None, fingerprint: str) -> str:
    """Return the summary in GitHub's Markdown.

    Args:
        result: what the gate found.
        change: what differs from a baseline.
        fingerprint: SHA-256 of `compliance.json`, so that a signature says what was signed.
    """
    parts = [
        [f"# Compliance of {_cell(result.organization)}", "", verdict(result)],
        _problems(result),
        [] if change is None else _changes(change),
        _accounts(result),
        [f"Judged on {result.judged_on}. SHA-256 of `compliance.json`: `{fingerprint}`"],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _problems(result: ComplianceResult) -> list[str]:
    lines: list[str] = []
    for title, problems in (("Problems", result.problems), ("Warnings", result.warnings)):
        if problems:
            told = [
                f"- {_cell(one.where)}: {_cell(one.problem)}. {_cell(one.fix)}".rstrip(". ")
                for one in problems
            ]
            lines += ["", f"## {title}: {len(problems)}", "", *_capped(told)]
    return lines[1:]


def _changes(change: ComplianceChange) -> list[str]:
    title = f"## Changes since {_cell(change.baseline)}"
    if change.empty:
        return [title, "", "None: every rule says of every resource what it said then."]
    lines = [title, "", "| part | new | changed | gone |", "|---|---|---|---|"]
    for part, counts in change.counts().items():
        lines.append(f"| {part} | " + " | ".join(str(counts.get(kind, 0)) for kind in Kind) + " |")
    if change.weaker:
        told = list(_rows([one.after for one in to_decide(change) if one.after is not None]))
        lines += ["", f"### To decide: {len(change.weaker)}", "", *_capped(told)]
    for part, changes in changed_sections(change).items():
        told = []
        for one in changes:
            told += [f"- {one.kind}: {_cell(describe(one.after or one.before))}"]  # type: ignore[arg-type]
            if one.before is not None and one.after is not None:
                told[-1] += f"<br>before: {_cell(describe(one.before))}"
        lines += ["", f"### {part}: {len(changes)}", "", *_capped(told)]
    return lines


def _rows(rows: Sequence[Judgement]) -> Iterator[str]:
    for row in rows:
        finding = f" {_cell(f'({row.finding})')}" if row.finding else ""
        waiver = _cell(f": {row.waiver.because}") if row.waiver else ""
        yield f"- **{row.status}** {_cell(row.rule)} on `{row.resource}`{finding}{waiver}"


def _accounts(result: ComplianceResult) -> list[str]:
    lines = [
        "## Accounts",
        "",
        f"| account | stacks | resources | {' | '.join(STATUSES)} | public |",
        "|---" * (4 + len(STATUSES)) + "|",
    ]
    for line in account_lines(result):
        counts = " | ".join(str(line.counts.get(status, 0)) for status in STATUSES)
        account = f"{_cell(line.account.name)} {line.account.id}"
        lines.append(f"| {account} | {line.stacks} | {line.resources} | {counts} | {line.public} |")
    return lines


def _capped(lines: Sequence[str]) -> list[str]:
    left = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"- ... and {left} more, in compliance.html"] if left > 0 else [])]


def _cell(text: str) -> str:
    """Return text that stays text, in a list and in a table."""
    escaped = "".join(f"\\{letter}" if letter in "\\`*_<>[]|#" else letter for letter in text)
    return " ".join(escaped.split())
