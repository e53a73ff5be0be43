"""`lz test`."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from operations.checkoutput import summarize, tell
from operations.checks import LONG, Runner, check_steps, cores, rehearsal_steps


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON.")
def command(*, as_json: bool) -> int:
    """Run every check and every test, the rehearsal's too.

    First the short checks of `lz check`, then the tests that start the local organization, then the sample app's
    own. The long checks (unit tests, types, synthesis) run in the rehearsal tests: one of them rehearses the pipeline
    with its Synth whole, as on AWS. All of them run even if one fails. This is what continuous integration runs.
    """
    started = time.monotonic()
    runner = Runner(tell)
    with TemporaryDirectory(prefix="lz-check-") as scratch:
        steps = [step for step in check_steps(Path(scratch)) if step.name not in LONG]
        results = runner.run(steps, at_once=cores())
    # One at a time, for each brings up an organization of its own; shown, for that takes minutes.
    shown = tuple(runner.run_shown(step) for step in rehearsal_steps())
    return summarize((*results, *shown), seconds=time.monotonic() - started, as_json=as_json)
