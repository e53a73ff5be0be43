"""`./lz rehearse --push`: one more release, by the pipeline of the rehearsal that is up."""

import contextlib
import json
import time
from collections.abc import Iterator
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import HTTPClientError
from rich.console import Console

from config import Configuration
from operations.errors import CommandError
from operations.rehearsed import ANEW_FIX, kept_directory
from rehearsal.approver import Approver
from rehearsal.by_pipeline import ByPipeline
from rehearsal.door import Door, DoorError
from rehearsal.door.controller import STATE as DOOR_STATE
from rehearsal.emulator import Emulator, EmulatorError
from rehearsal.fixed import refuse_what_is_new
from rehearsal.kept import STATE, WORK
from rehearsal.pipeline.repositories import RepositoryError
from rehearsal.pipeline_run import PipelineError
from rehearsal.progress import Progress
from rehearsal.report import Report, show_release

LOCK = "push.lock"


def push(
    configuration: Configuration, *, root: Path, progress: Progress, approver: Approver, console: Console
) -> int:
    """Push a checkout to the rehearsal that is up, release it and follow the release, as after a `git push` on AWS.

    Args:
        configuration: the organization, as the checkout has it now: it is what the pipeline will release.
        root: the checkout.
        progress: shows what happens.
        approver: answers the pipeline's approvals.
        console: where the result goes.

    Returns:
        The exit code: 0 if the pipeline went to its end, 1 if it stopped or nothing could be pushed.

    Raises:
        CommandError: no rehearsal is up, or one that is still being brought up or released to, has ended without
            being taken down, was deployed without its pipeline, or lacks an account or a domain of the organization.
    """
    directory = kept_directory(running=False)
    if not json.loads((directory / STATE).read_text(encoding="utf-8"))["by_pipeline"]:
        message = "the rehearsal that is up was deployed with the CDK CLI: its pipeline has never run"
        raise CommandError(message, fix=ANEW_FIX, exit_code=1)
    try:
        emulator = Emulator.attach(directory / "aws")
    except EmulatorError as error:  # it ended with the machine, for instance, and its folder is left
        raise CommandError(str(error), fix=ANEW_FIX, exit_code=1) from error
    try:
        sites = Door(directory / "door").state().sites
    except DoorError as error:
        raise CommandError(str(error), fix=ANEW_FIX, exit_code=1) from error
    refuse_what_is_new(configuration, accounts=emulator.accounts, sites=sites)
    pipeline = ByPipeline(
        emulator,
        configuration,
        progress=progress,
        approver=approver,
        root=root,
        door_directory=directory / "door",
    )
    with _alone(directory):
        report = _release(configuration, pipeline, directory, progress)
    show_release(report, console)
    return 1 if report.problem else 0


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep others from pushing: two would follow one pipeline, and answer the same approvals."""
    with (directory / LOCK).open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            message = "another terminal releases to the rehearsal that is up"
            fix = "wait for its end, or look at it: ./lz pipeline status --watch --rehearsal"
            raise CommandError(message, fix=fix, exit_code=1) from None
        yield


def _release(
    configuration: Configuration, pipeline: ByPipeline, directory: Path, progress: Progress
) -> Report:
    report = Report(configuration.organization.name, list(configuration.stages()), by_pipeline=True)
    began = time.monotonic()
    try:
        with progress.live():
            with progress.phase("push the project to its repository"):
                pipeline.push(report)
            pipeline.start()
            pipeline.follow(report, directory / WORK)
    except (PipelineError, RepositoryError) as error:
        report.problem = str(error)
    except (NoConnectionError, HTTPClientError):
        ended = _why_it_ended(directory)
        if ended is None:
            raise
        report.problem = ended
    report.seconds = time.monotonic() - began
    return report


def _why_it_ended(directory: Path) -> str | None:
    """Say what became of a rehearsal that gave no answer; None if it still runs."""
    try:
        Emulator.attach(directory / "aws")
    except EmulatorError as error:
        if not (directory / "door" / DOOR_STATE).exists():  # `--down` ends the door first
            return "the rehearsal was taken down while its pipeline released: start anew with ./lz rehearse --keep"
        return f"{error}\n    fix: {ANEW_FIX}"
    return None
