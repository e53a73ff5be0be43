"""Measures releases through the rehearsed pipeline: from the push until each environment serves the new version.

    ./lz rehearse --keep
    .venv/bin/python -m bench.release

Three releases, one after the other: the application alone (a sentence of its pages), the infrastructure alone (a day
more of backups), and both. People use both sites meanwhile, and what they get that
is no page is counted. Approvals are given at once. The figures are of one machine that runs everything at once: they
compare releases with each other, and say nothing of the times that AWS takes.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException
from io import StringIO
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from bench.machine import description
from bench.visitors import Manner, Tally, people
from bench.watching import NotShownError, watched
from config import StageRef
from operations.pipeline_access import PipelineAccess, pipeline_access
from operations.rehearsed import kept_directory
from rehearsal.approver import Approver
from rehearsal.door import Door, DoorState
from rehearsal.door.sites import opener
from rehearsal.pipeline.launch import REPOSITORIES
from rehearsal.pipeline.repositories import Repositories, RepositoryError
from rehearsal.pipeline_run import PipelineError, PipelineRun
from rehearsal.progress import Progress

ROOT = Path(__file__).parents[1]
PAGE = Path("workloads/django/app/fieldnotes/templates/fieldnotes/base.html")
SENTENCE = "A sample project."
CONFIG = Path("config/accounts.json")
ANSWER_SECONDS = 5.0  # a look at a site waits no longer
PEOPLE = Manner(pause=0.5)
CHANGES = (
    ("application alone", True, False),
    ("infrastructure alone", False, True),
    ("application and infrastructure", True, True),
)
EMPTY = "no changes"  # what an action says whose change set was empty
TOLD_LINES = 3  # of an error: the execution, the action, and what it died of
FAILURES = (BotoCoreError, ClientError, NotShownError, PipelineError, RepositoryError)
"""What a release can fail of."""


@dataclass
class Released:
    """One release.

    Args:
        name: what changed.
        served: environment -> seconds from the push until its site served it; until its stage was through, where no
            page changes.
        tally: what people got meanwhile.
        stacks: the stacks that were changed.
    """

    name: str
    served: dict[str, float]
    tally: Tally
    stacks: tuple[str, ...]


class Bench:
    """Releases to the rehearsal that is up, from a checkout of its own in the rehearsal's folder."""

    def __init__(self) -> None:
        self._access: PipelineAccess = pipeline_access(config=None, rehearsal=True, profile=None)
        self._directory = kept_directory()
        self._door: DoorState = Door(self._directory / "door").state()
        self._checkout = self._directory / "bench"
        self._number = 0
        self._copy_project()

    def _copy_project(self) -> None:
        """Copy what git tracks; with the configuration that an earlier bench has released here.

        Else the first release would take its backups back, and not be of the application alone.
        """
        config = self._checkout / CONFIG
        released = config.read_text(encoding="utf-8") if config.exists() else None
        shutil.rmtree(self._checkout, ignore_errors=True)
        tracked = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, tracked.stdout.split("\0")):
            if (ROOT / name).is_file():
                (self._checkout / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self._checkout / name)
        if released is not None:
            config.write_text(released, encoding="utf-8")

    @property
    def log(self) -> Path:
        """The emulator's log."""
        return self._directory / "aws" / "emulator.log"

    @property
    def environments(self) -> tuple[str, ...]:
        """Their names, in the order of the pipeline."""
        return tuple(stage.environment_name for stage in self._access.configuration.stages())

    def release(self, name: str, *, app: bool, infrastructure: bool) -> Released:
        """Change what is asked for, push it, and follow the release to its end."""
        self._number += 1
        mark = f"Release {self._number} of this bench, {time.time():.0f}."
        if app:
            self._change_page(mark)
        if infrastructure:
            self._change_backups()
        stages = self._access.configuration.stages()
        with ExitStack() as stack:
            tallies = [
                stack.enter_context(
                    people(self._door.proxy, self._door.ca_file, _url(stage), connections=1, manner=PEOPLE)
                )
                for stage in stages
            ]
            pushed = time.monotonic()
            self._push()
            sites = {stage.environment_name: self._look_for(mark, stage) for stage in stages if app}
            with watched(sites, pushed) as served:
                execution, through = self._follow(pushed)
        tally = Tally()
        for one in tallies:
            tally.add(one)
        return Released(name, served or through, tally, self._changed(execution))

    def _change_page(self, mark: str) -> None:
        page = self._checkout / PAGE
        original = (ROOT / PAGE).read_text(encoding="utf-8")
        if SENTENCE not in original:
            sys.exit(f"{PAGE} has no sentence {SENTENCE!r} to change")
        page.write_text(original.replace(SENTENCE, mark), encoding="utf-8")

    def _change_backups(self) -> None:
        file = self._checkout / CONFIG
        document = json.loads(file.read_text(encoding="utf-8"))
        for workload in document["workloads"].values():
            for environment in workload["environments"].values():
                database = environment.setdefault("database", {})
                database["backup_days"] = database.get("backup_days", 7) + 1
        file.write_text(json.dumps(document, indent=2), encoding="utf-8")

    def _push(self) -> None:
        pipeline = self._access.configuration.pipeline
        repositories = Repositories(self._directory / "aws" / REPOSITORIES)
        repositories.push(pipeline.repository, pipeline.branch, self._checkout)
        self._access.api.start_pipeline_execution(name=self._access.name)

    def _look_for(self, mark: str, stage: StageRef) -> Callable[[], bool]:
        def shows() -> bool:
            try:
                with opener(self._door).open(_url(stage), timeout=ANSWER_SECONDS) as answer:
                    return mark.encode() in answer.read()
            except (OSError, HTTPException):
                return False  # counted by those who use the site

        return shows

    def _follow(self, pushed: float) -> tuple[str, dict[str, float]]:
        """Follow the release to its end.

        Returns:
            The execution, and environment -> seconds from the push until its stage was through.
        """
        console = Console(file=StringIO())
        progress = Progress(console)
        run = PipelineRun(
            self._access,
            progress=progress,
            approver=Approver("auto", progress, console),
            enter=lambda _servers: None,
        )
        before = time.time() - (time.monotonic() - pushed)
        execution = run.follow()
        through = {
            stage.environment_name: max(one.ended for one in run.actions if one.stage == stage.stage_name)
            - before
            for stage in self._access.configuration.stages()
        }
        return execution, through

    def _changed(self, execution: str) -> tuple[str, ...]:
        pages = self._access.api.get_paginator("list_action_executions").paginate(
            pipelineName=self._access.name, filter={"pipelineExecutionId": execution}
        )
        return tuple(
            sorted(
                f"{detail['stageName']}-{detail['actionName'].removesuffix('.Deploy')}"
                for page in pages
                for detail in page["actionExecutionDetails"]
                if detail["actionName"].endswith(".Deploy") and _summary(detail) != EMPTY
            )
        )


