"""`./lz rehearse`: the whole organization on this machine."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from rich.console import Console

from config import Configuration, StageRef, load
from config.naming import SHARED_SERVICES_STAGE
from rehearsal.checks import DEPLOYMENT, Deployed, run_checks
from rehearsal.deployment import Deployment
from rehearsal.door import Door, DoorError
from rehearsal.emulator import Emulator, EmulatorError
from rehearsal.entrance import open_door
from rehearsal.environments import Environments
from rehearsal.images import push_images
from rehearsal.kept import kept, new_directory, remember, take_down
from rehearsal.memory import MemoryWatch
from rehearsal.processes import CommandError, Processes
from rehearsal.progress import Progress
from rehearsal.report import Report, show
from rehearsal.running_checks import RUNNING

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config" / "accounts.json"


def main(
    *, config: Path | None = None, environment: str | None, keep: bool, down: bool, as_json: bool
) -> int:
    """Rehearse, or take kept rehearsals down.

    Args:
        config: the configuration; that of the project if left out.
        environment: only this environment, as `staging`, `my-django-app/staging` or `MyDjangoAppStaging`.
        keep: leave the organization up and say how to reach it.
        down: take down what was kept.
        as_json: print the report as JSON on standard output.

    Returns:
        The exit code: 0 all holds, 1 it does not.

    Raises:
        ConfigurationError: the configuration or the environment's name is wrong.
    """
    progress_console = Console(stderr=True, highlight=False)
    if down:
        return _down(progress_console)
    configuration = load(config)
    stages = [configuration.find_stage(environment)] if environment else list(configuration.stages())
    # A closed terminal or a stopped job ends a rehearsal as Ctrl-C does: nothing may stay behind.
    for wanted in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, _interrupt)
    rehearsal = Rehearsal(
        configuration, stages, Progress(progress_console), keep=keep, config_file=(config or CONFIG).resolve()
    )
    try:
        with rehearsal.progress.live():
            report = rehearsal.run()
        if keep and report.passed:
            rehearsal.remember()
    finally:
        rehearsal.close()
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        show(
            report,
            Console(highlight=False),
            {number: name for name, number in configuration.account_ids().items()},
        )
    if rehearsal.kept_state and not as_json:
        _tell_how_to_reach(progress_console, rehearsal.kept_state)
    return 0 if report.passed else 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _down(console: Console) -> int:
    found = list(kept(ROOT))
    for directory in found:
        take_down(directory)
    console.print(f"{len(found)} rehearsal(s) taken down" if found else "no rehearsal is up")
    return 0


def _tell_how_to_reach(console: Console, state: dict[str, object]) -> None:
    console.print("The organization is up. To talk to one of its accounts:")
    for name, value in dict(state["environment"]).items():  # type: ignore[call-overload]
        console.print(f"  export {name}={value}", soft_wrap=True)
    console.print("  (an access key id that is an account's id makes you that account's root)")
    console.print("To take it down: ./lz rehearse --down")


class Rehearsal:
    """One rehearsal: its folder, its processes and what it found.

    Args:
        configuration: the organization.
        stages: the environments to deploy.
        progress: shows what happens.
        keep: whether it is to be left up.
        config_file: the file that the configuration was read from.
    """

    def __init__(
        self,
        configuration: Configuration,
        stages: Sequence[StageRef],
        progress: Progress,
        *,
        keep: bool,
        config_file: Path = CONFIG,
    ) -> None:
        self._config_file = config_file
        self._keep = keep
        self.progress = progress
        self.kept_state: dict[str, object] = {}
        self._configuration = configuration
        self._stages = stages
        self._directory = new_directory()
        self._scratch = self._directory / "work"
        self._logs = self._directory / "logs"
        for folder in (self._scratch, self._logs):
            folder.mkdir()
        accounts = configuration.accounts
        self._accounts = list(
            dict.fromkeys(
                [accounts.tooling, accounts.shared_services, *(stage.account_id for stage in stages)]
            )
        )
        self._emulator = Emulator(
            directory=self._directory / "aws",
            region=configuration.organization.region,
            accounts=self._accounts,
        )
        self._door = Door(self._directory / "door")
        self._memory = MemoryWatch()
        self._processes = Processes(self._logs)
        self._deployment = Deployment(
            self._emulator, self._processes, configuration, root=ROOT, scratch=self._scratch
        )
        self._environments = Environments(
            self._emulator,
            configuration,
            self._deployment,
            processes=self._processes,
            progress=progress,
            logs=self._logs,
        )

    def run(self) -> Report:
        """Deploy and check; what goes wrong is in the report."""
        report = Report(self._configuration.organization.name, self._stages)
        started = time.monotonic()
        self._memory.begin()
        try:
            self._deploy(report)
            report.states = self._environments.watch.states(self._environments.deployed)
            with self.progress.phase("open the door, and look at every site's name and certificate"):
                entrance = open_door(
                    self._door, self._emulator, self._configuration, self._stages, detached=self._keep
                )
            with self.progress.phase("check trust, delegation, digests, parameters and tasks"):
                self._check(report)
            report.checks.append(entrance)
        except (CommandError, DoorError, EmulatorError) as error:
            self._explain(report, error)
        self._memory.close()
        report.peak_memory_mib = self._memory.peak_mib
        report.seconds = time.monotonic() - started
        report.phases = self.progress.phases
        return report

    def _deploy(self, report: Report) -> None:
        environments, images = self._environments, self._scratch / "images"
        with ThreadPoolExecutor(max_workers=1) as pool:
            # The registry must exist before an image can be pushed: the first assembly has placeholders.
            first = pool.submit(self._synthesize, "synthesize the tooling account", "first", images)
            try:
                with self.progress.phase("start the local AWS"):
                    self._emulator.start(detached=self._keep)
                with self.progress.phase(f"bootstrap {len(self._accounts)} accounts with trust to tooling"):
                    self._deployment.bootstrap(self._accounts)
                tooling = first.result()
            except BaseException:
                self._processes.stop()  # or the pool would wait for what Ctrl-C does not reach
                raise
        environments.deploy_stage("tooling: registry and pipeline", tooling, "")
        with self.progress.phase("push the images to the tooling registry"):
            report.images = push_images(
                self._emulator.client("ecr", self._configuration.accounts.tooling),
                self._configuration,
                root=ROOT,
                directory=images,
            )
        environments.build(report.images, self._stages)
        assembly = self._synthesize("synthesize with the images' digests", "second", images)
        environments.deploy_stage("shared services: network and DNS", assembly, SHARED_SERVICES_STAGE)
        for stage in self._stages:
            environments.deploy_environment(stage, assembly)

    def _synthesize(self, title: str, name: str, images: Path) -> Path:
        with self.progress.phase(title):
            return self._deployment.synthesize(
                name,
                config_file=self._config_file,
                images=images,
                environment={**_without_aws(os.environ), "TMPDIR": str(self._scratch)},
            )

    def _check(self, report: Report) -> None:
        deployed = Deployed(
            emulator=self._emulator,
            configuration=self._configuration,
            stages=self._stages,
            stacks=self._environments.deployed,
            states=report.states,
            images=report.images,
        )
        report.checks.extend(run_checks(deployed, (*DEPLOYMENT, *RUNNING)))

    def _explain(self, report: Report, error: Exception) -> None:
        """Name the resource that failed; where no stack did, the end of the command's own output."""
        report.problem = str(error)
        if not isinstance(error, CommandError):
            return
        watch, stacks = self._environments.watch, self._environments.deployed
        if stacks:
            report.failures = watch.failures(stacks)
            report.states = watch.states(stacks)
        if not report.failures:
            report.problem = f"{error}; its last lines:\n{error.tail()}"

    def remember(self) -> None:
        """Leave the emulator up."""
        environment = self._emulator.environment(self._configuration.accounts.tooling)
        shown = (
            "AWS_ENDPOINT_URL",
            "AWS_CA_BUNDLE",
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        )
        self.kept_state = {
            "project": str(ROOT),
            "environment": {name: environment[name] for name in shown},
        }
        remember(self._directory, self.kept_state)

    def close(self) -> None:
        """End every process and remove every file, unless it is kept."""
        self._processes.stop()
        self._environments.close()
        if self.kept_state:
            return
        self._door.stop()
        self._emulator.stop()
        shutil.rmtree(self._directory, ignore_errors=True)


def _without_aws(environment: os._Environ[str]) -> dict[str, str]:
    """Return the user's environment without any AWS setting: synthesis needs none and must not see one."""
    return {name: value for name, value in environment.items() if not name.startswith("AWS_")}
