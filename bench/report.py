"""Measures the compliance report of twenty environments: how long it takes from the assembly on, and how large it is.

    .venv/bin/python -m bench.report

The assembly is synthesized once, which is not counted. Then each run judges it (reads cdk-nag's reports and the
templates, applies our own rules and the ledger) and writes every file of the report, in this process.
"""

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.machine import description
from bench.packs import ALL, ENVIRONMENTS, synthesize
from bench.synth import organization
from compliance.judge import judge
from compliance.report import PAGE, write_reports
from compliance.waivers import read_waivers
from config import load

RUNS = 3


def measure(packs: list[str], folder: Path) -> str:
    """Return a line of the table.

    Args:
        packs: what is on besides AWS Solutions and our own rules.
        folder: an empty folder.
    """
    folder.mkdir()
    config, assembly, reports = folder / "accounts.json", folder / "cdk.out", folder / "reports"
    document = {**organization(ENVIRONMENTS), "compliance": {"packs": packs}}
    config.write_text(json.dumps(document), encoding="utf-8")
    synthesize(["app.py"], config, assembly)
    configuration, waivers, today = load(config), read_waivers(), datetime.now(UTC).date()
    judging, writing = [], []
    for _ in range(RUNS):
        started = _now()
        result = judge(assembly, configuration=configuration, waivers=waivers, today=today)
        judged = _now()
        write_reports(result, reports)
        judging.append(judged - started)
        writing.append(_now() - judged)
    size = (reports / PAGE).stat().st_size / 1e6
    return (
        f"| {', '.join(packs)} | {len(result.rows):,} | {_shown(judging)} | {_shown(writing)} | {size:.2f} |"
    )


class _Moment(NamedTuple):
    """A moment by the clock and by the processor, both in seconds."""

    clock: float
    processor: float

    def __sub__(self, other: "_Moment") -> "_Moment":
        return _Moment(self.clock - other.clock, self.processor - other.processor)


def _now() -> _Moment:
    return _Moment(time.perf_counter(), time.process_time())


def _shown(found: list[_Moment]) -> str:
    return f"{median(one.clock for one in found):.2f} ({median(one.processor for one in found):.2f})"


def main() -> None:
    """Print the table."""
    print(description())
    print(f"{ENVIRONMENTS} environments, median of {RUNS}")
    print(
        "| packs besides AWS Solutions | rows | judging, s (processor) | all files, s (processor) | page, MB |"
    )
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, packs in enumerate((ALL[:1], ALL)):
            print(measure(packs, Path(folder) / str(number)))


if __name__ == "__main__":
    main()
