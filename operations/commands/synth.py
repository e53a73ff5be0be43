"""`lz synth`."""

import time
from pathlib import Path

import click

from config import load
from operations.configuration import config_option
from operations.gate import Verdict, collect_reports, synthesize
from operations.node import ROOT
from operations.output import heading, progress, say, table
from operations.synthesis import app_command


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "cdk.out",
    help="Folder for the assembly; cdk.out if left out.",
)
@click.option(
    "--images",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder with the workloads' image.json; images if left out.",
)
@config_option
def command(*, output: Path, images: Path | None, config: Path | None) -> int:
    """Synthesize with every gate, and collect the compliance reports.

    No credentials are used. It fails on a finding that has neither a fix nor a waiver, on a stack without a
    compliance report, on a template that CloudFormation would refuse, wherever AWS would have been asked, and on
    what is larger than AWS allows.
    """
    load(config)  # a wrong configuration is told at once, and as such
    started = time.monotonic()
    progress("synthesizing with every gate")
    verdict = synthesize(app_command(config=config, images=images), output)
    reports = ROOT / "reports" / "nag"
    count = collect_reports(output, reports) if verdict.stacks else 0
    _show(verdict)
    if verdict.passed:
        say(
            f"{verdict.stacks} stacks with {verdict.resources} resources in {output}; "
            f"{verdict.judged} judgements, no open finding ({time.monotonic() - started:.1f} s)"
        )
    if count:
        say(f"compliance reports: {count} files in {reports}")
    return 0 if verdict.passed else 1


def _show(verdict: Verdict) -> None:
    if verdict.exit_code != 0:
        say(verdict.output.rstrip())
    if verdict.findings:
        heading(f"Findings without a fix or a waiver: {len(verdict.findings)}")
        table(
            ("rule", "resource", "judged"),
            [(row.rule, row.resource, row.compliance) for row in verdict.findings],
        )
    if verdict.gaps:
        heading(f"Gaps: {len(verdict.gaps)}")
        table(("stack", "problem"), [(gap.stack, gap.problem) for gap in verdict.gaps])
    if verdict.over:
        heading(f"Larger than AWS allows: {len(verdict.over)}")
        for usage in verdict.over:
            say(str(usage))
    for usage in verdict.near:
        say(f"warning: {usage.share:.0%} of a limit. {usage}")
