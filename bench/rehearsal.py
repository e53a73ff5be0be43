"""Measures whole rehearsals: time by phase, and the peak memory of all their processes.

    .venv/bin/python -m bench.rehearsal

Memory is the sum of each process's proportional share (PSS), sampled; pages that two of them share count once.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import description

ROOT = Path(__file__).parents[1]
RUNS = 3
SAMPLE_SECONDS = 0.25
MEBIBYTE_IN_KIBIBYTES = 1024


def descendants(pid: int) -> list[int]:
    """Return a process and all that it started, also what left its process group.

    Args:
        pid: the first process.
    """
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting.extend(children.get(current, []))
    return found


def proportional_kibibytes(pid: int) -> int:
    """Return a process's proportional set size in KiB; 0 once it has ended.

    Args:
        pid: the process.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def rehearse() -> tuple[dict[str, Any], float]:
    """Rehearse once; return the report and the peak in MiB."""
    process = subprocess.Popen(
        [sys.executable, "-m", "operations", "rehearse", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    peak, done = 0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while not done.wait(SAMPLE_SECONDS):
            peak = max(peak, sum(map(proportional_kibibytes, descendants(process.pid))))

    sampler = threading.Thread(target=sample)
    sampler.start()
    output, _ = process.communicate()
    done.set()
    sampler.join()
    report: dict[str, Any] = json.loads(output)
    if not report["passed"]:
        sys.exit("the rehearsal failed; ./lz rehearse says why")
    return report, peak / MEBIBYTE_IN_KIBIBYTES


def main() -> None:
    """Print the table."""
    print(description())
    found = [rehearse() for _ in range(RUNS)]
    print("| phase | seconds, median of 3 |")
    print("|---|---|")
    for phase in found[0][0]["phases"]:
        print(f"| {phase} | {median(report['phases'][phase] for report, _ in found):.1f} |")
    total = [report["seconds"] for report, _ in found]
    print(f"| **whole rehearsal** | **{median(total):.1f}** (from {min(total):.1f} to {max(total):.1f}) |")
    print(f"| peak memory, MiB | {max(peak for _, peak in found):.0f} |")


if __name__ == "__main__":
    main()
