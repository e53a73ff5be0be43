"""Reads what cdk-nag wrote into an assembly, and proves that it looked at every stack."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.assembly import AssembledStack, read_assembly

SUFFIX = "-NagReport"
ENDING = ".csv"
"""cdk-nag appends to its CSV report; of its JSON report it reads and writes the whole again for every line."""
ACCEPTABLE = frozenset({"Compliant", "Suppressed"})
"""What a rule may say of a resource; the rest is Non-Compliant, and UNKNOWN where the rule itself failed."""

# What the CDK puts in place of a look-up that it could not make, such as the zones of a region.
DUMMY = "dummy1"


@dataclass(frozen=True)
class Row:
    """What one rule says of one resource.

    Args:
        report: name of the report, without its ending.
        rule: id of the rule, such as `AwsSolutions-S1`.
        resource: construct path of the resource.
        compliance: `Compliant`, `Non-Compliant`, `Suppressed` or `UNKNOWN`.
        reason: why it is suppressed.
        level: `Error` or `Warning`.
        info: what the rule is about.
    """

    report: str
    rule: str
    resource: str
    compliance: str
    reason: str
    level: str
    info: str


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


@dataclass(frozen=True)
class Gap:
    """A place that the reports leave dark, or where synthesis guessed.

    Args:
        stack: construct path of the stack.
        problem: what is missing.
    """

    stack: str
    problem: str


def read_reports(assembly: Path) -> tuple[Report, ...]:
    """Read every report of an assembly; cdk-nag writes those of nested stages beside the others.

    Args:
        assembly: the assembly, such as `cdk.out`.
    """
    return tuple(_report(file) for file in sorted(assembly.glob(f"*{SUFFIX}{ENDING}")))


def stacks(assembly: Path) -> tuple[AssembledStack, ...]:
    """List every stack of an assembly, those of nested stages too, from its manifests."""
    return read_assembly(assembly)


def report_name(pack: str, stack: AssembledStack) -> str:
    """Return the name that cdk-nag gives to the report of a pack on a stack: pack, stage's id, stack's name."""
    return f"{pack}-{stack.stage.rpartition('/')[2]}-{stack.name}{SUFFIX}"


def findings(reports: Iterable[Report]) -> tuple[Row, ...]:
    """List what has neither a fix nor a waiver, and what a rule could not judge."""
    return tuple(row for report in reports for row in report.rows if row.compliance not in ACCEPTABLE)


def coverage_gaps(
    found: Sequence[AssembledStack], reports: Iterable[Report], packs: Sequence[str]
) -> tuple[Gap, ...]:
    """List the stacks that a pack did not look at. A stack without resources has nothing to look at.

    Args:
        found: the stacks of the assembly.
        reports: its reports.
        packs: names of the packs that must have looked.
    """
    by_name = {report.name: report for report in reports}
    owners: dict[str, str] = {}
    gaps = []
    for stack in found:
        for pack in packs if stack.resources else ():
            name = report_name(pack, stack)
            report = by_name.get(name)
            if report is None:
                gaps.append(Gap(stack.path, f"{pack} wrote no report on it ({name})"))
            elif owners.setdefault(name, stack.path) != stack.path:
                gaps.append(Gap(stack.path, f"its report has the name of that on {owners[name]} ({name})"))
            else:
                gaps += _foreign(stack, report)
    return tuple(gaps)


def guesses(found: Iterable[AssembledStack]) -> tuple[Gap, ...]:
    """List where synthesis would have had to ask AWS: context that is missing, or a value that stands for it."""
    gaps = []
    for stack in found:
        gaps += [Gap(stack.path, f"a look-up is missing from the context: {key}") for key in stack.missing]
        if DUMMY in stack.template_file.read_text(encoding="utf-8"):
            gaps.append(Gap(stack.path, f'its template holds "{DUMMY}", which stands for a failed look-up'))
    return tuple(gaps)


def _foreign(stack: AssembledStack, report: Report) -> Iterable[Gap]:
    """Find rows on another stack's resources: then the report is not what its name says."""
    for row in report.rows:
        if not row.resource.startswith(f"{stack.path}/"):
            yield Gap(stack.path, f"{report.name} is about something else: {row.resource}")
            return


def _report(file: Path) -> Report:
    with file.open(encoding="utf-8", newline="") as content:
        rows = tuple(
            Row(
                report=file.stem,
                rule=line["Rule ID"],
                resource=line["Resource ID"],
                compliance=line["Compliance"],
                reason=line["Exception Reason"],
                level=line["Rule Level"],
                info=line["Rule Info"],
            )
            for line in csv.DictReader(content)
        )
    return Report(file.stem, file, rows)