def _summary(detail: Mapping[str, object]) -> str:
    output = detail.get("output")
    result = output.get("executionResult", {}) if isinstance(output, Mapping) else {}
    return str(result.get("externalExecutionSummary", ""))


def _url(stage: StageRef) -> str:
    return f"https://{stage.environment.domain}/"


def main() -> int:
    """Print the table; the exit code is 1 if a release failed, or anybody got anything but a page."""
    print(description())
    clean = True
    bench = Bench()
    columns = " | ".join(f"{name}, s" for name in bench.environments)
    print(f"| change | {columns} | pages | no pages | stacks changed |")
    print(f"|---|{'---|' * (len(bench.environments) + 3)}", flush=True)
    for name, app, infrastructure in CHANGES:
        try:
            one = bench.release(name, app=app, infrastructure=infrastructure)
        except FAILURES as error:
            said = ": ".join(line.strip().rstrip(":") for line in str(error).splitlines()[:TOLD_LINES])
            print(f"{name}: {said}; {bench.log} tells more", file=sys.stderr)
            return 1
        pages = one.tally.statuses.pop(200, 0)
        missing = one.tally.statuses.total()
        times = " | ".join(f"{one.served[environment]:.0f}" for environment in bench.environments)
        print(f"| {one.name} | {times} | {pages} | {missing} | {', '.join(one.stacks)} |", flush=True)
        for problem, count in one.tally.problems.most_common(3):
            print(f"{count} times: {problem}", file=sys.stderr)
        clean = clean and not missing
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
