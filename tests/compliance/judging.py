"""Judges assemblies for tests, on a day that does not pass."""

from datetime import date
from pathlib import Path

from compliance.allowances import Allowance
from compliance.judge import judge
from compliance.results import ComplianceResult, Row, Status
from compliance.waivers import Waiver, read_waivers
from config import Configuration
from tests.assembly import Assembly

WAIVERS = read_waivers()
TODAY = min(waiver.expires for waiver in WAIVERS).replace(month=1, day=2)
"""A day on which the committed ledger holds."""


def judged(
    assembly: Assembly | Path,
    configuration: Configuration,
    *,
    waivers: tuple[Waiver, ...] = WAIVERS,
    allowances: tuple[Allowance, ...] = (),
    today: date = TODAY,
) -> ComplianceResult:
    """Judge an assembly by the committed waivers, unless others are given."""
    directory = assembly.directory if isinstance(assembly, Assembly) else assembly
    return judge(directory, configuration=configuration, waivers=waivers, allowances=allowances, today=today)


def rows(result: ComplianceResult, *statuses: Status) -> list[Row]:
    """Return the rows of some statuses."""
    return [row for row in result.rows if row.status in statuses]
