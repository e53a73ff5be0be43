"""`lz check`."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from config.problems import did_you_mean
from operations.checkoutput import summarize, tell
from operations.checks import Runner, Step, check_steps, cores
from operations.errors import CommandError


@click.command()
@click.option("--only", multiple=True, metavar="CHECK", help="Run this check alone; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def command(*, only: tuple[str, ...], as_json: bool) -> int:
    """Run every check that needs no organization.

    Lint, format, types, the configuration's schema and manual, unit and template tests, and a full synthesis with
    cdk-nag. All of them run even if one fails. This is what the pipeline runs before it synthesizes.
    """
    started = time.monotonic()
    with TemporaryDirectory(prefix="lz-check-") as scratch:
        steps = choose(check_steps(Path(scratch)), only)
        results = Runner(tell).run(steps, at_once=cores())
    return summarize(results, seconds=time.monotonic() - started, as_json=as_json)


def choose(steps: tuple[Step, ...], names: tuple[str, ...]) -> tuple[Step, ...]:
    """Pick checks by name; all of them if no name is given.

    Raises:
        CommandError: no check has one of the names.
    """
    known = [step.name for step in steps]
    for name in names:
        if name not in known:
            message = f'no check is called "{name}"'
            raise CommandError(
                message, fix=did_you_mean(name, known, otherwise=f"one of: {', '.join(known)}")
            )
    return tuple(step for step in steps if not names or step.name in names)
