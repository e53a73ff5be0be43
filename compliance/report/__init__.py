"""The reports that people, code hosts and spreadsheets read, all made from one result."""

import hashlib
from pathlib import Path

from compliance.changes import ComplianceChange
from compliance.garbage import collector_resting
from compliance.report.csv_tables import write_tables
from compliance.report.markdown import summary
from compliance.report.page import render
from compliance.report.sarif import sarif_log
from compliance.results import RESULT, ComplianceResult, write_result

PAGE = "compliance.html"
SUMMARY = "compliance.md"
SARIF = "compliance.sarif"
CHANGE = "compliance-change.json"

__all__ = ["CHANGE", "PAGE", "SARIF", "SUMMARY", "write_reports"]


@collector_resting()
def write_reports(
    result: ComplianceResult, directory: Path, *, change: ComplianceChange | None = None
) -> tuple[Path, ...]:
    """Write every report of a result: page, JSON, CSV, SARIF and the summary for a pull request.

    Files of an earlier report are replaced; a comparison that is no longer asked for is removed.

    Args:
        result: what the gate found.
        directory: folder for the files; made if needed.
        change: what differs from a baseline; the page and the summary then start with it.

    Returns:
        The files, the page first.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / RESULT.name
    write_result(result, data)
    fingerprint = hashlib.sha256(data.read_bytes()).hexdigest()
    files = [directory / PAGE, data, directory / SARIF, directory / SUMMARY]
    _write(files[0], render(result, change=change, fingerprint=fingerprint))
    _write(files[2], sarif_log(result, change=change))
    _write(files[3], summary(result, change=change, fingerprint=fingerprint))
    files += write_tables(result, directory)
    changed = directory / CHANGE
    if change is None:
        changed.unlink(missing_ok=True)
    else:
        _write(changed, change.model_dump_json(exclude_defaults=True) + "\n")
        files.append(changed)
    return tuple(files)


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
