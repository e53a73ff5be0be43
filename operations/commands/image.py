"""`lz image`."""

import os
from collections import Counter
from pathlib import Path

import click

from config import Configuration, load
from config.problems import did_you_mean
from operations.aws import CLIENT, session
from operations.configuration import config_option
from operations.errors import CommandError
from operations.image import Registry, build_image, write_image
from operations.output import say
from operations.releases.inspection import inspect, write_migrations
from operations.releases.migrations import Migrations
from operations.supply.image_inventory import image_inventory
from operations.supply.licenses import read_policy
from operations.supply.sbom import bill, write_bill
from operations.supply.workloads import IMAGE_BILL


@click.command()
@click.option("--workload", required=True, metavar="NAME", help="Such as my-django-app.")
@click.option(
    "--source",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the workload's Dockerfile.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for image.json, migrations.json and sbom.cdx.json.",
)
@click.option("--revision", metavar="COMMIT", help="Commit of the source; in CodeBuild it is known.")
@config_option
def command(*, workload: str, source: Path, output: Path, revision: str | None, config: Path | None) -> None:
    """Build and push a workload's image, unless its source is unchanged.

    The image's tag is a hash of its source. If the tooling account's registry has it, that image is used again;
    else it is built and pushed. Its digest goes to image.json, which synthesis reads. What its migrations are, and
    what of them the version before cannot live with, goes to migrations.json: the image is asked, with a database
    that lives for a minute. What is installed in it goes to sbom.cdx.json, a CycloneDX bill of materials.
    """
    configuration = load(config)
    if workload not in configuration.workloads:
        message = f'no workload is called "{workload}"'
        known = ", ".join(configuration.workloads)
        fix = did_you_mean(workload, configuration.workloads, otherwise=f"name one of: {known}")
        raise CommandError(message, fix=fix)
    here = session(configuration.organization.region)
    registry = Registry(here.client("ecr", config=CLIENT), configuration, workload)
    image = build_image(
        configuration,
        workload,
        source,
        registry=registry,
        secrets=here.client("secretsmanager", config=CLIENT),
        revision=revision or _revision(configuration, workload),
        say=say,
    )
    file = write_image(image, output)
    say(f"{image.digest} -> {file}")
    migrations = inspect(
        configuration,
        workload,
        image=registry.reference(image.digest),
        digest=image.digest,
        login=registry.logged_in(),
    )
    say(f"{_summary(migrations)} -> {write_migrations(migrations, output)}")
    _write_inventory(configuration, workload, registry=registry, digest=image.digest, output=output)


def _write_inventory(
    configuration: Configuration, workload: str, *, registry: Registry, digest: str, output: Path
) -> None:
    """Write what is installed in the image; what cannot be told is for `lz supply-chain` to refuse."""
    try:
        with registry.logged_in():
            inventory = image_inventory(
                registry.reference(digest),
                workload=workload,
                release_command=configuration.workloads[workload].commands.release or (),
                policy=read_policy(),
            )
    except CommandError as error:
        say(f"what is installed in the image is NOT known: {error}")
        return
    file = write_bill(bill(workload, digest, [inventory], container=True), output / IMAGE_BILL)
    missing = f" (not in it: {inventory.note})" if inventory.note else ""
    say(f"{len(inventory.components)} components{missing} -> {file}")


def _summary(migrations: Migrations) -> str:
    """Say what was found out about the migrations, or why nothing was."""
    if not migrations.inspected:
        return f"the image's migrations are NOT known: {migrations.problem}"
    verdicts = Counter(migration.verdict for migration in migrations.migrations)
    counted = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())) or "none"
    return f"{len(migrations.migrations)} migrations ({counted})"


def _revision(configuration: Configuration, workload: str) -> str | None:
    """Return the commit that CodeBuild checked out, if it is the workload's and not only this project's."""
    if configuration.workloads[workload].source.repository is not None:
        return None
    return os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION")
