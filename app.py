"""The CDK app: the tooling stacks, shared services, and every environment of every workload."""

import os
import sys

if __name__ == "__main__" and __debug__ and sys.gettrace() is None:
    # jsii checks the types of every call again, which mypy has checked; its docstrings are most of what is loaded.
    os.execv(sys.executable, [sys.executable, "-OO", *sys.argv])  # noqa: S606 - the same program, without both

import argparse
import atexit
import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from config.node import use_bundled_node

if __name__ == "__main__":
    gc.disable()  # a process of seconds that keeps nearly all it makes: collecting costs a tenth of its time
# Before the CDK is imported: it starts Node at once.
use_bundled_node(eager=__name__ == "__main__")

import aws_cdk as cdk  # noqa: E402

from compliance.nag import Compliance  # noqa: E402
from compliance.waivers import WaiverError  # noqa: E402
from config import Configuration, ConfigurationError, load, render  # noqa: E402
from config.images import Image, ImageFileError, read_images  # noqa: E402
from pipeline import add_pipeline  # noqa: E402
from shared_services import SharedServicesStage  # noqa: E402
from workloads.django import DjangoStage  # noqa: E402

ROOT = Path(__file__).parent
NAMED_ZONES = cdk.Acknowledgment(
    id="CloudFormation-Validate::W3010",
    reason="Zones are named on purpose: they come from the configuration, so that synthesis asks nobody.",
)
NOT_FOR_US = {
    "@aws-cdk/core:enableAdditionalMetadataCollection": False,  # statistics for AWS, which are not sent
    "aws:cdk:disable-creation-stack-traces": True,  # they tell where jsii unpacked the library, not our lines
    "@aws-cdk/core:suppressTemplateIndentation": True,  # a template may have 1 MB: the pipeline's needs the room
}
CLI_DEFAULTS = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}


def build(
    configuration: Configuration,
    images: Mapping[str, Image],
    *,
    outdir: str | None = None,
    validate_templates: bool | None = None,
) -> cdk.App:
    """Build the whole organization.

    Args:
        configuration: the organization.
        images: workload -> its image.
        outdir: where the assembly goes; the CDK CLI's choice if left out.
        validate_templates: run the library's built-in template validator; its default is yes, and it costs seconds.

    Returns:
        The app, not yet synthesized.
    """
    # The CLI passes the flags of cdk.json and settings of its own, `python app.py` does not: both must give the same.
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(
        context={
            **flags,
            **NOT_FOR_US,
            "@aws-cdk/core:bootstrapQualifier": configuration.organization.qualifier,
        },
        post_cli_context=CLI_DEFAULTS,
        outdir=outdir,
        analytics_reporting=False,
        tree_metadata=False,  # tree.json is for editors: each property would be resolved once more for it
        builtin_cloud_formation_validation=validate_templates,
    )
    cdk.Validations.of(app).acknowledge(NAMED_ZONES)
    shared_services = SharedServicesStage(app, configuration=configuration)
    environments = [
        DjangoStage(app, configuration=configuration, stage=stage, image=images[stage.workload_name])
        for stage in configuration.stages()
    ]
    compliance = Compliance(configuration)
    compliance.watch(app, shared_services, *environments)
    # Before the pipeline, too: it synthesizes the stages, and what comes later is too late for them.
    compliance.waive(app)
    add_pipeline(app, configuration=configuration, shared_services=shared_services, environments=environments)
    compliance.waive(app)
    return app


def main() -> int:
    """Synthesize; a wrong configuration is told, not thrown."""
    arguments = _arguments()
    validate = False if arguments.no_template_validation else None
    try:
        configuration = load(arguments.config)
        images = read_images(arguments.images, configuration)
        app = build(configuration, images, outdir=arguments.output, validate_templates=validate)
        if validate is False:
            _put_away(app, configuration)
        app.synth()
    except ConfigurationError as error:
        sys.stderr.write(render(error.problems) + "\n")
        return 2
    except (ImageFileError, WaiverError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except RuntimeError as error:  # how jsii hands on what the library throws
        if "ValidationFailed" not in str(error):
            raise
        sys.stderr.write("synthesis stopped: the findings above have neither a fix nor a waiver\n")
        return 1
    return 0


def _put_away(app: cdk.App, configuration: Configuration) -> None:
    """Take the environments out of the tree: the pipeline has synthesized them, and their assemblies are written.

    The library would look through all of them for references once more. Its template validator needs them: it tells
    where a resource was made.
    """
    for stage in configuration.stages():
        app.node.try_remove_child(stage.stage_name)


def _arguments() -> argparse.Namespace:
    """Parse the inputs: all of them are files, none is an environment variable."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, help="another configuration than config/accounts.json")
    parser.add_argument("--images", type=Path, default=ROOT / "images", help="folder of the image files")
    parser.add_argument("--output", help="folder of the assembly; the CDK CLI gives its own")
    parser.add_argument(
        "--no-template-validation",
        action="store_true",
        help="leave the library's built-in template validator out (the inner loop; ./lz check runs it)",
    )
    return parser.parse_args()


def _leave(code: int) -> NoReturn:
    """End the process without taking its objects apart one by one, which would take a tenth of its time."""
    atexit._run_exitfuncs()  # Node says its last words and ends
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
