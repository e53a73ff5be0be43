"""Measures the compliance report of twenty environments: how long it takes from the assembly on, and how large it is.

    .venv/bin/python -m bench.report

The assembly is synthesized once, which is not counted. Then each run judges it (reads cdk-nag's reports and the
templates, applies our own rules and the ledger) and writes every file of the report, in this process.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.packs import ALL, ENVIRONMENTS
from bench.synth import ROOT, organization
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
    command = [sys.executable, "app.py", "--no-template-validation", "--config", str(config)]
    subprocess.run([*command, "--output", str(assembly)], cwd=ROOT, check=True, capture_output=True)
    configuration, waivers, today = load(config), read_waivers(), datetime.now(UTC).date()
    judging, writing = [], []
    for _ in range(RUNS):
        started = time.perf_counter()
        result = judge(assembly, configuration=configuration, waivers=waivers, today=today)
        judged = time.perf_counter()
        write_reports(result, reports)
        judging.append(judged - started)
        writing.append(time.perf_counter() - judged)
    size = (reports / PAGE).stat().st_size / 1e6
    return (
        f"| {', '.join(packs) or 'none'} | {len(result.rows):,} | {median(judging):.2f} | {median(writing):.2f} "
        f"| {size:.2f} |"
    )


def main() -> None:
    """Print the table."""
    print(description())
    print(f"{ENVIRONMENTS} environments, median of {RUNS}")
    print("| packs besides AWS Solutions | rows | judging, s | all files, s | page, MB |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, packs in enumerate((ALL[:1], ALL)):
            print(measure(packs, Path(folder) / str(number)))


if __name__ == "__main__":
    main()
