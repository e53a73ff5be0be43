"""The organization released by its own pipeline: pushed, deployed once by hand, then followed."""

import io
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from config import Configuration
from config.artifacts import ASSEMBLY, image_steps, output_of
from config.assembly import AssembledStack, read_assembly
from config.naming import Names
from operations.checks import LEAVE_OUT
from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import find_pipeline
from rehearsal.approver import Approver
from rehearsal.build_output import what_failed
from rehearsal.door import DoorState
from rehearsal.door.resolver import Registrar
from rehearsal.emulator import Emulator
from rehearsal.images import PushedImage
from rehearsal.pipeline.build_machine import tell_machine
from rehearsal.pipeline.builds.machine import DOOR_AUTHORITIES, DOOR_PROXY
from rehearsal.pipeline.launch import REPOSITORIES
from rehearsal.pipeline.repositories import Repositories
from rehearsal.pipeline_run import PipelineError, PipelineRun, artifact
from rehearsal.progress import Progress
from rehearsal.report import Report

RELEASED = "released"
RESOLVERS = "LZ_DNS_RESOLVERS"
_SAMPLE = "workloads/django/app"


class ByPipeline:
    """A release by the pipeline.

    Args:
        emulator: the running emulator.
        configuration: the organization.
        progress: shows what happens.
        approver: answers approvals.
        root: the project.
        door_directory: the door's folder.
    """

    def __init__(
        self,
        emulator: Emulator,
        configuration: Configuration,
        *,
        progress: Progress,
        approver: Approver,
        root: Path,
        door_directory: Path,
    ) -> None:
        self._emulator = emulator
        self._configuration = configuration
        self._progress = progress
        self._approver = approver
        self._root = root
        self._registrar = Registrar(door_directory)
        self._tooling = configuration.accounts.tooling

    def push(self, report: Report) -> None:
        """Push the project, and whatever else the pipeline follows, to the rehearsed code host.

        Raises:
            RepositoryError: git is missing or failed.
        """
        repositories = Repositories(self._emulator.directory / REPOSITORIES)
        pipeline = self._configuration.pipeline
        pushed = repositories.push(pipeline.repository, pipeline.branch, self._root)
        what = "what is not committed yet included" if pushed.snapshot else "what is committed"
        report.notes.append(f"released: commit {pushed.commit.id[:12]} of {self._root.name}, {what}")
        for name, workload in self._configuration.workloads.items():
            source = workload.source
            if source.repository is not None:
                repositories.push(source.repository, source.branch or pipeline.branch, self._root / _SAMPLE)
                report.notes.append(
                    f"{name}: {source.repository} cannot be reached; the sample stands in for it"
                )

    def tell_builds(self, state: DoorState, *, all_checks: bool) -> None:
        """Tell the machines of builds how the rehearsed names are reached, and what they may leave out.

        Args:
            state: the open door.
            all_checks: leave no check out.
        """
        left_out = {LEAVE_OUT: ""} if all_checks else {}
        tell_machine(
            self._emulator.directory,
            {DOOR_PROXY: state.proxy, DOOR_AUTHORITIES: state.ca_file, RESOLVERS: state.resolver, **left_out},
        )

    def start(self) -> None:
        """Start the pipeline, as the code host's connection does after a push."""
        access = self._access()
        access.api.start_pipeline_execution(name=access.name)

    def _access(self) -> PipelineAccess:
        name = find_pipeline(self._emulator.client("cloudformation", self._tooling))
        return PipelineAccess(
            self._emulator.client("codepipeline", self._tooling), name, self._configuration, rehearsed=True
        )

    def follow(self, report: Report, scratch: Path) -> tuple[AssembledStack, ...]:
        """Follow the pipeline, which its creation or `start` has started, to its end.

        Args:
            report: gets what ran, and what was done in a person's place.
            scratch: folder for the assembly, in place of that of an earlier release.

        Returns:
            The stacks of the assembly that it made.

        Raises:
            PipelineError: it failed.
        """
        access = self._access()
        run = PipelineRun(access, progress=self._progress, approver=self._approver, enter=self._enter)
        try:
            execution = run.follow()
        except PipelineError:
            folder = self._root / "reports" / "rehearsal"
            report.notes += what_failed(access, self._emulator, self._tooling, folder)
            raise
        finally:
            self._progress.show(None)
            report.pipeline = run.actions
            report.notes += [*run.helped, *self._approver.told]
        s3 = self._emulator.client("s3", self._tooling)
        report.images = self._images(access, s3, execution)
        assembly = scratch / RELEASED
        replace_folder(assembly, artifact(access, s3, execution, ASSEMBLY))
        return read_assembly(assembly)

    def _enter(self, name_servers: Sequence[str]) -> None:
        domain = self._configuration.organization.domain
        with self._progress.phase("enter the name servers at the registrar, and retry the preflight"):
            self._registrar.enter(domain, name_servers)

    def _images(self, access: PipelineAccess, s3: object, execution: str) -> tuple[PushedImage, ...]:
        """Read the `image.json` of each workload's build."""
        found, steps = [], image_steps(self._configuration.workloads)
        for name in self._configuration.workloads:
            made = output_of(steps[name])
            with zipfile.ZipFile(io.BytesIO(artifact(access, s3, execution, made))) as archive:
                image = json.loads(archive.read("image.json"))
            repository = Names(self._configuration).repository(name)
            found.append(PushedImage(name, repository, image["tag"], image["digest"]))
        return tuple(found)


def replace_folder(folder: Path, content: bytes) -> None:
    """Unpack an archive beside a folder, and put it in the folder's place when that has succeeded.

    Args:
        folder: the folder; it need not exist.
        content: a zip archive.
    """
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
