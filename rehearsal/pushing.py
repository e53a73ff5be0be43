"""`./lz rehearse --push`: one more release, by the pipeline of the rehearsal that is up."""

import json
import shutil
import time
from pathlib import Path

from rich.console import Console

from config import Configuration
from operations.errors import CommandError
from operations.rehearsed import kept_directory
from rehearsal.approver import Approver
from rehearsal.by_pipeline import RELEASED, ByPipeline
from rehearsal.emulator import Emulator
from rehearsal.kept import STATE, WORK
from rehearsal.pipeline_run import PipelineError
from rehearsal.progress import Progress
from rehearsal.report import Report, show_release


def push(
    configuration: Configuration, *, root: Path, progress: Progress, approver: Approver, console: Console
) -> int:
    """Push a checkout to the rehearsal that is up, release it and follow the release, as after a `git push` on AWS.

    Args:
        configuration: the organization, as it was when the rehearsal began.
        root: the checkout.
        progress: shows what happens.
        approver: answers the pipeline's approvals.
        console: where the result goes.

    Returns:
        The exit code: 0 if the pipeline went to its end, 1 if it stopped.

    Raises:
        CommandError: no rehearsal is up, or one that was deployed without its pipeline.
        RepositoryError: git is missing or failed.
    """
    directory = kept_directory()
    if not json.loads((directory / STATE).read_text(encoding="utf-8"))["by_pipeline"]:
        message = "the rehearsal that is up was deployed with the CDK CLI: its pipeline has never run"
        raise CommandError(message, fix="./lz rehearse --down, then ./lz rehearse --keep", exit_code=1)
    pipeline = ByPipeline(
        Emulator.attach(directory / "aws"),
        configuration,
        progress=progress,
        approver=approver,
        root=root,
        door_directory=directory / "door",
    )
    report = Report(configuration.organization.name, list(configuration.stages()), by_pipeline=True)
    began = time.monotonic()
    try:
        with progress.live():
            with progress.phase("push the project to its repository"):
                pipeline.push(report)
            pipeline.start()
            shutil.rmtree(directory / WORK / RELEASED, ignore_errors=True)
            pipeline.follow(report, directory / WORK)
    except PipelineError as error:
        report.problem = str(error)
    report.seconds = time.monotonic() - began
    show_release(report, console)
    return 1 if report.problem else 0
