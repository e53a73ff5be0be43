"""The forward proxy: whoever uses it sees the rehearsal's names as the world would see the real ones."""

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

import h11

from rehearsal.door.faults import ChainError
from rehearsal.door.front import Front
from rehearsal.door.messages import Channel, Request, Response
from rehearsal.door.upstream import UpstreamError

HTTP, HTTPS = 80, 443
HANDSHAKE_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 3600.0  # client_keep_alive.seconds of a load balancer
_LOOPBACK = "127.0.0.1"

log = logging.getLogger("rehearsal.door")


class Proxy:
    """Serves one port of 127.0.0.1.

    Args:
        front: finds what is behind a name.
        emulator_port: the one port of this machine that clients may reach through it.
        sites: addresses to look at, for people and programs that ask the proxy itself.
    """

    def __init__(self, front: Front, *, emulator_port: int, sites: Sequence[str]) -> None:
        self._front = front
        self._emulator_port = emulator_port
        self._sites = sites

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        client = str(writer.get_extra_info("peername")[0])
        try:
            await self._serve(reader, writer, client)
        except (OSError, ssl.SSLError, h11.ProtocolError, UpstreamError, TimeoutError) as error:
            log.debug("connection of %s ended: %s", client, error)
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str) -> None:
        channel = Channel(reader, writer)
        while True:
            received = await channel.receive()
            if received is None:
                return
            target = received.target.decode("latin-1")
            if received.method == b"CONNECT":
                await self._connect(target, channel, reader, writer, client)
                return
            if target.startswith("/"):
                await channel.send(await self._about())
            else:
                await self._plain(target, received, channel, client)
            if not await channel.next_cycle():
                return

    async def _plain(self, target: str, received: h11.Request, channel: Channel, client: str) -> None:
        """Answer a request for an http:// address."""
        parts = urlsplit(target)
        port = parts.port or HTTP
        request = channel.request(received, scheme="http", port=port, client=client)
        await channel.send(await self._answer(parts.hostname or "", request))

    async def _connect(
        self,
        target: str,
        channel: Channel,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: str,
    ) -> None:
        """Be the server of a tunnel that a client asks for."""
        host, _, port_text = target.rpartition(":")
        host, port = host.strip("[]"), int(port_text) if port_text.isdigit() else HTTPS
        if (host, port) == (_LOOPBACK, self._emulator_port):
            await self._tunnel(channel, reader, writer)
            return
        try:
            entry = await self._front.entry(host, port)
            context = self._front.tls(entry) if entry.is_secure else None
        except ChainError as broken:
            log.info("%s:%d: %s", host, port, broken)
            await channel.send(_refusal(broken))
            return
        await channel.accept_tunnel()
        if context is not None:
            await writer.start_tls(context, ssl_handshake_timeout=HANDSHAKE_SECONDS)
        scheme = "https" if entry.is_secure else "http"
        await self._requests(host, port, scheme, Channel(reader, writer), client)

    async def _requests(self, host: str, port: int, scheme: str, channel: Channel, client: str) -> None:
        """Answer the requests of one connection."""
        while True:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                received = await channel.receive()
            if received is None:
                return
            request = channel.request(received, scheme=scheme, port=port, client=client)
            await channel.send(await self._answer(host, request))
            if not await channel.next_cycle():
                return

    async def _answer(self, host: str, request: Request) -> Response:
        """Answer one request by the configuration of its moment, whatever it was when the connection was made."""
        try:
            entry = await self._front.entry(host, request.port)
            if entry.is_secure != (request.scheme == "https"):
                spoken = "TLS" if entry.is_secure else "plain HTTP"
                reason = f"{host}:{request.port} speaks {spoken}, and the client does not"
                raise ChainError("listener", reason, status=400)
            return await entry.answer(request)
        except ChainError as broken:
            log.info("%s:%d: %s", host, request.port, broken)
            return _refusal(broken)
        except Exception:
            log.exception("%s %s of %s:%d failed", request.method, request.target, host, request.port)
            return Response.whole(500, b"the rehearsal's door failed; see door.log\n")

    async def _tunnel(
        self, channel: Channel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Let a client talk to the emulator itself: media has addresses there."""
        far_reader, far_writer = await asyncio.open_connection(_LOOPBACK, self._emulator_port)
        await channel.accept_tunnel()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, far_writer))
                both.create_task(_copy(far_reader, writer))
        finally:
            far_writer.close()

    async def _about(self) -> Response:
        """Tell which sites there are, and by which chain each is reached."""
        found = []
        for url in self._sites:
            parts = urlsplit(url)
            try:
                entry = await self._front.entry(parts.hostname or "", parts.port or HTTPS)
                found.append({"url": url, "kind": entry.kind, "chain": entry.chain})
            except ChainError as broken:
                found.append({"url": url, "step": broken.step, "problem": broken.reason})
        content = json.dumps({"sites": found}, indent=2).encode()
        return Response.whole(200, content, (b"Content-Type", b"application/json"))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


def _refusal(broken: ChainError) -> Response:
    """What the proxy says where the world would get no connection at all."""
    page = broken.page(f"{broken.status} {broken.step}")
    return Response.whole(broken.status, page, (b"Content-Type", b"text/html"), *broken.headers())
