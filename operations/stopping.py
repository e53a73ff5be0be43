"""Shows in a terminal what stops a release: findings that nobody fixed or accepted, and what the proof lacks."""

from collections.abc import Sequence

from compliance.results import Problem, Row
from operations.output import heading, say, table


def show_stopping(findings: Sequence[Row], problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    """Show what stops a release, and what soon will.

    Args:
        findings: rows without a fix or a waiver.
        problems: what is wrong with the ledger, or with the proof that everything was looked at.
        warnings: what will be wrong with the ledger.
    """
    if findings:
        heading(f"Findings without a fix or a waiver: {len(findings)}")
        table(
            ("rule", "resource", "judged"),
            [(row.rule, row.resource, row.finding or row.status.value) for row in findings],
        )
    if problems:
        heading(f"Problems: {len(problems)}")
        table(("where", "problem", "fix"), [(each.where, each.problem, each.fix) for each in problems])
    for warning in warnings:
        say(f"warning: {warning.where}: {warning.problem}; {warning.fix}")
