"""Deploys stacks and whole environments in the pipeline's order, and shows how far it is."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from config import Configuration, StageRef
from config.assembly import AssembledStack, read_assembly
from rehearsal.builds import Builds
from rehearsal.deployment import Deployment
from rehearsal.emulator import Emulator
from rehearsal.images import PushedImage
from rehearsal.processes import Processes
from rehearsal.progress import Progress
from rehearsal.releases import ReleaseStep, around_release
from rehearsal.stacks import StackWatch


class Environments:
    """What is deployed, in the order in which it was.

    Args:
        emulator: the running emulator.
        configuration: the organization.
        deployment: the CDK CLI.
        processes: runs builds.
        progress: shows what happens.
        logs: folder for the logs of release tasks.

    Attributes:
        deployed: every stack that was deployed, or that the deployment failed with.
        watch: asks CloudFormation about them.
    """

    def __init__(
        self,
        emulator: Emulator,
        configuration: Configuration,
        deployment: Deployment,
        *,
        processes: Processes,
        progress: Progress,
        logs: Path,
    ) -> None:
        self._deployment = deployment
        self._progress = progress
        self._builds = Builds(emulator, configuration, processes)
        self._release = ReleaseStep(emulator, configuration, logs)
        self.deployed: list[AssembledStack] = []
        self.watch = StackWatch(emulator)

    def build(self, images: Iterable[PushedImage], stages: Sequence[StageRef]) -> None:
        """Begin to build what was pushed.

        Args:
            images: the images.
            stages: the environments that will run them.
        """
        self._builds.begin(images, stages)

    def deploy_stage(self, title: str, assembly: Path, stage_name: str) -> None:
        """Deploy all stacks of one stage.

        Args:
            title: what it is, for a person.
            assembly: the synthesized assembly.
            stage_name: the stage; empty for the tooling account's own stacks.

        Raises:
            CommandError: a stack failed.
        """
        self._deploy(title, assembly, _of_stage(assembly, stage_name))

    def deploy_environment(self, stage: StageRef, assembly: Path) -> None:
        """Deploy one environment: its release task runs before what serves, and decides.

        Args:
            stage: the environment.
            assembly: the synthesized assembly.

        Raises:
            CommandError: a stack or the release task failed.
            EmulatorError: its image could not be pulled or built.
        """
        before, after = around_release(_of_stage(assembly, stage.stage_name))
        self._deploy(f"{stage.key} into account {stage.account_id}", assembly, before)
        if not after:
            return
        if not self._builds.ready(stage):
            with self._progress.phase(f"finish the image of {stage.workload_name}"):
                self._builds.wait(stage)
        self._builds.wait(stage)
        with self._progress.phase(f"run the release task of {stage.key}"):
            self._release.run(stage)
        self._deploy(f"what serves in {stage.key}", assembly, after)

    def close(self) -> None:
        """Let no other build begin."""
        self._builds.close()

    def _deploy(self, title: str, assembly: Path, stacks: Sequence[AssembledStack]) -> None:
        self.deployed.extend(stacks)
        with self._progress.phase(f"deploy {title}"), self._progress.stacks(self.watch, stacks):
            self._deployment.deploy(title, assembly, [stack.path for stack in stacks])


def _of_stage(assembly: Path, stage_name: str) -> tuple[AssembledStack, ...]:
    return tuple(stack for stack in read_assembly(assembly) if stack.stage == stage_name)
