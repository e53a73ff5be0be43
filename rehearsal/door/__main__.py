"""The door's process. `Door.start` runs it with its folder as the one argument."""

import asyncio
import json
import logging
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from cryptography import x509

from rehearsal.background import end_with_parent
from rehearsal.door.authority import Authority, fingerprint
from rehearsal.door.controller import SETTINGS, STATE, DoorSettings, DoorState
from rehearsal.door.front import Front
from rehearsal.door.look_ups import LookUps
from rehearsal.door.names import Names
from rehearsal.door.proxy import Proxy
from rehearsal.door.resolver import Registrar, Resolver
from rehearsal.emulator import Emulator

_BACKLOG = 1024  # connections that wait to be accepted: a burst must not be refused


async def serve(directory: Path) -> None:
    """Open the door, write down how it is used, and serve until the process is told to end."""
    settings = DoorSettings(**json.loads((directory / SETTINGS).read_text(encoding="utf-8")))
    emulator = Emulator.attach(Path(settings.emulator))
    authority = Authority(directory / "tls")
    look_ups = LookUps(emulator, seconds=settings.fresh_seconds)
    names = Names(
        look_ups,
        domain=settings.domain,
        parent_account=settings.parent_account,
        parent_zone=settings.parent_zone,
    )
    front = Front(look_ups, names, authority)
    proxy = Proxy(front, emulator_port=emulator.port, sites=settings.sites)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, backlog=_BACKLOG)
    port = server.sockets[0].getsockname()[1]
    resolver = Resolver(names, Registrar(directory), settings.domain)
    _write_state(directory, _state(directory, settings, authority, emulator, port, await resolver.serve()))
    ended = asyncio.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(wanted, ended.set)
    await ended.wait()
    server.close()
    resolver.close()
    front.close()


def _state(
    directory: Path,
    settings: DoorSettings,
    authority: Authority,
    emulator: Emulator,
    port: int,
    resolver: int,
) -> DoorState:
    trusted = directory / "ca.pem"
    trusted.write_bytes(authority.certificate + emulator.ca_file.read_bytes())
    shown = x509.load_pem_x509_certificate((emulator.directory / "server.pem").read_bytes())
    return DoorState(
        pid=os.getpid(),
        proxy=f"http://127.0.0.1:{port}",
        ca_file=str(trusted),
        # The emulator's too: the addresses of media are there.
        fingerprints=(authority.fingerprint, fingerprint(shown.public_key())),
        sites=tuple(settings.sites),
        resolver=f"127.0.0.1:{resolver}",
    )


def _write_state(directory: Path, state: DoorState) -> None:
    """Write it whole: who waits for the file reads it at once."""
    part = directory / f"{STATE}.part"
    part.write_text(json.dumps(asdict(state)), encoding="utf-8")
    part.rename(directory / STATE)


if __name__ == "__main__":
    end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(Path(sys.argv[1])))
