"""PostgreSQL servers for Aurora clusters: their files, their settings, their first roles.

The packaged build has no TLS, so a proxy listens for it (`tls_proxy.py`), and the server on an abstract socket alone.
"""

import contextlib
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql

from rehearsal.engine.host import Host, ids
from rehearsal.engine.postgres_programs import known_parameters, let_in, programs, server_user
from rehearsal.engine.process import HostProcess, Program

PORT = 5432
ADMINISTRATOR = "rdsadmin"  # the superuser that RDS keeps for itself
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_LOG_LINES = 10

# Small, and fast at the price of what a crash of the machine would lose; nothing here outlives the rehearsal.
_SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "io_method": "sync",  # no workers of its own for reading
    "jit": "off",
    "listen_addresses": "",  # clients come through the TLS proxy
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%t:%r:%u@%d:[%p]:",  # as RDS has it
    "timezone": "UTC",
    "log_connections": "receipt,authentication,authorization",  # so that it can be shown who came as whom
}
# What must stay as it is here, whatever a parameter group says.
_NOT_TAKEN = frozenset({*_SETTINGS, "port", "unix_socket_directories", "shared_preload_libraries"})


class DatabaseError(Exception):
    """A database server could not be made or started; the message has the end of its log."""


@dataclass(frozen=True)
class Login:
    """The master user and the first database of a cluster.

    Args:
        user: the master user.
        password: its password.
        database: the database it owns.
    """

    user: str
    password: str
    database: str

    def __repr__(self) -> str:
        """Leave the password out."""
        return f"Login({self.user} on {self.database})"


class Server:
    """One PostgreSQL server.

    Args:
        host: runs its processes.
        directory: its folder; the data are in there.
        name: of its abstract socket; unique on this machine.
        address: where clients find it, on port 5432.
        certificate: the server's certificate and what signed it, as PEM.
        key: its key, as PEM.
        log: file for its output.
    """

    def __init__(
        self,
        host: Host,
        directory: Path,
        *,
        name: str,
        address: str,
        certificate: bytes,
        key: bytes,
        log: Path,
    ) -> None:
        self._host = host
        self._name = name
        self._address = address
        self._log = log
        self._data = directory / "data"
        self._certificate, self._key = directory.parent / "server.pem", directory.parent / "server.key"
        for file, content in ((self._certificate, certificate), (self._key, key)):
            file.touch(mode=0o600)
            file.write_bytes(content)
        self._password_file = directory / "administrator"
        self._administrator_password = secrets.token_urlsafe(24)
        self._user = server_user()
        self._directory = directory
        self._proxy: HostProcess | None = None
        self.process: HostProcess | None = None

    def start(self, login: Login, parameters: Mapping[str, str]) -> None:
        """Start it and wait until it answers; make its data first if there are none.

        Args:
            login: the master user and its database.
            parameters: of the cluster's parameter group.

        Raises:
            DatabaseError: it did not start.
        """
        first = not self._data.exists()
        if first:
            self._initialize()
        self._configure(parameters)
        self.process = self._run("postgres", "-D", str(self._data), end_signal=signal.SIGQUIT)
        self._wait_until_ready()
        if first:
            self._make_login(login)
        self._proxy = self._start_proxy(force=parameters.get("rds.force_ssl", "1") != "0")

    def stop(self) -> None:
        """Stop it as RDS does: sessions are cut off, data are written."""
        if self._proxy is not None:
            self._proxy.stop(number=signal.SIGKILL, seconds=_STOP_SECONDS)
        if self.process is not None:
            self.process.stop(number=signal.SIGINT, seconds=_STOP_SECONDS)

    def _initialize(self) -> None:
        let_in(self._directory, self._user)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(self._administrator_password, encoding="ascii")
        owner = ids(self._user)
        if owner:
            os.chown(self._password_file, *owner)
        options = [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]
        made = self._run(
            "initdb",
            *options,
            f"--username={ADMINISTRATOR}",
            f"--pwfile={self._password_file}",
            f"--pgdata={self._data}",
        )
        if made.wait(_START_SECONDS) != 0:
            raise DatabaseError(self._with_log("initdb failed"))
        self._password_file.unlink()

    def _configure(self, parameters: Mapping[str, str]) -> None:
        """Write the settings of the group that PostgreSQL knows, and ours."""
        known = known_parameters() - _NOT_TAKEN
        settings = {
            **{name: value for name, value in parameters.items() if name in known and "{" not in value},
            **_SETTINGS,
            "port": str(PORT),
            "unix_socket_directories": f"@{self._name}",
        }
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        access = "local all all scram-sha-256\n"
        for name, text in (("postgresql.auto.conf", "".join(lines)), ("pg_hba.conf", access)):
            (self._data / name).write_text(text, encoding="utf-8")

    def _start_proxy(self, *, force: bool) -> HostProcess:
        program = Path(__file__).with_name("tls_proxy.py")
        # The server's own name of an abstract socket: its directory and what a client puts behind it.
        socket_name = f"{self._name}/.s.PGSQL.{PORT}"
        where = [self._address, str(PORT), socket_name, str(self._certificate), str(self._key)]
        proxy = self._host.start(
            Program(
                arguments=[sys.executable, "-I", "-S", str(program), *where, "1" if force else "0"],
                environment={},
                directory=self._directory.parent,
                log=self._log,
            )
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection((self._address, PORT), timeout=1):
                return proxy
            if not proxy.runs or time.monotonic() > deadline:
                raise DatabaseError(self._with_log("the TLS proxy of PostgreSQL did not start"))
            time.sleep(0.02)

    def _run(self, name: str, *arguments: str, end_signal: int = signal.SIGKILL) -> HostProcess:
        return self._host.start(
            Program(
                arguments=[str(programs(self._directory, self._user) / name), *arguments],
                environment={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
                directory=self._directory,
                log=self._log,
                user=self._user,
                end_signal=end_signal,
            )
        )

    def _connect(self) -> "psycopg2.extensions.connection":
        connection = psycopg2.connect(
            host=f"@{self._name}",
            port=PORT,
            user=ADMINISTRATOR,
            password=self._administrator_password,
            dbname="postgres",
            connect_timeout=5,
            application_name="rehearsal",
        )
        connection.autocommit = True
        return connection

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._connect().close()
            except psycopg2.OperationalError as error:
                if self.process is None or not self.process.runs or time.monotonic() > deadline:
                    raise DatabaseError(self._with_log(f"PostgreSQL did not start: {error}")) from None
                time.sleep(0.05)
            else:
                return

    def _make_login(self, login: Login) -> None:
        """Make the master user: no superuser, but one that may do most of what an owner wants, as on RDS."""
        names = {
            "user": sql.Identifier(login.user),
            "password": sql.Literal(login.password),
            "database": sql.Identifier(login.database),
        }
        statements = (
            "CREATE ROLE rds_superuser NOLOGIN CREATEDB CREATEROLE",
            "GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION",
            "CREATE ROLE {user} LOGIN CREATEDB CREATEROLE PASSWORD {password} IN ROLE rds_superuser",
            "CREATE DATABASE {database} OWNER {user}",
        )
        with contextlib.closing(self._connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(sql.SQL(statement).format(**names))

    def _with_log(self, text: str) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        return "\n".join([text, *lines])
