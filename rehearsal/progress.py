"""Live progress: a table on a terminal, one line per event elsewhere."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from config.assembly import AssembledStack
from rehearsal.processes import CommandStopped
from rehearsal.stacks import COMPLETE, NOT_STARTED, StackWatch

POLL_SECONDS = 0.7
REFRESHES_PER_SECOND = 8
_OUTCOMES = {"done": "green", "stopped": "yellow", "failed": "red"}


class Progress:
    """Shows which phase runs and how far its stacks are.

    Args:
        console: where to; standard error, so that `--json` keeps standard output to itself.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.phases: dict[str, float] = {}
        self._running: dict[str, float] = {}
        self._stacks: dict[str, str] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._shown: RenderableType | None = None

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show progress while the body runs."""
        if not self._console.is_terminal:
            yield
            return
        with Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        ) as self._live:
            yield
        self._live = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to something else while the body runs."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        try:
            yield
        finally:
            if live is not None:
                live.start()
                self._live = live

    def show(self, renderable: RenderableType | None) -> None:
        """Show something below the running phases, on a terminal.

        Args:
            renderable: what; nothing any more if None.
        """
        with self._lock:
            self._shown = renderable

    def log(self, text: str) -> None:
        """Write a line about a part of a phase, where there is no terminal."""
        if not self._console.is_terminal:
            self._console.print(f"        {text}", soft_wrap=True, markup=False)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time one phase.

        Args:
            name: what happens, as the user would say it.
        """
        started = time.monotonic()
        with self._lock:
            self._running[name] = started
        try:
            yield
        except (KeyboardInterrupt, CommandStopped):
            self._finish(name, started, "stopped")
            raise
        except BaseException:
            self._finish(name, started, "failed")
            raise
        self._finish(name, started, "done")

    def _finish(self, name: str, started: float, outcome: str) -> None:
        seconds = time.monotonic() - started
        with self._lock:
            self._running.pop(name, None)
            self.phases[name] = seconds
        text = Text.assemble((f"{outcome:>7}", _OUTCOMES[outcome]), f" {seconds:5.1f} s  {name}")
        self._console.print(text)

    @contextmanager
    def stacks(self, watch: StackWatch, stacks: Sequence[AssembledStack]) -> Iterator[None]:
        """Follow stacks while the body deploys them.

        Args:
            watch: asks for their status.
            stacks: the stacks.
        """
        with self._lock:
            self._stacks = {stack.name: NOT_STARTED for stack in stacks}
        done = threading.Event()
        thread = threading.Thread(target=self._poll, args=(watch, stacks, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            with self._lock:
                self._stacks = {}

    def _poll(self, watch: StackWatch, stacks: Sequence[AssembledStack], done: threading.Event) -> None:
        finished = False
        while not finished:
            finished = done.wait(POLL_SECONDS)  # once more at the end, so that the last stacks are told too
            statuses = watch.statuses(stacks)
            with self._lock:
                before, self._stacks = self._stacks, dict(statuses)
            if not self._console.is_terminal:
                self._log_changes(before, statuses)

    def _log_changes(self, before: Mapping[str, str], now: Mapping[str, str]) -> None:
        for name, status in now.items():
            if status != before.get(name) and status in COMPLETE:
                self._console.print(f"        {status}  {name}")

    def _render(self) -> Group:
        with self._lock:
            running, stacks, shown = dict(self._running), dict(self._stacks), self._shown
        now = time.monotonic()
        lines: list[RenderableType] = [
            Spinner("dots", Text(f"{now - started:5.1f} s  {name}")) for name, started in running.items()
        ]
        if stacks:
            table = Table(box=None, pad_edge=False, show_header=False)
            for name, status in stacks.items():
                style = "green" if status in COMPLETE else "dim" if status == NOT_STARTED else "yellow"
                table.add_row(" ", Text(name, style=style), Text(_short(status), style=style))
            lines.append(table)
        if shown is not None:
            lines.append(shown)
        return Group(*lines)


def _short(status: str) -> str:
    return "waiting" if status == NOT_STARTED else status.lower().replace("_", " ")
