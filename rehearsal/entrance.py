"""Opens the door to the rehearsed environments, and looks whether every site's name leads to it."""

from collections.abc import Sequence

from config import Configuration, StageRef
from config.naming import static_domain
from rehearsal.checks import Check
from rehearsal.door import Door
from rehearsal.door.sites import broken_ways
from rehearsal.emulator import Emulator


def open_door(
    door: Door,
    emulator: Emulator,
    configuration: Configuration,
    stages: Sequence[StageRef],
    *,
    detached: bool,
) -> Check:
    """Open the door.

    Args:
        door: the door, closed.
        emulator: the running emulator, with the environments deployed.
        configuration: the organization.
        stages: the environments.
        detached: let it outlive this process.

    Returns:
        Whether the way to every site holds, from the parent zone to the certificate.

    Raises:
        DoorError: it does not open.
    """
    domains = [stage.environment.domain for stage in stages]
    sites = [f"https://{name}/" for domain in domains for name in (domain, static_domain(domain))]
    parent = configuration.dns.parent
    state = door.start(
        emulator,
        domain=configuration.organization.domain,
        parent_account=configuration.accounts.shared_services,
        parent_zone=None if parent == "create" else parent,
        sites=sites,
        detached=detached,
    )
    name = "every site's name leads to what serves it, with a certificate of that name"
    return Check(name, tuple(broken_ways(state)), f"{len(sites)} names followed from the parent zone")
