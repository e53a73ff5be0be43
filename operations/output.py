"""How commands write: the same in a wide terminal, a narrow one and a pipe.

Much of it quotes others: applications, AWS, tools. Nothing of that may control the terminal.
"""

import json
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from operations.printable import printable

WIDTH_WITHOUT_TERMINAL = 200
"""Columns in a pipe or a build log: wide enough that no row is folded."""

WIDEST_PROSE = 100

Row = Sequence[str]


def console(*, error: bool = False) -> Console:
    """Return a console that neither colours what it is not told to, nor folds what is to be copied.

    Args:
        error: write to standard error, where progress belongs.
    """
    stream = sys.stderr if error else sys.stdout
    return Console(
        file=stream, width=width_of(stream), highlight=False, soft_wrap=True, markup=False, emoji=False
    )


def width_of(stream: TextIO) -> int | None:
    """Return how wide lines may be in columns; None where the terminal or COLUMNS says it."""
    return None if stream.isatty() or "COLUMNS" in os.environ else WIDTH_WITHOUT_TERMINAL


def heading(text: str) -> None:
    """Write a title above what follows."""
    console().print(Text(f"\n{printable(text)}", style="bold"))


def say(text: str, *, style: str = "") -> None:
    """Write a line of a command's result."""
    console().print(Text(printable(text), style=style))


def paragraph(text: str) -> None:
    """Write prose, folded between words."""
    out = console()
    width = min(out.width, WIDEST_PROSE)
    say(textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False))


def progress(text: str, *, style: str = "") -> None:
    """Write a line about what goes on; to standard error, so that a result in a pipe stays clean."""
    console(error=True).print(Text(printable(text), style=style))


def table(columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write a table, or one block per row where the terminal is too narrow for it.

    Args:
        columns: headings.
        rows: as many cells as headings.
    """
    out = console()
    rows = [tuple(printable(cell) for cell in row) for row in rows]
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        drawn.add_column(column, no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    if drawn.__rich_measure__(out, out.options.update(width=10_000)).maximum <= out.width:
        out.print(drawn)
        return
    widest = max(len(column) for column in columns)
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            out.print(Text(f"{column.ljust(widest)}  {cell}"))
        out.print()


def write_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """Write a result for a program."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
