"""`lz test`."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from operations.checkoutput import summarize, tell
from operations.checks import LONG, Runner, app_steps, check_steps, cores, rehearsal_step


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def command(*, as_json: bool) -> int:
    """Run every check and every test, the rehearsal's too.

    First the short checks of `lz check`, then the tests that start the local organization, and the sample app's own
    beside them. The long checks (unit tests, types, synthesis) run in the rehearsal tests: one of them rehearses the
    pipeline with its Synth whole, as on AWS. All of them run even if one fails. This is what continuous integration
    runs.
    """
    started = time.monotonic()
    runner = Runner(tell)
    with TemporaryDirectory(prefix="lz-check-") as scratch:
        steps = [step for step in check_steps(Path(scratch)) if step.name not in LONG]
        results = runner.run(steps, at_once=cores())
    # Shown, for they take minutes. The app's tests install for most of their time and need no core of their own.
    shown = runner.run_shown(rehearsal_step(), beside=app_steps())
    return summarize((*results, *shown), seconds=time.monotonic() - started, as_json=as_json)
