"""Opens the door to the rehearsed environments, and looks whether every site's name leads to it."""

from collections.abc import Sequence

from config import Configuration, StageRef
from rehearsal.checks import Check
from rehearsal.door import Door, DoorState
from rehearsal.door.sites import broken_ways
from rehearsal.emulator import Emulator
from rehearsal.fixed import sites_of


def open_door(
    door: Door,
    emulator: Emulator,
    configuration: Configuration,
    stages: Sequence[StageRef],
    *,
    detached: bool,
) -> DoorState:
    """Open the door; the way to the sites is there as soon as they are.

    Args:
        door: the door, closed.
        emulator: the running emulator.
        configuration: the organization.
        stages: the environments.
        detached: let it outlive this process.

    Raises:
        DoorError: it does not open.
    """
    parent = configuration.dns.parent
    return door.start(
        emulator,
        domain=configuration.organization.domain,
        parent_account=configuration.accounts.shared_services,
        parent_zone=None if parent == "create" else parent,
        sites=sites_of(stages),
        detached=detached,
    )


def check_ways(state: DoorState) -> Check:
    """Look whether the way to every site holds, from the parent zone to the certificate.

    Args:
        state: the open door.
    """
    name = "every site's name leads to what serves it, with a certificate of that name"
    return Check(name, tuple(broken_ways(state)), f"{len(state.sites)} names followed from the parent zone")
