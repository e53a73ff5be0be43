"""One rehearsal: from the start of the local AWS to the report."""

import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from config import Configuration, StageRef
from config.naming import SHARED_SERVICES_STAGE
from rehearsal.approver import Approver
from rehearsal.by_pipeline import ByPipeline
from rehearsal.checks import DEPLOYMENT, Deployed, run_checks
from rehearsal.deployment import Deployment
from rehearsal.door import Door, DoorError, DoorState
from rehearsal.emulator import Emulator, EmulatorError
from rehearsal.entrance import check_ways, open_door
from rehearsal.environments import Environments
from rehearsal.fixed import accounts_of
from rehearsal.images import push_images
from rehearsal.kept import WORK, new_directory, remember
from rehearsal.memory import MemoryWatch
from rehearsal.pipeline.repositories import RepositoryError
from rehearsal.pipeline_run import PipelineError
from rehearsal.process_group import command_line
from rehearsal.processes import CommandError, Processes
from rehearsal.progress import Progress
from rehearsal.reach_checks import REACH
from rehearsal.report import Report
from rehearsal.running_checks import RUNNING

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config" / "accounts.json"


@dataclass(frozen=True)
class Foundation:
    """What everything else stands on.

    Args:
        assembly: the first assembly, with placeholders for images.
        door: the open door.
    """

    assembly: Path
    door: DoorState


class Rehearsal:
    """One rehearsal: its folder, its processes and what it found.

    Args:
        configuration: the organization.
        stages: the environments to deploy.
        progress: shows what happens.
        approver: answers the pipeline's approvals; None deploys with the CDK CLI, without the pipeline.
        keep: whether it is to be left up.
        all_checks: whether Synth runs every check, as on AWS.
        config_file: the file that the configuration was read from.
    """

    def __init__(
        self,
        configuration: Configuration,
        stages: Sequence[StageRef],
        progress: Progress,
        *,
        approver: Approver | None,
        keep: bool,
        all_checks: bool = False,
        config_file: Path = CONFIG,
    ) -> None:
        self._config_file = config_file
        self._keep = keep
        self._all_checks = all_checks
        self._approver = approver
        self.progress = progress
        self.kept_state: dict[str, object] = {}
        self._configuration = configuration
        self._stages = stages
        self._directory = new_directory()
        self._scratch = self._directory / WORK
        self._images = self._scratch / "images"
        self._logs = self._directory / "logs"
        for folder in (self._scratch, self._logs):
            folder.mkdir()
        self._accounts = accounts_of(configuration, stages)
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
        report = Report(
            self._configuration.organization.name,
            self._stages,
            by_pipeline=self._approver is not None,
            all_checks=self._all_checks,
        )
        started = time.monotonic()
        self._memory.begin()
        try:
            foundation = self._lay()
            if self._approver is not None:
                self._release(report, foundation, self._approver)
            else:
                self._deploy(report, foundation)
            report.states = self._environments.watch.states(self._environments.deployed)
            with self.progress.phase("look at every site's name and certificate"):
                entrance = check_ways(foundation.door)
            with self.progress.phase("check trust, delegation, digests, parameters and tasks"):
                self._check(report)
            report.checks.append(entrance)
        except (CommandError, DoorError, EmulatorError, PipelineError, RepositoryError) as error:
            self._explain(report, error)
        self._memory.close()
        report.peak_memory_mib = self._memory.peak_mib
        report.seconds = time.monotonic() - started
        report.phases = self.progress.phases
        return report

    def _lay(self) -> Foundation:
        """Start the local AWS, bootstrap its accounts and open the door; synthesize meanwhile."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            # The registry must exist before an image can be pushed: the first assembly has placeholders.
            first = pool.submit(self._synthesize, "synthesize the tooling account", "first", self._images)
            try:
                with self.progress.phase("start the local AWS"):
                    self._emulator.start(detached=self._keep)
                door = pool.submit(
                    open_door,
                    self._door,
                    self._emulator,
                    self._configuration,
                    self._stages,
                    detached=self._keep,
                )
                if self._approver is not None:
                    self._remember(running=True)  # so that others can look at it, and approve
                with self.progress.phase(f"bootstrap {len(self._accounts)} accounts with trust to tooling"):
                    self._deployment.bootstrap(self._accounts)
                return Foundation(first.result(), door.result())
            except BaseException:
                self._processes.stop()  # or the pool would wait for what Ctrl-C does not reach
                raise

    def _release(self, report: Report, foundation: Foundation, approver: Approver) -> None:
        """Release with the pipeline, which is deployed by hand once, as in AWS."""
        pipeline = ByPipeline(
            self._emulator,
            self._configuration,
            progress=self.progress,
            approver=approver,
            root=ROOT,
            door_directory=self._door.directory,
        )
        pipeline.tell_builds(foundation.door, all_checks=self._all_checks)
        with self.progress.phase("push the project to its repository"):
            pipeline.push(report)
        self._environments.deploy_stage("tooling by hand: registry and pipeline", foundation.assembly, "")
        stacks = pipeline.follow(report, self._scratch)
        self._environments.deployed[:] = stacks

    def _deploy(self, report: Report, foundation: Foundation) -> None:
        """Deploy with the CDK CLI, in the pipeline's order."""
        environments = self._environments
        environments.deploy_stage("tooling: registry and pipeline", foundation.assembly, "")
        with self.progress.phase("push the images to the tooling registry"):
            report.images = push_images(
                self._emulator.client("ecr", self._configuration.accounts.tooling),
                self._configuration,
                root=ROOT,
                directory=self._images,
            )
        environments.build(report.images, self._stages)
        assembly = self._synthesize("synthesize with the images' digests", "second", self._images)
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
        report.checks.extend(run_checks(deployed, (*DEPLOYMENT, *RUNNING, *REACH)))

    def _explain(self, report: Report, error: Exception) -> None:
        """Name the resource that failed; where no stack did, the end of the command's own output."""
        report.problem = str(error)
        watch, stacks = self._environments.watch, self._environments.deployed
        if stacks and isinstance(error, CommandError):
            report.failures = watch.failures(stacks)
        if stacks and isinstance(error, CommandError | PipelineError):
            report.states = watch.states(stacks)
        if isinstance(error, CommandError) and not report.failures:
            report.problem = f"{error}; its last lines:\n{error.tail()}"

    def remember(self) -> None:
        """Leave the emulator up."""
        self.kept_state = self._remember(running=False)

    def _remember(self, *, running: bool) -> dict[str, object]:
        """Write down how it is reached."""
        environment = self._emulator.environment(self._configuration.accounts.tooling)
        shown = (
            "AWS_ENDPOINT_URL",
            "AWS_CA_BUNDLE",
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        )
        state: dict[str, object] = {
            "project": str(ROOT),
            "environment": {name: environment[name] for name in shown},
            "by_pipeline": self._approver is not None,
            "keep": self._keep,
            "running": (os.getpid(), command_line(os.getpid())) if running else None,
        }
        remember(self._directory, state)
        return state

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
