"""Measures `python app.py` as the number of environments grows.

    .venv/bin/python -m bench.synth

Whole process, wall clock: imports, construction, synthesis and cdk-nag, without the library's template validator.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import description

ROOT = Path(__file__).parents[1]
SIZES = (2, 5, 10, 20)
RUNS = 3


def organization(environments: int) -> dict[str, Any]:
    """Return the sample organization with another number of environments, each in an account of its own.

    Args:
        environments: how many; the last is production, the others staging.
    """
    sample: dict[str, Any] = json.loads((ROOT / "config" / "accounts.json").read_text(encoding="utf-8"))
    del sample["$schema"]
    (workload,) = sample["workloads"].values()
    staging, production = workload["environments"]["staging"], workload["environments"]["production"]
    accounts, made = {}, {}
    for index in range(1, environments):
        name = f"staging{index}"
        accounts[name] = f"{300000000000 + index}"
        made[name] = {
            **staging,
            "account": name,
            "domain": f"{name}.acme.example",
            "cidr": f"10.{index}.0.0/20",
        }
    accounts["production"] = "444444444444"
    made["production"] = {**production, "cidr": "10.250.0.0/20"}
    sample["accounts"]["workloads"] = accounts
    workload["environments"] = made
    return sample


def measure(config: Path) -> float:
    """Return the seconds of one synthesis in a fresh process.

    Args:
        config: the configuration.
    """
    with tempfile.TemporaryDirectory() as output:
        command = [
            sys.executable,
            "app.py",
            "--no-template-validation",
            "--config",
            str(config),
            "--output",
            output,
        ]
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    print(description())
    print("| environments | stacks' stage count | seconds, median of 3 | seconds per further environment |")
    print("|---|---|---|---|")
    previous: tuple[int, float] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            config = Path(folder) / f"{size}.json"
            config.write_text(json.dumps(organization(size)), encoding="utf-8")
            seconds = median(measure(config) for _ in range(RUNS))
            growth = "" if previous is None else f"{(seconds - previous[1]) / (size - previous[0]):.2f}"
            print(f"| {size} | {size + 1} | {seconds:.2f} | {growth} |", flush=True)
            previous = (size, seconds)


if __name__ == "__main__":
    main()
