"""The world's DNS, as far as the preflight asks it: who serves a domain, by the word of its registrar."""

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from rehearsal.door.faults import ChainError
from rehearsal.door.names import Names, normal

REGISTRAR = "registrar.json"
_TTL_SECONDS = 60
_LOOPBACK = "127.0.0.1"

log = logging.getLogger("rehearsal.door")


class Registrar:
    """Where a registrar says that domains are served; a person enters it.

    Args:
        directory: the door's folder.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / REGISTRAR

    def enter(self, domain: str, name_servers: Sequence[str]) -> None:
        """Enter the name servers of a domain."""
        entered = {**self._read(), normal(domain): sorted(map(normal, name_servers))}
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(entered), encoding="utf-8")
        os.replace(part, self._file)  # noqa: PTH105 -- whoever reads sees the old or the new one

    def name_servers(self, domain: str) -> frozenset[str]:
        """The name servers that were entered for a domain; none if nobody did."""
        return frozenset(self._read().get(normal(domain), []))

    def _read(self) -> dict[str, list[str]]:
        if not self._file.is_file():
            return {}
        found: dict[str, list[str]] = json.loads(self._file.read_text(encoding="utf-8"))
        return found


class Resolver(asyncio.DatagramProtocol):
    """Answers questions for name servers over UDP; refuses all others.

    Args:
        names: knows the zones.
        registrar: knows who serves the parent domain.
        domain: the parent domain.
    """

    def __init__(self, names: Names, registrar: Registrar, domain: str) -> None:
        self._names = names
        self._registrar = registrar
        self._domain = domain
        self._transport: asyncio.DatagramTransport | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self) -> int:
        """Serve a free port of this machine; gives the port."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(_LOOPBACK, 0)
        )
        return int(transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        """Serve no more."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | bytes, int]) -> None:
        """Answer a question; what is none is ignored."""
        task = asyncio.ensure_future(self._reply(data, addr))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _reply(self, data: bytes, addr: tuple[str | bytes, int]) -> None:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        answer = await self.answer(query)
        if self._transport is not None:
            self._transport.sendto(answer.to_wire(), addr)

    async def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer a question.

        Args:
            query: the question.
        """
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name = normal(question.name.to_text())
        if question.rdtype != dns.rdatatype.NS or not self._names.is_ours(name):
            answer.set_rcode(dns.rcode.REFUSED)
            return answer
        entered = self._registrar.name_servers(self._domain)
        if not entered:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            return answer
        try:
            servers = await self._names.name_servers(name, entered)
        except ChainError as broken:
            log.info("NS %s: %s", name, broken)
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        if servers:
            texts = [f"{server}." for server in sorted(servers)]
            answer.answer.append(dns.rrset.from_text(question.name, _TTL_SECONDS, "IN", "NS", *texts))
        return answer
