"""The configuration that a command works on."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def config_option(function: Decorated) -> Decorated:
    """Give a command the option `--config`: another file than `config/accounts.json`."""
    return click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Read this file in place of config/accounts.json.",
    )(function)
