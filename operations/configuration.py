"""The configuration that a command works on, and what a person types to work on the same again."""

import shlex
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


def environment_option(function: Decorated) -> Decorated:
    """Give a command the option `--env` or `--environment`, as the argument `environment`."""
    return click.option(
        "--env", "--environment", "environment", required=True, metavar="NAME", help="Such as production."
    )(function)


def typed(text: str, *, rehearsal: bool, profile: str | None, config: Path | None) -> str:
    """Return a command as a person types it, to work with what an earlier command was given.

    Args:
        text: the command, without `./lz`.
        rehearsal: whether it is about the rehearsal that is up.
        profile: AWS profile, if one was named.
        config: configuration, if one was named.
    """
    options = [
        *(["--rehearsal"] if rehearsal else []),
        *(["--profile", profile] if profile else []),
        *(["--config", str(config)] if config else []),
    ]
    return " ".join(["./lz", text, *map(shlex.quote, options)])
