"""Prints what `./lz --help` costs before a command can begin, part by part.

Run it with `./.venv/bin/python bench/startup.py [RUNS]` after the first `./lz`, on a machine that does nothing else.
Figures are wall milliseconds: the median and the least of the runs. Compare like with like: one machine, one sitting.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 20
WARM_UP = 2  # fills the file system's cache and the bytecode
MODULES_SHOWN = 8

PARTS: dict[str, Sequence[str]] = {
    "python, doing nothing": (sys.executable, "-c", ""),
    "python -I, doing nothing": (sys.executable, "-I", "-c", ""),
    "import click": (sys.executable, "-c", "import click"),
    "python -m operations --help": (sys.executable, "-m", "operations", "--help"),
    "./lz --help (the whole)": ("./lz", "--help"),
    "./lz validate": ("./lz", "validate"),
}


def main() -> int:
    """Measure each part and print a table, then what importing the command line costs by module."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    if not (ROOT / ".venv" / ".lz-stamp").is_file():
        print("run ./lz --help once first: its first run installs, which is not what this measures")
        return 2
    print(f"{'':32}{'median':>8}{'least':>8}  ms, {runs} runs")
    for name, command in PARTS.items():
        times = [_milliseconds(command) for _ in range(WARM_UP + runs)][WARM_UP:]
        print(f"{name:32}{statistics.median(times):8.0f}{min(times):8.0f}")
    print(f"\nimports of operations.cli that cost most, ms with what they import ({MODULES_SHOWN} of all)")
    for milliseconds, module in _imports()[:MODULES_SHOWN]:
        print(f"{milliseconds:8.1f}  {module}")
    return 0


def _milliseconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (time.perf_counter() - started) * 1000


def _imports() -> list[tuple[float, str]]:
    """Read `python -X importtime`: microseconds alone | cumulative | module."""
    command = [sys.executable, "-X", "importtime", "-c", "import operations.cli"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines()]
    return sorted(
        ((int(row[1]) / 1000, row[2].strip()) for row in rows if row[1].strip().isdigit()), reverse=True
    )


if __name__ == "__main__":
    sys.exit(main())
