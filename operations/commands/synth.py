"""`lz synth`."""

import time
from collections import Counter
from pathlib import Path

import click

from compliance.report import PAGE, write_reports
from compliance.results import RESULT, ComplianceResult, Status
from compliance.waivers import WaiverError
from config import load
from operations.configuration import config_option
from operations.errors import CommandError
from operations.gate import Verdict, collect_reports, synthesize
from operations.node import ROOT
from operations.output import heading, progress, say
from operations.stopping import show_stopping
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

    No credentials are used. It fails on a finding that has neither a fix nor a waiver, on a stack or resource that no
    rule looked at, on a waiver that expired or covers nothing, on a template that CloudFormation would refuse,
    wherever AWS would have been asked, and on what is larger than AWS allows.
    """
    configuration = load(config)  # a wrong configuration is told at once, and as such
    started = time.monotonic()
    progress("synthesizing with every gate")
    try:
        verdict = synthesize(app_command(config=config, images=images), output, configuration=configuration)
    except WaiverError as error:
        raise CommandError(str(error)) from error
    _show(verdict)
    result = verdict.result
    if result is not None:
        count = collect_reports(output, ROOT / "reports" / "nag")
        write_reports(result, ROOT / RESULT.parent)
        say(_summary(result))
        say(f"{RESULT.with_name(PAGE)}; cdk-nag's own reports: {count} files in reports/nag")
        if verdict.passed:
            say(f"{output} may be released ({time.monotonic() - started:.1f} s)")
    return 0 if verdict.passed else 1


def _summary(result: ComplianceResult) -> str:
    statuses = Counter(row.status for row in result.rows)
    counted = ", ".join(f"{statuses[status]} {status.value}" for status in Status if statuses[status])
    resources = sum(stack.resources for stack in result.stacks)
    return (
        f"{len(result.stacks)} stacks with {resources} resources; {len(result.packs)} packs of rules: "
        f"{len(result.rows)} judgements ({counted})"
    )


def _show(verdict: Verdict) -> None:
    if verdict.exit_code != 0:
        say(verdict.output.rstrip())
    show_stopping(verdict.findings, verdict.problems, verdict.warnings)
    if verdict.over:
        heading(f"Larger than AWS allows: {len(verdict.over)}")
        for usage in verdict.over:
            say(str(usage))
    for usage in verdict.near:
        say(f"warning: {usage.share:.0%} of a limit. {usage}")
