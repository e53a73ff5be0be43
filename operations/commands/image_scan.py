"""`lz image-scan`."""

import os
from pathlib import Path

import click

from compliance.allowances import read_allowances
from config import load
from config.models import Configuration
from config.naming import Names
from operations.aws import CLIENT, session
from operations.configuration import config_option
from operations.errors import CommandError
from operations.output import heading, progress, say, table
from operations.releases.serving import DIGEST
from operations.supply import UNAUDITED
from operations.supply.image_scans import ImageFinding, ImageScan, ImageScans
from operations.supply.scan import scan


@click.command()
@click.option(
    "--environment",
    "environments",
    required=True,
    multiple=True,
    metavar="NAME",
    help="Such as my-django-app/production; may be repeated.",
)
@click.option(
    "--assembly",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The assembly that will be deployed.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0),
    default=900.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for a scan that runs.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what was found as JSON, for lz packet --scan.",
)
@config_option
def command(
    *,
    environments: tuple[str, ...],
    assembly: Path,
    deadline: float,
    output: Path | None,
    config: Path | None,
) -> int:
    """Ask the registry what its scan found in an environment's images.

    The images are those that the environment is about to run; it comes before the approval. A finding as severe as
    pipeline.image_findings, or worse, blocks it, unless an [[allowance]] of kind "image-finding" in
    compliance/waivers.toml accepts it. An image without a scan blocks it too. Scans that are older than a week are
    made again.

    The registry's basic scan knows packages of the system; lz supply-chain looks at those of Python.
    """
    configuration = load(config)
    severity = configuration.pipeline.image_findings
    if severity == "off":
        say("pipeline.image_findings is off: findings are told, and block nothing")
    ecr = session(configuration.organization.region).client("ecr", config=CLIENT)
    scans = [
        scan(
            ecr,
            repository,
            digest,
            severity=severity,
            allowances=read_allowances(),
            deadline=deadline,
            say=progress,
        )
        for repository, digest in _images(configuration, environments, assembly)
    ]
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        content = ImageScans(severity=severity, scans=tuple(scans)).model_dump_json()
        output.write_text(content, encoding="utf-8")
    for one in scans:
        _show(one)
    unscanned = [one for one in scans if one.unscanned]
    if unscanned and os.environ.get(UNAUDITED) == "reported":
        say(f"{UNAUDITED} is reported: an image without a scan passes here, and would not in AWS")
        unscanned = []
    blocked = bool(unscanned) and severity != "off"
    return 1 if blocked or any(one.blocking for one in scans) else 0


def _images(
    configuration: Configuration, environments: tuple[str, ...], assembly: Path
) -> list[tuple[str, str]]:
    """List what the environments' templates run: repository and digest, each once.

    Raises:
        CommandError: the templates of one name no image.
    """
    found: dict[tuple[str, str], None] = {}
    for name in environments:
        stage = configuration.find_stage(name)
        folder = assembly / f"assembly-{stage.stage_name}"
        digests = {
            digest
            for file in folder.glob("*.template.json")
            for digest in DIGEST.findall(file.read_text(encoding="utf-8"))
        }
        if not digests:
            message = f"no template in {folder} names an image by its digest"
            raise CommandError(message, fix="name the assembly that will be deployed: --assembly cdk.out")
        found.update(
            dict.fromkeys(
                (Names(configuration).repository(stage.workload_name), one) for one in sorted(digests)
            )
        )
    return list(found)


def _show(scan_: ImageScan) -> None:
    heading(f"{scan_.repository}@{scan_.digest}")
    if scan_.unscanned:
        say(f"NOT SCANNED: {scan_.unscanned}")
        return
    age = f" ({scan_.scanned})" if scan_.scanned else ""
    say(f"{scan_.counted}{age}; {len(scan_.blocking)} block the approval")
    if scan_.shown:
        table(
            ("severity", "id", "package", "accepted because, or fix"),
            [(one.severity, one.id, one.place, _verdict(one)) for one in scan_.shown],
        )


def _verdict(finding: ImageFinding) -> str:
    return f"BLOCKS: {finding.fix}" if finding.allowance is None else finding.allowance.because
