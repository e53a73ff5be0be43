"""Reads the reports that cdk-nag writes into an assembly."""

import csv
from dataclasses import dataclass
from pathlib import Path

from tests.assembly import Assembly


@dataclass(frozen=True)
class Line:
    """What one rule says about one resource.

    Args:
        rule: id of the rule.
        path: construct path of the resource.
        verdict: Compliant, Suppressed, Non-Compliant or UNKNOWN.
        reason: of the waiver; starts with the finding in brackets, for rules that give details.
    """

    rule: str
    path: str
    verdict: str
    reason: str


def report_files(assembly: Assembly) -> dict[str, Path]:
    """Map the name of each stack to its report.

    Raises:
        AssertionError: a stack has none; the message names it.
    """
    files = {
        stack.name: assembly.directory / f"AwsSolutions-{stack.stage}-{stack.name}-NagReport.csv"
        for stack in assembly.stacks.values()
    }
    without = [name for name, file in files.items() if not file.is_file()]
    assert not without, f"cdk-nag never saw {', '.join(without)}"
    return files


def lines(assembly: Assembly) -> list[Line]:
    """Return every line of every report."""
    return [
        Line(line["Rule ID"], line["Resource ID"], line["Compliance"], line["Exception Reason"])
        for file in report_files(assembly).values()
        for line in csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    ]
