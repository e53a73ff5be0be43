"""`lz image`."""

import os
from pathlib import Path

import click

from config import Configuration, load
from config.problems import did_you_mean
from operations.aws import CLIENT, session
from operations.configuration import config_option
from operations.errors import CommandError
from operations.image import Registry, build_image, write_image
from operations.output import say


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
    help="Folder for image.json.",
)
@click.option("--revision", metavar="COMMIT", help="Commit of the source; in CodeBuild it is known.")
@config_option
def command(*, workload: str, source: Path, output: Path, revision: str | None, config: Path | None) -> None:
    """Build and push a workload's image, unless its source is unchanged.

    The image's tag is a hash of its source. If the tooling account's registry has it, that image is used again;
    else it is built and pushed. Its digest goes to image.json, which synthesis reads.
    """
    configuration = load(config)
    if workload not in configuration.workloads:
        message = f'no workload is called "{workload}"'
        known = ", ".join(configuration.workloads)
        fix = did_you_mean(workload, configuration.workloads, otherwise=f"name one of: {known}")
        raise CommandError(message, fix=fix)
    here = session(configuration.organization.region)
    image = build_image(
        configuration,
        workload,
        source,
        registry=Registry(here.client("ecr", config=CLIENT), configuration, workload),
        secrets=here.client("secretsmanager", config=CLIENT),
        revision=revision or _revision(configuration, workload),
        say=say,
    )
    file = write_image(image, output)
    say(f"{image.digest} -> {file}")


def _revision(configuration: Configuration, workload: str) -> str | None:
    """Return the commit that CodeBuild checked out, if it is the workload's and not only this project's."""
    if configuration.workloads[workload].source.repository is not None:
        return None
    return os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION")
