"""Measures `python app.py` as the number of environments grows.

    .venv/bin/python -m bench.synth

Whole process, wall clock: imports, construction, synthesis and cdk-nag, without the library's template validator; with
AWS Solutions, the pack that is always on, and with the packs of the sample.
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


def measure(config: Path, output: Path) -> float:
    """Return the seconds of one synthesis in a fresh process.

    Args:
        config: the configuration.
        output: folder of the assembly, which is left there: right after an earlier one was removed, the file system
            took 1.0 to 1.2 s to make the files of 20 environments, else 0.1 to 0.7 s, and it is not what is measured.
    """
    command = [
        sys.executable,
        "app.py",
        "--no-template-validation",
        "--config",
        str(config),
        "--output",
        str(output),
    ]
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the table: medians of three runs, the two kinds in turn."""
    print(description())
    print(
        "| environments | AWS Solutions, s | each further one, s | the sample's packs, s | each further one, s |"
    )
    print("|---|---|---|---|---|")
    previous: tuple[int, list[float]] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            document = organization(size)
            configs = [Path(folder) / f"{size}-alone.json", Path(folder) / f"{size}.json"]
            configs[0].write_text(json.dumps({**document, "compliance": {"packs": []}}), encoding="utf-8")
            configs[1].write_text(json.dumps(document), encoding="utf-8")
            runs = [
                [measure(config, Path(folder) / f"{config.stem}-{run}") for config in configs]
                for run in range(RUNS)
            ]
            found = [median(column) for column in zip(*runs, strict=True)]
            cells = [str(size)]
            for column, seconds in enumerate(found):
                before = None if previous is None else (seconds - previous[1][column]) / (size - previous[0])
                cells += [f"{seconds:.2f}", "" if before is None else f"{before:.2f}"]
            print(f"| {' | '.join(cells)} |", flush=True)
            previous = (size, found)


if __name__ == "__main__":
    main()
