"""What a rehearsal says of its phases: done, failed, or stopped because the rehearsal ends."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from rehearsal.processes import CommandError, CommandStopped, Processes
from rehearsal.progress import Progress


def said(act: Callable[[], object], expected: type[BaseException]) -> str:
    """What is said of a phase that ends with an exception."""
    console = Console(file=StringIO())
    with pytest.raises(expected), Progress(console).phase("work"):
        act()
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text.split(maxsplit=1)[0]


def run(processes: Processes, program: str, folder: Path) -> Path:
    return processes.run(
        "work", [sys.executable, "-c", program], environment=dict(os.environ), directory=folder
    )


def test_ctrl_c_stops_a_phase() -> None:
    assert said(lambda: signal.raise_signal(signal.SIGINT), KeyboardInterrupt) == "stopped"


def test_a_command_that_is_ended_with_the_rehearsal_is_stopped_and_did_not_fail(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    started = tmp_path / "started"
    program = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(60)"

    def end_when_it_runs() -> None:
        while not started.exists():
            time.sleep(0.01)
        processes.stop()

    ending = threading.Thread(target=end_when_it_runs)
    ending.start()

    assert said(lambda: run(processes, program, tmp_path), CommandStopped) == "stopped"
    ending.join()
    assert said(lambda: run(processes, "pass", tmp_path), CommandStopped) == "stopped"


def test_a_command_that_fails_is_a_phase_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        run(Processes(tmp_path), "raise SystemExit(3)", tmp_path)

    assert said(fail, CommandError) == "failed"
