"""The release step's work on the database: wait for it, and give the application a user of its own."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

logger = logging.getLogger(__name__)

_ATTEMPT_SECONDS = 10
# Any fixed number does; two releases at the same time must use the same one.
_RELEASE_LOCK = 7_203_115


class DatabaseError(Exception):
    """The database cannot be used as configured; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the database is, and as whom to enter it. The password stays out of its `repr`."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    options: dict[str, Any] = field(default_factory=dict)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=self.host,
            port=self.port,
            dbname=self.name,
            user=self.user,
            password=self.password,
            autocommit=True,
            **{**self.options, "connect_timeout": _ATTEMPT_SECONDS, "application_name": "release"},
        )


def wait_until_ready(
    server: Server, *, seconds: float, pause: float = 2.0, clock: Callable[[], float] = time.monotonic
) -> None:
    """Return when the server takes a connection; a database that paused itself needs up to 30 seconds.

    A refused password ends the wait at once: waiting does not mend it.
    """
    deadline = clock() + seconds
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
            if any(text in reason for text in ("authentication failed", "does not exist", "not support SSL")):
                raise DatabaseError(f"{server} refuses the connection: {reason}") from None
            if clock() >= deadline:
                raise DatabaseError(
                    f"{server} did not answer within {seconds:.0f} s: {reason}. Check that it is up and that"
                    " the release task's security group may reach it, or raise RELEASE_DATABASE_WAIT"
                ) from None
            logger.info("waiting for the database", extra={"reason": reason})
            time.sleep(pause)
        else:
            return


def ensure_application_user(master: Server, *, user: str, password: str) -> None:
    """Create the application's user, or bring its password and its grants up to date.

    Works with a master that is no superuser, as on RDS: so no attribute is named that only a superuser
    may name. The password leaves this process as a SCRAM verifier, so the server's statement log never
    holds it.
    """
    if user == master.user:
        raise DatabaseError(
            f"DATABASE_USER and DATABASE_MASTER_USER are both {user!r}: give the application its own"
        )
    with master.connect() as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_RELEASE_LOCK])
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user]).fetchone()
        verifier = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256")
        statement = (
            "ALTER ROLE {role} LOGIN PASSWORD {verifier}"
            if known
            else ("CREATE ROLE {role} LOGIN PASSWORD {verifier}")
        )
        for template in (
            statement,
            # Nobody else may enter the database or make objects in it, which PUBLIC may by default.
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
            "GRANT USAGE, CREATE ON SCHEMA public TO {role}",
        ):
            connection.execute(
                sql.SQL(template).format(
                    role=sql.Identifier(user),
                    database=sql.Identifier(master.name),
                    verifier=sql.Literal(verifier.decode()),
                )
            )
    logger.info("the application's database user is up to date", extra={"user": user, "new": not known})


@contextmanager
def one_at_a_time(server: Server) -> Iterator[None]:
    """Hold a lock in the database, so that two releases cannot migrate it at the same time."""
    with server.connect() as connection:
        connection.execute("SET lock_timeout = '300s'")
        connection.execute("SELECT pg_advisory_lock(%s)", [_RELEASE_LOCK])
        yield
