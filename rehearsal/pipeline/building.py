"""CodeBuild actions: the build is started with the action's role, and runs with the project's service role."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.emulator import internals_builds
from rehearsal.emulator.calls import client
from rehearsal.engine.process import HostError
from rehearsal.pipeline import artifacts
from rehearsal.pipeline.build_logs import BuildLog
from rehearsal.pipeline.build_machine import BuildMachine, Job
from rehearsal.pipeline.builds import BuildResult
from rehearsal.pipeline.errors import ActionError, ActionStopped
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.repositories import Repositories
from rehearsal.pipeline.roles import Credentials, build_session, told
from rehearsal.pipeline.sources import check_out
from rehearsal.pipeline.transfer import Transfer

_POLL_SECONDS = 0.2
_MINUTE = 60
_SUCCEEDED, _FAILED, _STOPPED, _TIMED_OUT = "SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT"


@dataclass
class Build:
    """A build that was started.

    Args:
        id: as StartBuild gave it.
        project: as BatchGetProjects gives it.
        credentials: of the service role.
        folder: its private folder.
    """

    id: str
    project: Mapping[str, Any]
    credentials: Credentials = field(repr=False)
    folder: Path

    @property
    def role_arn(self) -> str:
        """The project's service role."""
        return str(self.project["serviceRole"])


class Builder:
    """Runs the builds of CodeBuild actions.

    Args:
        machine: where they run.
        repositories: the code host.
        directory: folder for their folders.
    """

    def __init__(self, machine: BuildMachine, repositories: Repositories, directory: Path) -> None:
        self._machine = machine
        self._repositories = repositories
        self._directory = directory

    def act(self, work: Work, transfer: Transfer) -> None:
        """Start a build, and follow it to its end.

        Args:
            work: the action.
            transfer: its artifacts and clients.

        Raises:
            ActionError: the build failed, or a role lacks a right.
            ActionStopped: nobody waits for it any more.
        """
        configuration = work.run.configuration
        given = json.loads(configuration.get("EnvironmentVariables") or "[]")
        own = transfer.client("codebuild")
        build_id = own.start_build(
            projectName=configuration["ProjectName"], environmentVariablesOverride=given
        )["build"]["id"]
        work.run.external_id = build_id
        internals_builds.begin(build_id)
        # What CodeBuild itself knows; asking needs nobody's rights.
        (project,) = client("codebuild", region=work.region).batch_get_projects(
            names=[configuration["ProjectName"]]
        )["projects"]
        status, phase = _FAILED, "PROVISIONING"
        folder = self._directory / build_id.rpartition(":")[2]
        try:
            with told(f"{work.run.stage}/{work.action.name}", project["serviceRole"]):
                credentials = build_session(project["serviceRole"], build_id.rpartition(":")[2])
                build = Build(build_id, project, credentials, folder)
                status, phase = self._run(work, transfer, build, given)
        except ActionStopped:
            status = _STOPPED
            raise
        finally:
            internals_builds.end(build_id, status, phase)
            shutil.rmtree(folder, ignore_errors=True)
        own.batch_get_builds(ids=[build_id])  # as CodePipeline does to learn how it ended

    def _run(
        self, work: Work, transfer: Transfer, build: Build, given: list[Mapping[str, str]]
    ) -> tuple[str, str]:
        """Run it; gives its status and last phase, or raises the error that the action gets."""
        build.folder.mkdir(parents=True, mode=0o700)
        log = BuildLog(build.id, build.project, work.region, build.credentials)
        sources = self._sources(work, transfer, build)
        outputs = {name: build.folder / "outputs" / name for name in work.action.outputs}
        for folder in outputs.values():
            folder.mkdir(parents=True)
        primary = work.run.configuration.get("PrimarySource") or work.action.inputs[0]
        environment = {item["name"]: _value(item, work.region, build.credentials) for item in given}
        job = Job(
            {
                "project": build.project,
                "build_id": build.id,
                "environment": environment,
                "sources": {name: str(path) for name, path in sources.items()},
                "primary": primary,
                "outputs": {name: str(path) for name, path in outputs.items()},
                "folder": str(build.folder / "work"),
            },
            build.folder,
            work.region,
            build.credentials,
        )
        result = self._follow(work, build, job, log)
        if not result.succeeded:
            lines = log.tail()
            message = f"Build terminated with state: FAILED. Phase: {result.phase}, Message: {result.problem}"
            raise ActionError("JobFailed", "\n".join([message, *lines]))
        for name, folder in outputs.items():
            transfer.put(name, artifacts.pack(folder), build.credentials)
        work.run.variables = dict(result.exported)
        return _SUCCEEDED, "COMPLETED"

    def _sources(self, work: Work, transfer: Transfer, build: Build) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for name in work.action.inputs:
            found[name] = build.folder / "sources" / name
            content = transfer.get(name, build.credentials)
            check_out(
                self._repositories,
                content,
                found[name],
                credentials=build.credentials,
                role_arn=build.role_arn,
            )
        return found

    def _follow(self, work: Work, build: Build, job: Job, log: BuildLog) -> BuildResult:
        """Wait for its process; end it if nobody waits for it, or if it takes too long."""
        deadline = time.monotonic() + float(build.project.get("timeoutInMinutes") or _MINUTE) * _MINUTE
        try:
            process = self._machine.start(job)
        except HostError as error:
            raise ActionError("JobFailed", f"the build could not be started: {error}") from error
        problem = ""
        while process.wait(_POLL_SECONDS) is None:
            log.ship(job.log)
            if work.is_given_up or internals_builds.is_stopped(build.id):
                problem = "the build was stopped"
            elif time.monotonic() > deadline:
                problem = f"the build took longer than its {build.project.get('timeoutInMinutes')} minutes"
            if problem:
                process.stop(seconds=2.0)
        log.ship(job.log, last=True)
        work.check()
        if problem:
            return BuildResult(succeeded=False, exit_code=process.code or 1, phase="BUILD", problem=problem)
        return job.result(process.code or 0)


def _value(item: Mapping[str, str], region: str, credentials: Credentials) -> str:
    """The value of an environment variable, read with the service role where it is a reference."""
    kind, value = item.get("type", "PLAINTEXT"), item["value"]
    if kind == "PARAMETER_STORE":
        found = client("ssm", region=region, credentials=credentials).get_parameter(
            Name=value, WithDecryption=True
        )
        return str(found["Parameter"]["Value"])
    if kind == "SECRETS_MANAGER":
        name, _, rest = value.partition(":") if not value.startswith("arn:") else (value, "", "")
        secret = client("secretsmanager", region=region, credentials=credentials).get_secret_value(
            SecretId=name
        )
        key = rest.partition(":")[0]
        return str(json.loads(secret["SecretString"])[key]) if key else str(secret["SecretString"])
    return value
