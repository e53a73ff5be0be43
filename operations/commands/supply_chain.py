"""`lz supply-chain`."""

import json
import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from compliance.allowances import read_allowances
from config import load
from config.images import read_images
from operations.configuration import config_option
from operations.node import ROOT
from operations.output import heading, progress, say, table, write_json
from operations.supply import UNAUDITED
from operations.supply.audit import Audit, audit_node, audit_python
from operations.supply.components import Inventory, platform_inventories
from operations.supply.judging import Outcome, as_json, judge
from operations.supply.licenses import read_policy
from operations.supply.sbom import SUFFIX, bill, release_bill, write_bill
from operations.supply.workloads import workload_inventories

REPORT = "supply-chain.json"


@click.command()
@click.option("--require-audit", is_flag=True, help="What could not be audited fails, as in the pipeline.")
@click.option(
    "--images",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "images",
    help="Folder with <workload>/sbom.cdx.json; images if left out. Lock files stand in for what is missing.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "reports" / "supply-chain",
    help="Folder for the bills and the report; reports/supply-chain if left out.",
)
@click.option("--json", "as_text", is_flag=True, help="Write the report as JSON.")
@config_option
def command(*, require_audit: bool, images: Path, output: Path, as_text: bool, config: Path | None) -> int:
    """Audit dependencies and licenses, and write bills of materials.

    They are those of what is built with and of what is shipped. Known vulnerabilities come from PyPI and the npm
    registry; without them it says so, and goes on unless --require-audit is given. Licenses are held against
    compliance/licenses.toml. Accepted vulnerabilities and licenses stand in compliance/waivers.toml, as
    [[allowance]]. The bills are CycloneDX: one of this project, one per workload, and one of the release that holds
    them all.

    The variable LZ_UNAUDITED, set to "reported", takes --require-audit back: a rehearsal of the pipeline sets it.
    """
    configuration = load(config)
    policy = read_policy()
    platform = platform_inventories(ROOT, policy)
    workloads, unread = workload_inventories(
        configuration, images=images, root=ROOT, policy=policy, say=progress
    )
    inventories = [*platform, *workloads]
    reported = os.environ.get(UNAUDITED) == "reported"
    audits = [*(_not_asked() if reported else _asked(inventories)), unread]
    today = datetime.now(UTC).date()
    outcome = judge(inventories, audits, policy=policy, allowances=read_allowances(), today=today)
    version = _revision()
    digests = {name: image.digest for name, image in read_images(images, configuration).items()}
    files = [write_bill(bill("platform", version, platform), output / f"platform{SUFFIX}")]
    for one in workloads:
        text = bill(one.name, digests.get(one.name, version), [one], container=one.name in digests)
        files.append(write_bill(text, output / f"{one.name}{SUFFIX}"))
    text = release_bill(configuration.organization.name, version, inventories, digests)
    files.append(write_bill(text, output / f"release{SUFFIX}"))
    required = require_audit and not reported
    report = {
        **as_json(outcome),
        "audit_required": required,
        "passed": outcome.passed(audit_required=required),
    }
    (output / REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if as_text:
        write_json(report)
    else:
        _show(outcome, required=required)
        say(f"bills of materials: {', '.join(file.name for file in files)} in {output}")
    return 0 if outcome.passed(audit_required=required) else 1


def _asked(inventories: Sequence[Inventory]) -> Sequence[Audit]:
    progress("asking pip-audit and npm audit")
    return audit_python(part for one in inventories for part in one.components), audit_node()


def _not_asked() -> Sequence[Audit]:
    reason = (f"not asked, as {UNAUDITED} says: a rehearsal reaches no vulnerability service",)
    return Audit("pip-audit", unaudited=reason), Audit("npm audit", unaudited=reason)


def _show(outcome: Outcome, *, required: bool) -> None:
    heading("Supply chain")
    table(
        ("what", "components", "source", "not in it"),
        [(one.title, str(len(one.components)), one.source, one.note) for one in outcome.inventories],
    )
    if outcome.findings:
        heading(f"Findings: {len(outcome.open)} open, {len(outcome.findings) - len(outcome.open)} accepted")
        table(
            ("kind", "id", "package", "in", "about", "accepted because, or fix"),
            [
                (
                    one.kind,
                    one.id,
                    one.package,
                    ", ".join(one.where),
                    one.about,
                    one.allowance or f"OPEN: {one.fix}",
                )
                for one in outcome.findings
            ],
        )
    for title, lines in (
        (f"NOT AUDITED{', and that is a failure here' if required else ''}", outcome.unaudited),
        ("Problems of the ledger", outcome.problems),
        ("Warnings", outcome.warnings),
    ):
        if lines:
            heading(title)
            for line in lines:
                say(line)
    say("")
    say(_verdict(outcome, required=required))


def _verdict(outcome: Outcome, *, required: bool) -> str:
    if not outcome.passed(audit_required=required):
        return "supply chain: refused"
    if outcome.unaudited:
        return "supply chain: nothing is open in what could be looked at; the pipeline asks for all of it"
    return "supply chain: nothing is open"


def _revision() -> str:
    """Return the commit of this project, `unknown` outside a repository."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
