"""How the checks look at what runs: by what its environment published, and until it has settled."""

import time
from collections.abc import Callable

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


def settled(look: Callable[[], list[str]]) -> list[str]:
    """Look until there is no problem, or the time is over.

    Args:
        look: gives the problems.

    Returns:
        Those of the last look.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        problems = look()
        if not problems or time.monotonic() > deadline:
            return problems
        time.sleep(_POLL_SECONDS)
