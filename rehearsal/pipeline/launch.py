"""Puts CodePipeline into the emulator's process."""

import os
from collections.abc import Mapping
from pathlib import Path

from rehearsal.emulator import internals
from rehearsal.emulator.pipelines import PipelineResource, watch_projects
from rehearsal.emulator.resources import add
from rehearsal.engine.host import Host
from rehearsal.pipeline.actions import Actions
from rehearsal.pipeline.build_machine import BuildMachine
from rehearsal.pipeline.building import Builder
from rehearsal.pipeline.repositories import Repositories
from rehearsal.pipeline.service import NAME, TARGET, Service

REPOSITORIES, BUILDS = "repositories", "builds"
"""Folders in the emulator's."""


def install(directory: Path, host: Host, variables: Mapping[str, str]) -> None:
    """Serve it, and let CloudFormation make pipelines.

    Args:
        directory: the emulator's folder.
        host: the supervisor, which builds run below.
        variables: of the person who started the rehearsal: where packages come from.
    """
    repositories = Repositories(directory / REPOSITORIES)
    machine = BuildMachine(
        host,
        directory,
        endpoint=f"https://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        ca_file=directory / "ca.pem",
        variables=variables,
    )
    actions = Actions(Builder(machine, repositories, directory / BUILDS), repositories)
    service = Service(actions.perform)
    add(PipelineResource(service))
    watch_projects()
    internals.add_service(NAME, TARGET, service.handle)
