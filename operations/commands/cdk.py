"""`lz cdk`."""

import os
import sys

import click

from operations.node import ROOT, cdk_command, environment


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--lz-help"]})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(*, arguments: tuple[str, ...]) -> None:
    """Run the pinned CDK CLI.

    Everything after the command is the CLI's own, as in `./lz cdk -- deploy Registry Pipeline`.
    """
    started = [*cdk_command(), *arguments]
    sys.stdout.flush()
    os.chdir(ROOT)
    # In place of this process: the terminal, the signals and the exit code are the CLI's.
    os.execve(started[0], started, environment())  # noqa: S606 -- the bundled Node, by its full path
