"""A PostgreSQL for a minute: empty, on this machine alone, and gone afterwards."""

import contextlib
import os
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operations.errors import CommandError

START_SECONDS = 60
# Nothing here outlives the minute, so nothing has to reach the disk.
_SETTINGS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c jit=off"


@dataclass(frozen=True)
class ThrowAway:
    """Where it is.

    Args:
        port: on 127.0.0.1.
        password: of the superuser.
    """

    port: int
    password: str = field(repr=False)
    host: str = "127.0.0.1"
    user: str = "postgres"
    name: str = "postgres"

    @property
    def django(self) -> dict[str, str]:
        """The entry in DATABASES."""
        place = {"HOST": self.host, "PORT": str(self.port), "NAME": self.name}
        return {**place, "USER": self.user, "PASSWORD": self.password}

    @property
    def url(self) -> str:
        """As projects with a DATABASE_URL want it."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.name}?sslmode=disable"


@contextlib.contextmanager
def throw_away_postgres() -> Iterator[ThrowAway]:
    """Run an empty PostgreSQL while the body runs.

    Raises:
        CommandError: it does not start.
    """
    # Of the rehearsal, for it knows how root runs a server that refuses root. Loaded when needed: few commands are.
    from rehearsal.engine.host import ids  # noqa: PLC0415
    from rehearsal.engine.postgres_programs import let_in, programs, server_user  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="lz-postgres-") as temporary:
        # One level deeper: the folder of the programs' copy stands beside the server's.
        folder = Path(temporary) / "server"
        folder.mkdir(mode=0o700)
        user = server_user()
        let_in(folder, user)
        owner = ids(user)
        as_user: dict[str, Any] = {"user": owner[0], "group": owner[1], "extra_groups": ()} if owner else {}
        server = _Server(folder, programs(folder, user), as_user)
        place = ThrowAway(port=_free_port(), password=secrets.token_hex(16))
        server.make(place)
        try:
            server.control("-w", "-t", str(START_SECONDS), "-o", server.options(place), "start")
            yield place
        finally:
            server.control("-m", "immediate", "-W", "stop", check=False)


class _Server:
    def __init__(self, folder: Path, programs: Path, as_user: dict[str, Any]) -> None:
        self._folder = folder
        self._programs = programs
        self._as_user = as_user
        self._data = folder / "data"
        self._log = folder / "log"

    def make(self, place: ThrowAway) -> None:
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(place.password, encoding="ascii")
        if self._as_user:
            os.chown(password, self._as_user["user"], self._as_user["group"])
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run(
            "initdb", [*options, f"--username={place.user}", f"--pwfile={password}", f"--pgdata={self._data}"]
        )

    @staticmethod
    def options(place: ThrowAway) -> str:
        return f"-h {place.host} -p {place.port} -k '' {_SETTINGS}"

    def control(self, *arguments: str, check: bool = True) -> None:
        self._run("pg_ctl", ["-D", str(self._data), "-l", str(self._log), *arguments], check=check)

    def _run(self, program: str, arguments: Sequence[str], *, check: bool = True) -> None:
        # To a file: the server inherits it, and a pipe would be waited for as long as the server runs.
        with (self._folder / f"{program}.out").open("a+", encoding="utf-8") as output:
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                cwd=self._folder,
                env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                **self._as_user,
            )
            output.seek(0)
            said = output.read()
        if check and done.returncode != 0:
            log = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
            message = f"the throw-away PostgreSQL did not start: {program} ended with {done.returncode}\n{said}{log}"
            raise CommandError(message.rstrip(), exit_code=1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
