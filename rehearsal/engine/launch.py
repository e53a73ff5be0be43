"""Puts the engine into the emulator's process."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from rehearsal.emulator import internals_iam
from rehearsal.emulator.certificates import Issuer
from rehearsal.emulator.environment import AGENT_FILE
from rehearsal.engine import balancing, ecs, layers, rds
from rehearsal.engine.agent import Agent
from rehearsal.engine.cache import BUILD_VARIABLE, CACHE_VARIABLE, Cache
from rehearsal.engine.client import Client
from rehearsal.engine.databases import Databases
from rehearsal.engine.host import Host
from rehearsal.engine.images import ImageStore
from rehearsal.engine.ministack import missing
from rehearsal.engine.network import claim
from rehearsal.engine.scaling_loop import Scaling
from rehearsal.engine.stopping import Stopping
from rehearsal.engine.tasks import Platform, Tasks


def install(directory: Path) -> tuple[Host, Mapping[str, str]]:
    """Let MiniStack's ECS and RDS use processes.

    Args:
        directory: the emulator's folder.

    Returns:
        Their host, which ends all of them when it is closed, and the environment that builds get.

    Raises:
        RuntimeError: the installed MiniStack is not the one that this was written for.
        NetworkError: this system has no addresses for tasks.
    """
    absent = missing()
    if absent:
        raise RuntimeError(f"MiniStack has moved what the engine needs: {', '.join(absent)}")
    network = claim()
    agent = Agent(
        network.agent,
        credentials=internals_iam.role_session,
        trusts=ecs.trusts,
        metadata=lambda path: ecs.metadata(path, network.address),
    )
    _write_private(
        directory / AGENT_FILE, json.dumps({"endpoint": agent.endpoint, "token": agent.service_token})
    )
    host = Host(directory)
    ca_file = directory / "ca.pem"
    endpoint = f"https://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    building: Mapping[str, str] = json.loads(os.environ.pop(BUILD_VARIABLE))
    cache = Cache(
        Path(os.environ.pop(CACHE_VARIABLE)),
        environment=building,
        run=host.run,
    )
    platform = Platform(
        host=host,
        network=network,
        agent=agent,
        images=ImageStore(cache, endpoint=endpoint, ca_file=ca_file),
        directory=directory / "containers",
        endpoint=endpoint,
        ca_file=ca_file,
    )
    client = Client([Tasks(platform), Databases(platform, Issuer(directory))])
    ecs.install(client)
    Stopping(client).install()
    balancing.install()
    Scaling().install()
    rds.install(client)
    layers.install()
    return host, building


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
