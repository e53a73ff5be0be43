"""Builds the pushed images in the background, while stacks deploy, so that the first task finds its image ready."""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from config import Configuration, StageRef
from config.naming import Names
from rehearsal.emulator import Emulator, EmulatorError
from rehearsal.engine.cache import Cache, build_environment, cache_directory
from rehearsal.engine.images import ImageError, ImageStore, Reference
from rehearsal.images import PushedImage
from rehearsal.processes import CommandError, Processes


class Builds:
    """The images of a rehearsal's environments, pulled from the rehearsed registry and built.

    Args:
        emulator: the emulator; started before `begin`.
        configuration: the organization.
        processes: runs the builds.
    """

    def __init__(self, emulator: Emulator, configuration: Configuration, processes: Processes) -> None:
        self._emulator = emulator
        self._configuration = configuration
        self._processes = processes
        self._images: dict[str, Future[Path]] = {}
        self._store: ImageStore | None = None

    def begin(self, images: Iterable[PushedImage], stages: Sequence[StageRef]) -> None:
        """Begin to build the images of some environments.

        Args:
            images: what was pushed.
            stages: the environments; the first of each workload pulls, with its own account's rights.
        """
        cache = Cache(
            cache_directory(os.environ), environment=build_environment(os.environ), run=self._run_build
        )
        self._store = ImageStore(cache, endpoint=self._emulator.endpoint, ca_file=self._emulator.ca_file)
        accounts = {stage.workload_name: stage.account_id for stage in reversed(stages)}
        for image in images:
            if image.workload in accounts:
                ecr = self._emulator.client("ecr", accounts[image.workload])
                self._images[image.workload] = self._store.prepare(ecr, self._reference(image))

    def ready(self, stage: StageRef) -> bool:
        """Whether an environment's image is built, or failed."""
        return self._images[stage.workload_name].done()

    def wait(self, stage: StageRef) -> None:
        """Wait for an environment's image.

        Raises:
            EmulatorError: it could not be pulled or built.
        """
        try:
            self._images[stage.workload_name].result()
        except ImageError as error:
            raise EmulatorError(str(error)) from error

    def close(self) -> None:
        """Let no other build begin; the one that runs ends with the processes."""
        if self._store is not None:
            self._store.close()

    def _reference(self, image: PushedImage) -> Reference:
        names = Names(self._configuration)
        _, _, _, region, registry, _ = names.repository_arn(image.workload).split(":")
        return Reference(registry, region, image.repository, image.digest)

    def _run_build(
        self, arguments: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> int:
        try:
            output = self._processes.run("build", arguments, environment=environment, directory=directory)
        except CommandError as error:
            log.write_text(error.tail(50), encoding="utf-8")
            return error.code
        log.write_text(output.read_text(encoding="utf-8", errors="replace"), encoding="utf-8")
        return 0
