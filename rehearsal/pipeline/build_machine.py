"""Where builds run: each in a process of its own below the rehearsal's supervisor, which ends it with the rehearsal."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.emulator.environment import base
from rehearsal.engine.host import Host
from rehearsal.engine.process import HostProcess, Program
from rehearsal.paths import module_path
from rehearsal.pipeline.build_files import LOG, REQUEST, RESULT
from rehearsal.pipeline.builds import BuildResult
from rehearsal.pipeline.roles import Credentials

MACHINE_FILE = "machine.json"
"""Written by the rehearsal into the emulator's folder: variables of builds' machines."""


@dataclass(frozen=True)
class Job:
    """A build to be run.

    Args:
        request: what BuildRequest is made of, as plain data.
        folder: the build's folder.
        region: its region.
        credentials: of its service role.
    """

    request: Mapping[str, Any]
    folder: Path
    region: str
    credentials: Credentials = field(repr=False)

    @property
    def log(self) -> Path:
        """File for its output."""
        return self.folder / LOG

    def result(self, code: int) -> BuildResult:
        """Read how it ended.

        Args:
            code: exit code of its process.
        """
        try:
            return BuildResult(**json.loads((self.folder / RESULT).read_text(encoding="utf-8")))
        except FileNotFoundError:
            problem = f"the build's process ended with {code} and no result"
            return BuildResult(succeeded=False, exit_code=code or 1, phase="BUILD", problem=problem)


class BuildMachine:
    """Starts builds.

    Args:
        host: the supervisor.
        directory: the emulator's folder.
        endpoint: the emulator's URL.
        ca_file: the authority that signed its certificate.
        variables: of the person who started the rehearsal: where packages come from.
    """

    def __init__(
        self, host: Host, directory: Path, *, endpoint: str, ca_file: Path, variables: Mapping[str, str]
    ) -> None:
        self._host = host
        self._directory = directory
        self._endpoint = endpoint
        self._ca_file = ca_file
        self._variables = variables

    def start(self, job: Job) -> HostProcess:
        """Start a build.

        Raises:
            HostError: its process cannot be started.
        """
        request = {**job.request, "machine": {**self._variables, **self._machine()}}
        file = job.folder / REQUEST
        file.write_text(json.dumps(request, default=str), encoding="utf-8")
        environment = {**base(self._directory), "PYTHONPATH": module_path(), **self._aws(job)}
        environment["PYTHONUNBUFFERED"] = "1"
        arguments = [sys.executable, "-m", "rehearsal.pipeline.build_process", str(job.folder)]
        return self._host.start(Program(arguments, environment, job.folder, job.log))

    def _aws(self, job: Job) -> dict[str, str]:
        """What reaches the rehearsed AWS as the service role; in the process's environment, so that no file has it."""
        return {
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_CA_BUNDLE": str(self._ca_file),
            "AWS_REGION": job.region,
            "AWS_DEFAULT_REGION": job.region,
            "AWS_ACCESS_KEY_ID": job.credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": job.credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": job.credentials["SessionToken"],
        }

    def _machine(self) -> Mapping[str, str]:
        file = self._directory / MACHINE_FILE
        found: Mapping[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return found


def tell_machine(directory: Path, variables: Mapping[str, str]) -> None:
    """Set the variables that the machines of later builds have.

    Args:
        directory: the emulator's folder.
        variables: the variables.
    """
    part = directory / f"{MACHINE_FILE}.part"
    part.write_text(json.dumps(dict(variables)), encoding="utf-8")
    os.replace(part, directory / MACHINE_FILE)  # noqa: PTH105 -- a build must see the old file or the new one
