"""How the checks look at what runs: by what its environment published, and until it has settled."""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from config import StageRef
from config.naming import parameter_name
from rehearsal.checks import Deployed

SETTLE_SECONDS = 60.0  # for tasks that the scaling has just asked for
_POLL_SECONDS = 0.5


def parameter(deployed: Deployed, stage: StageRef, name: str) -> str:
    """Return what an environment published under a name.

    Raises:
        ClientError: it published nothing.
    """
    ssm = deployed.emulator.client("ssm", stage.account_id)
    return str(ssm.get_parameter(Name=parameter_name(stage.stage_name, name))["Parameter"]["Value"])


def secret(deployed: Deployed, stage: StageRef, name: str) -> dict[str, Any]:
    """Return what is in a secret whose name an environment published.

    Args:
        deployed: the organization.
        stage: the environment.
        name: under which the secret's name is published.
    """
    manager = deployed.emulator.client("secretsmanager", stage.account_id)
    found = manager.get_secret_value(SecretId=parameter(deployed, stage, name))
    content: dict[str, Any] = json.loads(found["SecretString"])
    return content


def settled(stages: Iterable[StageRef], look: Callable[[StageRef], list[str]]) -> list[str]:
    """Look at each environment until it has no problem, or the time for it is over.

    Args:
        stages: the environments.
        look: gives an environment's problems.

    Returns:
        Those of the last looks.
    """
    return [problem for stage in stages for problem in _last_problems(stage, look)]


def _last_problems(stage: StageRef, look: Callable[[StageRef], list[str]]) -> list[str]:
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        problems = look(stage)
        if not problems or time.monotonic() > deadline:
            return problems
        time.sleep(_POLL_SECONDS)
