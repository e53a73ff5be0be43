"""`lz fmt`."""

import subprocess
import sys

import click

from operations.node import ROOT


@click.command()
def command() -> int:
    """Format the code and fix what can be fixed.

    What is left, a person has to decide: it is listed, and the exit code is 1.
    """
    ruff = (sys.executable, "-m", "ruff")
    # Fixes first: they may leave what has to be formatted.
    problems = subprocess.run([*ruff, "check", "--fix", "."], cwd=ROOT, check=False).returncode
    formatted = subprocess.run([*ruff, "format", "."], cwd=ROOT, check=False).returncode
    return problems or formatted
