"""Measures what cdk-nag adds to a synthesis: none of its packs, the one that is always on, and all of them.

    .venv/bin/python -m bench.packs

Whole process, wall clock, without the library's template validator. Runs are interleaved, so that a busy machine is
busy for all of them. Without packs means that none is registered: the templates are the same.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.machine import description
from bench.synth import ROOT, organization

ENVIRONMENTS = 20
RUNS = 3
ALL = ["nist-800-53-r5", "hipaa-security", "pci-dss-321"]
WITHOUT = """
import gc
gc.disable()
from config.node import use_bundled_node
use_bundled_node(eager=True)
import app
from compliance.nag import Compliance
Compliance.watch = lambda self, *scopes: None
app._leave(app.main())
"""


def measure(config: Path, output: Path, *, with_packs: bool) -> float:
    """Return the seconds of one synthesis in a fresh process.

    Args:
        config: the configuration.
        output: folder of the assembly, which is left there; `bench.synth` says why.
        with_packs: whether its packs are registered.
    """
    program = ["app.py"] if with_packs else ["-OO", "-c", WITHOUT]
    started = time.perf_counter()
    synthesize(program, config, output)
    return time.perf_counter() - started


def synthesize(program: Sequence[str], config: Path, output: Path) -> None:
    """Synthesize; findings are no failure here: HIPAA Security and PCI DSS have open ones until a fork decides on them.

    Args:
        program: what Python runs.
        config: the configuration.
        output: folder of the assembly.

    Raises:
        RuntimeError: there is no assembly.
    """
    command = [sys.executable, *program, "--no-template-validation", "--config", str(config)]
    done = subprocess.run(
        [*command, "--output", str(output)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1} or not (output / "manifest.json").is_file():
        raise RuntimeError(done.stderr[-2000:])


def main() -> None:
    """Print the table."""
    print(description())
    print(f"| packs over {ENVIRONMENTS} environments | seconds, median of {RUNS} | against none |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, packs in (("AwsSolutions", []), ("all four", ALL)):
            document = {**organization(ENVIRONMENTS), "compliance": {"packs": packs}}
            files[name] = Path(folder) / f"{len(packs)}.json"
            files[name].write_text(json.dumps(document), encoding="utf-8")
        seconds: dict[str, list[float]] = {"none": [], **{name: [] for name in files}}
        for run in range(RUNS):
            for name, found in seconds.items():
                file = files.get(name, files["AwsSolutions"])
                output = Path(folder) / f"{name} {run}"
                found.append(measure(file, output, with_packs=name in files))
    base = median(seconds["none"])
    for name, found in seconds.items():
        print(f"| {name} | {median(found):.1f} | {median(found) / base:.2f} x |")


if __name__ == "__main__":
    main()
