"""Reads what cdk-nag wrote into an assembly."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from compliance.templates import Stack

SUFFIX = "-NagReport"
ENDING = ".csv"
"""cdk-nag appends to its CSV report; of its JSON report it reads and writes the whole again for every line."""

_COLUMNS = ("Rule ID", "Resource ID", "Compliance", "Exception Reason", "Rule Level", "Rule Info")
"""In the order of the fields of `Row`."""

COMPLIANT = "Compliant"
NON_COMPLIANT = "Non-Compliant"
SUPPRESSED = "Suppressed"


@dataclass(frozen=True)
class Row:
    """What one rule says of one resource.

    Args:
        rule: id of the rule, such as `AwsSolutions-S1`.
        resource: construct path of the resource.
        compliance: `Compliant`, `Non-Compliant`, `Suppressed`, or `UNKNOWN` where the rule itself failed.
        reason: why it is suppressed.
        level: `Error` or `Warning`.
        info: what the rule is about.
    """

    rule: str
    resource: str
    compliance: str
    reason: str
    level: str
    info: str

    @property
    def finding(self) -> str:
        """Which finding was suppressed, where the waiver names its findings: cdk-nag puts it before the reason."""
        return self.reason[1:].partition("] ")[0] if self.reason.startswith("[") else ""


@dataclass(frozen=True)
class Report:
    """What one pack says of one stack.

    Args:
        name: name of its file, without the ending.
        file: the file.
        rows: its rows.
    """

    name: str
    file: Path
    rows: tuple[Row, ...]


def read_reports(assembly: Path) -> dict[str, Report]:
    """Read every report of an assembly by its name; cdk-nag writes those of nested stages beside the others.

    Args:
        assembly: the assembly, such as `cdk.out`.
    """
    return {file.stem: _report(file) for file in sorted(assembly.glob(f"*{SUFFIX}{ENDING}"))}


def unsettled(reports: Iterable[Report]) -> tuple[Row, ...]:
    """List the rows that are neither compliant nor suppressed; what the ledger makes of them is the gate's business.

    Args:
        reports: the reports.
    """
    settled = {COMPLIANT, SUPPRESSED}
    return tuple(row for report in reports for row in report.rows if row.compliance not in settled)


def report_name(pack: str, stack: Stack) -> str:
    """Return the name that cdk-nag gives to the report of a pack on a stack: pack, stage's id, stack's name.

    Args:
        pack: cdk-nag's name of the pack.
        stack: the stack.
    """
    return f"{pack}-{stack.stage.rpartition('/')[2]}-{stack.name}{SUFFIX}"


def strangers(report: Report, stack: Stack) -> Iterable[str]:
    """Name the resources of a report that are not in a stack: then it is not what its name says.

    Args:
        report: the report.
        stack: the stack of its name.
    """
    return (row.resource for row in report.rows if not row.resource.startswith(f"{stack.path}/"))


def _report(file: Path) -> Report:
    with file.open(encoding="utf-8", newline="") as content:
        lines = csv.reader(content)
        header = next(lines, [])
        columns = itemgetter(*(header.index(column) for column in _COLUMNS)) if header else itemgetter(0)
        rows = tuple(Row(*columns(line)) for line in lines if line)
    return Report(file.stem, file, rows)
