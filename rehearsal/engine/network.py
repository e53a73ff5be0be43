"""Addresses: a part of 127.0.0.0/8 for one rehearsal, and one address of it for each task and database."""

import errno
import random
import socket
import sys
import threading
from collections import deque

AGENT_PORT = (
    51678  # of the ECS agent's introspection on a container instance; here it also hands out credentials
)
_FIRST_HOST, _LAST_HOST = 10, 254
_ATTEMPTS = 200  # of 50,000 networks; each failure is another rehearsal that runs beside this one


class NetworkError(Exception):
    """An address or a port is not to be had; the message says why and what to do."""


class Network:
    """One 127.a.b.0/24.

    It belongs to whoever listens on its first address, so two rehearsals never share one, and a rehearsal that is
    killed gives it back.

    Attributes:
        agent: the listening socket, on the first address; the agent serves there.
    """

    def __init__(self, prefix: str, agent: socket.socket) -> None:
        self.agent = agent
        self._prefix = prefix
        # Used addresses come last again: a client of an old task must not reach a new one.
        self._free = deque(f"{prefix}.{host}" for host in range(_FIRST_HOST, _LAST_HOST + 1))
        self._owners: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    @property
    def agent_address(self) -> str:
        """The first address."""
        return f"{self._prefix}.1"

    def address(self, owner: str) -> str:
        """Return the address of a task or database, a new one if it has none.

        Args:
            owner: who it is for; the containers of one task share its address.

        Raises:
            NetworkError: all addresses are in use.
        """
        with self._lock:
            if owner not in self._owners:
                if not self._free:
                    raise NetworkError(f"all addresses of {self._prefix}.0/24 are in use")
                self._owners[owner] = []
                address = self._free.popleft()
            else:
                address = self._owners[owner][0]
            self._owners[owner].append(address)
            return address

    def release(self, owner: str) -> None:
        """Take an address back, once for each time that it was given."""
        with self._lock:
            held = self._owners.get(owner, [])
            address = held.pop() if held else None
            if address is not None and not held:
                del self._owners[owner]
                self._free.append(address)


def claim() -> Network:
    """Find a network that no other rehearsal uses.

    Raises:
        NetworkError: this system has no such network, or all are in use.
    """
    if sys.platform != "linux":
        raise NetworkError(
            "tasks need loopback addresses of their own, which only Linux and WSL have: use one of them"
        )
    dice = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        # Not 127.0: its addresses are used by others, as for name servers.
        prefix = f"127.{dice.randint(50, 249)}.{dice.randint(1, 254)}"
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind((f"{prefix}.1", AGENT_PORT))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                continue
            raise NetworkError(
                f"{prefix}.1 cannot be used: {error}; is the loopback interface up?"
            ) from error
        return Network(prefix, listener)
    raise NetworkError(
        f"no free loopback network: a program listens on port {AGENT_PORT} of all addresses, or on very many; end it"
    )


def check_port(address: str, port: int) -> None:
    """Make sure that a program can listen there.

    Raises:
        NetworkError: it cannot, because another one listens on that port of all addresses.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise NetworkError(
                f"port {port} of {address} cannot be used: {error}. If a program listens on port {port} of all"
                f" addresses (see: ss -ltn 'sport = :{port}'), end it or bind it to 127.0.0.1; a workload's own web"
                " server does so if it ignores BIND_HOST"
            ) from error
