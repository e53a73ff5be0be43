"""`lz validate`."""

from pathlib import Path

import click

from config import load
from operations.configuration import config_option
from operations.output import say


@click.command()
@config_option
def command(*, config: Path | None) -> None:
    """Check the configuration.

    Every mistake is listed at once, with the key, the value, what is allowed and the fix; the exit code is 2.
    """
    configuration = load(config, check_files=True)
    say(
        f"The configuration is fine: {_count(len(configuration.account_ids()), 'account')}, "
        f"{_count(len(configuration.workloads), 'workload')}, "
        f"{_count(len(configuration.stages()), 'environment')}."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
