"""`lz compliance`."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from compliance.changes import ComplianceChange, Judgement, compare
from compliance.judge import open_rows
from compliance.report import write_reports
from compliance.report.digest import to_decide, totals, verdict
from compliance.results import RESULT, ComplianceResult
from config import load
from operations.baseline import from_file, from_revision
from operations.configuration import config_option
from operations.errors import CommandError
from operations.gate import synthesize
from operations.node import ROOT
from operations.output import progress, say, table, write_json
from operations.stopping import show_stopping
from operations.synthesis import app_command

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MOST_SHOWN = 20
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--since", metavar="REVISION", help="Show what differs from this commit, tag or branch.")
@click.option("--baseline", type=FILE, help="Show what differs from this earlier compliance.json.")
@click.option("--result", type=FILE, help="Report on this compliance.json; nothing is synthesized.")
@click.option(
    "--output",
    type=FOLDER,
    default=ROOT / RESULT.parent,
    help=f"Folder for the reports; {RESULT.parent} if left out.",
)
@click.option("--images", type=FOLDER, help="Folder with the workloads' image.json; images if left out.")
@click.option("--json", "as_json", is_flag=True, help="Write the result, or what differs, as JSON.")
@config_option
def command(
    *,
    since: str | None,
    baseline: Path | None,
    result: Path | None,
    output: Path,
    images: Path | None,
    as_json: bool,
    config: Path | None,
) -> int:
    """Build the reports that a security review reads.

    One page that works offline, with every rule on every resource, the waivers, the coverage, who may assume what and
    what is public; and the same as JSON, CSV, SARIF and as a summary for pull requests. With --since or --baseline
    the page and the summary start with what is new, gone or changed, and --json writes that alone.

    The exit code is 1 if something stops a release.
    """
    if since is not None and baseline is not None:
        message = "--since and --baseline both name what to compare with"
        raise CommandError(message, fix="give one of the two")
    started = time.monotonic()
    earlier = _earlier(since=since, baseline=baseline)  # first: what is wrong with it is told at once
    current = from_file(result) if result is not None else _synthesized(config, images)
    change = None if earlier is None else compare(earlier[1], current, name=earlier[0])
    files = write_reports(current, output, change=change)
    if as_json:
        write_json((change or current).model_dump(mode="json", exclude_defaults=True))
    else:
        _show(current, change)
        say(f"{files[0]} and {len(files) - 1} more files ({time.monotonic() - started:.1f} s)")
    return 0 if current.passed else 1


def _synthesized(config: Path | None, images: Path | None) -> ComplianceResult:
    """Synthesize with every gate, aside, and return what was found.

    Raises:
        CommandError: there is no assembly to report on.
        WaiverError: the ledger cannot be read.
    """
    configuration = load(config)
    progress("synthesizing with every gate")
    with TemporaryDirectory(prefix="lz-compliance-") as folder:
        app, assembly = app_command(config=config, images=images), Path(folder) / "cdk.out"
        found = synthesize(app, assembly, configuration=configuration)
    if found.result is None:
        message = f"the app could not be synthesized:\n{found.output.rstrip()}"
        raise CommandError(message, exit_code=1)
    return found.result


def _earlier(*, since: str | None, baseline: Path | None) -> tuple[str, ComplianceResult] | None:
    """Return what to compare with, and how it is called."""
    if baseline is not None:
        return baseline.name, from_file(baseline)
    if since is not None:
        commit, earlier = from_revision(since, say=progress)
        return f"revision {commit}", earlier
    return None


def _show(result: ComplianceResult, change: ComplianceChange | None) -> None:
    counted = ", ".join(f"{count} {status.value}" for status, count in totals(result).items() if count)
    say(f"{len(result.rows)} judgements on {len(result.stacks)} stacks: {counted}")
    if change is not None and change.empty:
        say(f"no change since {change.baseline}")
    elif change is not None:
        parts = [
            f"{part} {', '.join(f'{count} {kind.value}' for kind, count in counts.items())}"
            for part, counts in change.counts().items()
        ]
        say(f"since {change.baseline}: {'; '.join(parts)}; {len(change.weaker)} to decide")
        _show_decisions([one.after for one in to_decide(change) if one.after is not None])
    show_stopping(open_rows(result), result.problems, result.warnings)
    say(verdict(result))


def _show_decisions(found: list[Judgement]) -> None:
    if found:
        table(
            ("rule", "resource", "now", "accepted because"),
            [
                (one.rule, one.resource, one.status.value, one.waiver.because if one.waiver else "")
                for one in found[:MOST_SHOWN]
            ],
        )
    if len(found) > MOST_SHOWN:
        say(f"and {len(found) - MOST_SHOWN} more, on the page")
