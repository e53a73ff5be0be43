"""The containers of RDS: one PostgreSQL server for each Aurora PostgreSQL cluster."""

from collections.abc import Mapping
from typing import Any

from rehearsal.emulator.certificates import Issuer
from rehearsal.engine import rds
from rehearsal.engine.containers import Container
from rehearsal.engine.host import Host
from rehearsal.engine.network import Network, check_port
from rehearsal.engine.postgres import PORT, Login, Server
from rehearsal.engine.tasks import Platform

_VARIABLES = ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")  # of the image that MiniStack asks for


class DatabaseContainer(Container):
    """A cluster's server. Its data stay in its folder when it stops, and go when it is removed.

    Args:
        platform: host, addresses and folder.
        issuer: signs its certificate.
        settings: of the Docker client's `create`.
    """

    def __init__(self, platform: Platform, issuer: Issuer, settings: Mapping[str, Any]) -> None:
        name = str(settings["name"])
        super().__init__(
            platform.directory, name=name, labels=settings["labels"], address=platform.network.address(name)
        )
        self._network: Network = platform.network
        host: Host = platform.host
        user, password, database = (str(settings["environment"][name]) for name in _VARIABLES)
        self._login = Login(user, password, database)
        certificate, key = issuer.issue(self.address)
        folder = self.directory / "server"
        folder.mkdir(mode=0o700)
        self._server = Server(
            host,
            folder,
            name=f"rehearsal-{self.short_id}",
            address=self.address,
            certificate=certificate,
            key=key,
            log=self.log_file,
        )

    def put_archive(self, path: str, data: bytes) -> bool:  # noqa: ARG002 (docker-py's names)
        """Take MiniStack's certificate and leave it: the rehearsal has an authority of its own."""
        return True

    def start(self) -> None:
        """Start the server with the parameters that its cluster's group has now."""
        offset = self.log_file.stat().st_size
        try:
            check_port(self.address, PORT)
            self._server.start(self._login, rds.cluster_parameters(self.labels))
        except Exception as error:
            key = (self.labels["account_id"], self.labels["region"], self.labels["cluster_id"])
            rds.failures[key] = str(error)
            raise
        self.process = self._server.process
        rds.export_log(self, offset)

    def stop(self, timeout: float | None = None) -> None:  # noqa: ARG002 (a server stops in its own time)
        """Stop the server."""
        self._server.stop()

    def remove(self, *, v: bool = False, force: bool = False) -> None:
        """Stop it, and remove its data."""
        super().remove(v=v, force=force)
        self._network.release(self.name)


class Databases:
    """Makes the containers of clusters.

    Args:
        platform: host, addresses and folder.
        issuer: signs the servers' certificates.
    """

    def __init__(self, platform: Platform, issuer: Issuer) -> None:
        self._platform = platform
        self._issuer = issuer

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether it is a cluster's container."""
        return "cluster_id" in labels

    def create(self, image: str, **settings: Any) -> DatabaseContainer:
        """Make one.

        Raises:
            ValueError: it is no PostgreSQL.
        """
        if "postgres" not in image:
            raise ValueError(f"the rehearsal has PostgreSQL alone, and no program for {image}")
        return DatabaseContainer(self._platform, self._issuer, settings)
