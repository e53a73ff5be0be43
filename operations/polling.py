"""How often the steps of the pipeline look at what they wait for."""

from collections.abc import Callable
from typing import Any

import click

VARIABLE = "LZ_POLL_SECONDS"
"""On AWS it is not set; a rehearsal's tasks take seconds, and so a rehearsal looks more often."""

_DEFAULT_SECONDS = 5.0
_SHORTEST_SECONDS = 0.1


def poll_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--poll`, as the argument `poll_seconds`.

    Args:
        command: the command's function.
    """
    return click.option(
        "--poll",
        "poll_seconds",
        type=click.FloatRange(min=_SHORTEST_SECONDS),
        default=_DEFAULT_SECONDS,
        show_default=True,
        envvar=VARIABLE,
        metavar="SECONDS",
        help=f"Time between two looks; {VARIABLE} if left out.",
    )(command)
