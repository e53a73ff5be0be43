"""The checks of this project: what they run, side by side on all cores, each with its time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from operations.node import ROOT, environment

TYPED = (
    "app.py",
    "config",
    "shared_services",
    "workloads",
    "pipeline",
    "compliance",
    "operations",
    "rehearsal",
    "tests",
    "bench",
)
LEAVE_OUT = "LZ_CHECK_LEAVE_OUT"
"""Variable with the names of checks that `./lz check` leaves out. A rehearsal sets it; the pipeline on AWS does not."""

LONG = ("tests", "types", "synth")
"""The checks that take long. `./lz test` runs them where AWS does: in Synth of the pipeline that it rehearses whole."""

REHEARSAL_FOLDERS = ("tests/rehearsal", "tests/e2e")
"""Where the tests are that need a local organization: the others are not even collected for them."""

TIDY_SECONDS = 30.0  # what a check gets to tidy up after it was interrupted
POLL_SECONDS = 0.1
WARNING = "warning: "
APP_TESTS = ROOT / "workloads" / "django" / "app" / "bin" / "test"


@dataclass(frozen=True)
class Step:
    """One check.

    Args:
        name: what a person types after `--only`.
        title: what it makes sure of.
        command: argument list, run in the project's folder.
    """

    name: str
    title: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """How a check ended.

    Args:
        step: the check.
        exit_code: 0 if it passed.
        seconds: wall time.
        output: what it wrote, both streams; empty if it was shown while it ran.
    """

    step: Step
    exit_code: int
    seconds: float
    output: str = ""

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return self.exit_code == 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What it warned of; `lz synth` does so of waivers that will expire, and of limits that come near."""
        lines = (line.strip() for line in self.output.splitlines())
        return tuple(line.removeprefix(WARNING) for line in lines if line.startswith(WARNING))

    @property
    def last_line(self) -> str:
        """The last line it wrote; pytest and mypy put their count there."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1].strip("= ") if lines else ""


def check_steps(scratch: Path) -> tuple[Step, ...]:
    """List the checks that need no organization, in the order in which they are started.

    Those of a second come first. Types come last: with a warm cache they take seconds, and synthesis would be left
    to the end, on one core alone.

    Args:
        scratch: an empty folder for what they make.
    """
    python = sys.executable
    typed = [name for name in TYPED if (ROOT / name).exists()]
    return (
        Step("lint", "lint (ruff)", (python, "-m", "ruff", "check", ".")),
        Step("format", "format (ruff)", (python, "-m", "ruff", "format", "--check", ".")),
        Step("dockerfiles", "Dockerfiles (hadolint)", (python, "-m", "operations.dockerfiles")),
        Step("schema", "the JSON Schema is current", (python, "-m", "config.schema", "--check")),
        Step(
            "manual", "the README's table is current", (python, "-m", "config.manual", "README.md", "--check")
        ),
        Step(
            "tests",
            "unit and template tests",
            (python, "-m", "pytest", "-m", "not rehearsal", "-n", "2", "-q"),
        ),
        Step(
            "synth",
            "full synthesis, template validation, cdk-nag",
            (python, "-m", "operations", "synth", "--output", str(scratch / "cdk.out")),
        ),
        Step("types", "types (mypy, strict)", (python, "-m", "mypy", *typed)),
    )


def rehearsal_step() -> Step:
    """Return the tests that need a local organization."""
    return Step(
        "rehearsal",
        "rehearsal tests",
        # What shares a rehearsal stays in one process: see tests/conftest.py.
        (
            *(sys.executable, "-m", "pytest", "-m", "rehearsal", *REHEARSAL_FOLDERS, "--durations", "12"),
            *("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"),
        ),
    )


def app_steps() -> tuple[Step, ...]:
    """List the sample app's own tests; a fork may have none."""
    return (Step("app", "the sample app's own tests", (str(APP_TESTS),)),) if APP_TESTS.is_file() else ()


class Runner:
    """Runs checks, each in a session of its own: what interrupts us reaches a check once, from here.

    Args:
        tell: called when a check starts, and with its result when it ends.
    """

    def __init__(self, tell: Callable[[Step, Result | None], None]) -> None:
        self._tell = tell
        self._processes: set[subprocess.Popen[str]] = set()
        self._lock = Lock()

    def run(self, steps: Sequence[Step], *, at_once: int) -> tuple[Result, ...]:
        """Run checks side by side, with their output kept; all of them, even if one fails.

        Args:
            steps: the checks, in the order in which they are started.
            at_once: how many run at a time.
        """
        pool = ThreadPoolExecutor(max_workers=at_once)
        futures = {pool.submit(self._run, step, kept=True): step for step in steps}
        try:
            results = {}
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                self._tell(futures[future], future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self._interrupt()
            raise
        pool.shutdown()
        return tuple(results[step] for step in steps)

    def run_shown(self, step: Step, *, beside: Sequence[Step] = ()) -> tuple[Result, ...]:
        """Run one check with its output shown as it comes, and others beside it with theirs kept.

        What came of the others is told after it: nothing is written into what is shown.

        Args:
            step: the check.
            beside: the others.
        """
        pool = ThreadPoolExecutor(max_workers=max(1, len(beside)))
        others = [pool.submit(self._run, each, kept=True) for each in beside]
        try:
            results = [self._run(step, kept=False)]
            self._tell(step, results[0])
            for each in others:
                results.append(each.result())
                self._tell(results[-1].step, results[-1])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self._interrupt()
            raise
        pool.shutdown()
        return tuple(results)

    def _run(self, step: Step, *, kept: bool) -> Result:
        self._tell(step, None)
        started = time.monotonic()
        process = subprocess.Popen(
            step.command,
            cwd=ROOT,
            env=environment(extra={"PYTHONUNBUFFERED": "1"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if kept else None,
            stderr=subprocess.STDOUT if kept else None,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with self._lock:
            self._processes.add(process)
        output, _ = process.communicate()
        with self._lock:
            self._processes.discard(process)
        return Result(step, process.returncode, time.monotonic() - started, output or "")

    def _interrupt(self) -> None:
        """End what runs as Ctrl-C would, so that a rehearsal takes its organization down; then the hard way."""
        with self._lock:
            left = [process for process in self._processes if process.poll() is None]
        for process in left:
            os.killpg(process.pid, signal.SIGINT)
        deadline = time.monotonic() + TIDY_SECONDS
        try:
            while any(process.poll() is None for process in left) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        finally:  # at once, if the person insists
            for process in left:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
