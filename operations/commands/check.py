"""`lz check`."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from config.problems import did_you_mean
from operations.checkoutput import summarize, tell
from operations.checks import LEAVE_OUT, Runner, Step, check_steps, cores
from operations.errors import CommandError
from operations.output import progress


@click.command()
@click.option("--only", multiple=True, metavar="CHECK", help="Run this check alone; may be repeated.")
@click.option("--without", multiple=True, metavar="CHECK", help="Leave this check out; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def command(*, only: tuple[str, ...], without: tuple[str, ...], as_json: bool) -> int:
    """Run every check that needs no organization.

    Lint, format, types, the configuration's schema and manual, unit and template tests, and a full synthesis with
    cdk-nag. All of them run even if one fails. The pipeline runs them without the synthesis, which is its next command.

    The variable LZ_CHECK_LEAVE_OUT names checks to leave out, with commas between them: a rehearsal of the pipeline
    sets it to tests and types. On AWS it is never set.
    """
    started = time.monotonic()
    with TemporaryDirectory(prefix="lz-check-") as scratch:
        asked = choose(check_steps(Path(scratch)), only)
        steps = leave_out(leave_out(asked, without, by="--without"), _named_by_variable(), by=LEAVE_OUT)
        results = Runner(tell).run(steps, at_once=cores())
    missing = [step.name for step in asked if step not in steps]
    return summarize(results, seconds=time.monotonic() - started, as_json=as_json, left_out=missing)


def choose(steps: tuple[Step, ...], names: tuple[str, ...]) -> tuple[Step, ...]:
    """Pick checks by name; all of them if no name is given.

    Raises:
        CommandError: no check has one of the names.
    """
    _demand_known(steps, names)
    return tuple(step for step in steps if not names or step.name in names)


def leave_out(steps: tuple[Step, ...], unwanted: Sequence[str], *, by: str) -> tuple[Step, ...]:
    """Leave checks out, and say so.

    Args:
        steps: the checks.
        unwanted: names of checks; none if there are none.
        by: what says so: an option or a variable.

    Raises:
        CommandError: no check has one of the names, or none is left.
    """
    _demand_known(check_steps(Path()), unwanted)
    left = tuple(step for step in steps if step.name not in unwanted)
    for step in steps:
        if step not in left:
            progress(f"  LEFT OUT {step.name}: {step.title} (by {by})", style="yellow")
    if not left:
        message = f"{by} leaves out every check that was asked for"
        raise CommandError(message, fix="leave it away" if by.startswith("-") else "unset it")
    return left


def _named_by_variable() -> tuple[str, ...]:
    return tuple(name.strip() for name in os.environ.get(LEAVE_OUT, "").split(",") if name.strip())


def _demand_known(steps: tuple[Step, ...], names: Sequence[str]) -> None:
    known = [step.name for step in steps]
    for name in names:
        if name not in known:
            message = f'no check is called "{name}"'
            raise CommandError(
                message, fix=did_you_mean(name, known, otherwise=f"one of: {', '.join(known)}")
            )
