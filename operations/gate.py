"""Synthesizes with every gate, as the pipeline does, and judges the result."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.node import use_bundled_node
from operations.errors import CommandError
from operations.limits import Usage, usages
from operations.node import ROOT, cdk_command, environment

use_bundled_node()  # before the compliance package: it imports the CDK, which starts Node at once

from compliance.nag import PACKS  # noqa: E402
from compliance.reports import (  # noqa: E402
    Gap,
    Report,
    Row,
    coverage_gaps,
    findings,
    guesses,
    read_reports,
    stacks,
)


@dataclass(frozen=True)
class Verdict:
    """What came out of a synthesis.

    Args:
        exit_code: of the CDK CLI.
        output: what the CLI and the app wrote.
        stacks: number of stacks.
        resources: number of resources in them.
        judged: number of rows in the compliance reports.
        findings: rows that are neither compliant nor waived.
        gaps: what the reports leave dark, and where synthesis guessed.
        limits: how much of AWS's limits it uses, in every place.
    """

    exit_code: int
    output: str
    stacks: int = 0
    resources: int = 0
    judged: int = 0
    findings: tuple[Row, ...] = ()
    gaps: tuple[Gap, ...] = ()
    limits: tuple[Usage, ...] = ()

    @property
    def over(self) -> tuple[Usage, ...]:
        """What AWS would refuse for its size."""
        return tuple(usage for usage in self.limits if usage.is_over)

    @property
    def near(self) -> tuple[Usage, ...]:
        """What AWS will soon refuse for its size."""
        return tuple(usage for usage in self.limits if usage.is_near)

    @property
    def passed(self) -> bool:
        """Whether the assembly may be released."""
        return self.exit_code == 0 and not self.findings and not self.gaps and not self.over


def synthesize(app: Sequence[str], assembly: Path) -> Verdict:
    """Run the CDK CLI on the app, the library's template validator included, without credentials.

    Every stack is selected by name: the CLI judges only those, and without it nested stages pass unseen.

    Args:
        app: command line of the app.
        assembly: folder for the assembly; one that is there already is replaced.

    Raises:
        CommandError: the folder holds something else than an assembly.
    """
    _clear(assembly)
    command = [*cdk_command(), "synth", "**", "--app", shlex.join(app), "--output", str(assembly.resolve())]
    done = subprocess.run(
        [*command, "--quiet", "--no-lookups"],
        cwd=ROOT,
        env=environment(credentials=False),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if not (assembly / "manifest.json").is_file():
        return Verdict(exit_code=done.returncode or 1, output=done.stdout)
    return judge(assembly, exit_code=done.returncode, output=done.stdout)


def judge(assembly: Path, *, exit_code: int = 0, output: str = "") -> Verdict:
    """Judge an assembly by its reports, its manifests and its templates.

    Args:
        assembly: the assembly.
        exit_code: of the CLI that made it.
        output: what it wrote.
    """
    found, reports = stacks(assembly), read_reports(assembly)
    return Verdict(
        exit_code=exit_code,
        output=output,
        stacks=len(found),
        resources=sum(len(stack.resources) for stack in found),
        judged=sum(len(report.rows) for report in reports),
        findings=findings(reports),
        gaps=coverage_gaps(found, reports, PACKS) + guesses(found),
        limits=usages(found),
    )


def collect_reports(assembly: Path, directory: Path) -> int:
    """Write the compliance reports of an assembly into a folder of their own, as CSV and as JSON; it is emptied first.

    Args:
        assembly: the assembly.
        directory: the folder.

    Returns:
        The number of files.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    reports = read_reports(assembly)
    for report in reports:
        shutil.copy2(report.file, directory)
        file = directory / f"{report.name}.json"
        file.write_text(json.dumps({"lines": _lines(report)}, indent=1) + "\n", encoding="utf-8")
    return 2 * len(reports)


def _lines(report: Report) -> list[dict[str, str]]:
    """Return a report in the shape of cdk-nag's own JSON reports."""
    return [
        {
            "ruleId": row.rule,
            "resourceId": row.resource,
            "compliance": row.compliance,
            "exceptionReason": row.reason,
            "ruleLevel": row.level,
            "ruleInfo": row.info,
        }
        for row in report.rows
    ]


def _clear(assembly: Path) -> None:
    """Remove an old assembly: reports of stacks that are gone would pass for new ones."""
    if not assembly.exists():
        return
    if not assembly.is_dir() or (any(assembly.iterdir()) and not (assembly / "cdk.out").is_file()):
        message = f"{assembly} is there and is no cloud assembly; it is not touched"
        raise CommandError(message, fix="name another folder: --output cdk.out")
    shutil.rmtree(assembly)
