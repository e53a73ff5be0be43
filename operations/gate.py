"""Synthesizes with every gate, as the pipeline does, and judges the result."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from compliance.allowances import read_allowances
from compliance.judge import judge as judge_compliance
from compliance.judge import open_rows
from compliance.reports import Report, read_reports
from compliance.results import ComplianceResult, Problem, Row
from compliance.waivers import Waiver, read_waivers
from config.assembly import read_assembly
from config.models import Configuration
from operations.errors import CommandError
from operations.limits import Usage, usages
from operations.node import ROOT, cdk_command, environment


@dataclass(frozen=True)
class Verdict:
    """What came out of a synthesis.

    Args:
        exit_code: of the CDK CLI.
        output: what the CLI and the app wrote.
        result: what every rule said; None without an assembly.
        limits: how much of AWS's limits it uses, in every place.
    """

    exit_code: int
    output: str
    result: ComplianceResult | None = None
    limits: tuple[Usage, ...] = ()

    @property
    def findings(self) -> tuple[Row, ...]:
        """What has neither a fix nor a waiver, and what no rule could judge."""
        return open_rows(self.result) if self.result is not None else ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the proof: coverage, the ledger, guesses of the synthesis."""
        return self.result.problems if self.result is not None else ()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What will soon be wrong with it."""
        return self.result.warnings if self.result is not None else ()

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
        return self.exit_code == 0 and self.result is not None and self.result.passed and not self.over


def synthesize(app: Sequence[str], assembly: Path, *, configuration: Configuration) -> Verdict:
    """Run the CDK CLI on the app, the library's template validator included, without credentials.

    Every stack is selected by name: the CLI judges only those, and without it nested stages pass unseen.

    Args:
        app: command line of the app.
        assembly: folder for the assembly; one that is there already is replaced.
        configuration: what the app synthesizes.

    Raises:
        CommandError: the folder holds something else than an assembly.
        WaiverError: the ledger cannot be read.
    """
    read_waivers()  # or the app would say it, amid what the CLI says
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
    return judge(assembly, configuration=configuration, exit_code=done.returncode, output=done.stdout)


def judge(
    assembly: Path,
    *,
    configuration: Configuration,
    exit_code: int = 0,
    output: str = "",
    waivers: Sequence[Waiver] | None = None,
    today: date | None = None,
) -> Verdict:
    """Judge an assembly by its reports, its manifests and its templates.

    Args:
        assembly: the assembly.
        configuration: what it was made from.
        exit_code: of the CLI that made it.
        output: what it wrote.
        waivers: the ledger; the committed one if left out.
        today: the day on which the ledger must hold; the real one, in UTC, if left out.

    Raises:
        WaiverError: the ledger cannot be read.
    """
    result = judge_compliance(
        assembly,
        configuration=configuration,
        waivers=read_waivers() if waivers is None else waivers,
        allowances=read_allowances(),
        today=today or datetime.now(tz=UTC).date(),
    )
    return Verdict(exit_code=exit_code, output=output, result=result, limits=usages(read_assembly(assembly)))


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
    for report in reports.values():
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
