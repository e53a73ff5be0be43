"""A pipeline drawn: stages as lines, their actions below them."""

import time
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from operations.excerpts import last_lines
from operations.pipeline_view import (
    FAILED,
    IN_PROGRESS,
    NOT_RUN,
    SUCCEEDED,
    ActionView,
    PipelineView,
    StageView,
)

_STYLES = {SUCCEEDED: "green", FAILED: "bold red", IN_PROGRESS: "yellow", NOT_RUN: "dim"}
_WORDS = {NOT_RUN: "waiting", IN_PROGRESS: "in progress"}
_LONGEST_ERROR = 6  # lines
COMMIT_DIGITS = 12


def drawn(view: PipelineView, *, every: bool) -> RenderableType:
    """Draw a pipeline.

    Args:
        view: the pipeline.
        every: the actions of every stage; otherwise of those that are in progress or failed.
    """
    rows = Table(box=None, pad_edge=False, show_header=False)
    rows.add_column(
        justify="right", no_wrap=True, style="dim"
    )  # of its own, so that a folded name stays below itself
    rows.add_column(overflow="fold")
    rows.add_column(no_wrap=True)
    rows.add_column(justify="right", no_wrap=True)
    for stage in view.stages:
        earlier = stage.status != NOT_RUN and stage.execution_id != view.execution_id
        _add_stage(rows, stage, earlier=earlier)
        if every or stage.status in (IN_PROGRESS, FAILED):
            for action in stage.actions:
                _add_action(rows, action)
    return Group(Text(title(view), style="bold"), rows, *_notes(view))


def title(view: PipelineView) -> str:
    """A pipeline in one line."""
    commit = f", commit {view.commit[:COMMIT_DIGITS]}" if view.commit else ""
    status = word(view.status)
    return f"{view.name}, version {view.version}: execution {view.execution_id or '(none)'} {status}{commit}"


def word(status: str) -> str:
    """A status as people say it."""
    return _WORDS.get(status, status.lower())


def error_lines(action: ActionView) -> Sequence[str]:
    """Why an action failed, in few lines: the first, and the last from where something begins."""
    lines = action.error.strip().splitlines()
    return lines[:1] + last_lines(lines[1:], _LONGEST_ERROR - 1)


def _add_stage(rows: Table, stage: StageView, *, earlier: bool) -> None:
    style = _STYLES.get(stage.status, "")
    queued = f", {stage.waiting} execution(s) wait" if stage.waiting else ""
    of = ", an earlier release" if earlier else ""
    rows.add_row(
        "",
        Text(stage.name, style="bold"),
        Text(f"{word(stage.status)}{of}{queued}", style=style),
        _seconds(stage.seconds),
    )


def _add_action(rows: Table, action: ActionView) -> None:
    style = _STYLES.get(action.status, "")
    status = "waits for approval" if action.token else word(action.status)
    rows.add_row(
        str(action.run_order), Text(action.name), Text(status, style=style), _seconds(action.seconds)
    )


def _notes(view: PipelineView) -> Iterator[Text]:
    for stage in view.stages:
        for action in stage.actions:
            if action.status == FAILED:
                yield Text(f"{stage.name}/{action.name} failed", style="bold red")
                yield from (Text(f"  {line}") for line in error_lines(action))
    for stage, action in view.waiting_approvals():
        waited = int(time.time() - action.started.timestamp()) if action.started else 0
        yield Text(f"{stage.name} waits for approval, since {waited} s: {action.summary}", style="yellow")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds else ""
