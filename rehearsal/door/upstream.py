"""Connections to targets: kept open between requests, as a load balancer keeps them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Self

import h11

from rehearsal.door.messages import LARGEST_HEAD, READ_BYTES, Headers, close

Address = tuple[str, int]

SWITCHING_PROTOCOLS = 101
CONNECT_SECONDS = 10.0  # of an Application Load Balancer; fixed there too


class UpstreamError(Exception):
    """A target closed the connection, or what it sent is no HTTP."""


class Upstream:
    """One connection to one target.

    Args:
        address: IP address and port.
        reader: from the target.
        writer: to the target.
    """

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self.idle_since = time.monotonic()
        self._reader = reader
        self._writer = writer
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)

    @classmethod
    async def open(cls, address: Address) -> Self:
        """Connect.

        Raises:
            OSError: it cannot be reached; TimeoutError after ten seconds.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(*address)
        return cls(address, reader, writer)

    @property
    def usable(self) -> bool:
        """Whether the target has not closed it meanwhile."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def send(self, method: str, target: str, headers: Headers, body: AsyncIterator[bytes]) -> None:
        """Send a request. Whether it arrived shows when the response is received."""
        request = h11.Request(method=method, target=target, headers=headers)
        try:
            # A target may answer and close before it has read the whole body: its answer counts.
            with contextlib.suppress(ConnectionError):
                await self._write(request)
                async for piece in body:
                    await self._write(h11.Data(data=piece))
                await self._write(h11.EndOfMessage())
        finally:
            await close(body)

    async def receive(self, *, idle_seconds: float) -> h11.Response:
        """Wait for the head of the response.

        Args:
            idle_seconds: how long the target may be silent.

        Raises:
            UpstreamError: the target closed the connection, or sent something else.
            TimeoutError: it was silent for too long.
        """
        while True:
            event = await self._next(idle_seconds)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == SWITCHING_PROTOCOLS:
                raise UpstreamError(f"the target sent {type(event).__name__} where its answer should begin")

    async def body(self, *, idle_seconds: float) -> AsyncIterator[bytes]:
        """Read the body of the response.

        Raises:
            UpstreamError: the target closed the connection in the middle.
            TimeoutError: it was silent for too long.
        """
        while True:
            event = await self._next(idle_seconds)
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    def next_cycle(self) -> bool:
        """Make ready for the next request; False if the connection has to end."""
        if self._connection.our_state is h11.DONE and self._connection.their_state is h11.DONE:
            self._connection.start_next_cycle()
            return self.usable
        return False

    def close(self) -> None:
        """End it."""
        self._writer.close()

    async def _next(self, idle_seconds: float) -> object:
        try:
            while (event := self._connection.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(idle_seconds):
                    data = await self._reader.read(READ_BYTES)
                self._connection.receive_data(data)
        except TimeoutError:
            raise
        except (OSError, h11.RemoteProtocolError) as error:
            raise UpstreamError(str(error) or type(error).__name__) from error
        if isinstance(event, h11.ConnectionClosed):
            raise UpstreamError("the target closed the connection before it answered")
        return event

    async def _write(self, event: h11.Event) -> None:
        data = self._connection.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()


class Pool:
    """Idle connections, by target."""

    def __init__(self) -> None:
        self._idle: dict[Address, list[Upstream]] = {}

    async def connect(self, address: Address, *, idle_seconds: float) -> Upstream:
        """Take an idle connection or open one.

        Args:
            address: the target.
            idle_seconds: how long a connection may have been idle.

        Raises:
            OSError: the target cannot be reached.
        """
        idle = self._idle.get(address, [])
        while idle:
            kept = idle.pop()
            if kept.usable and time.monotonic() - kept.idle_since < idle_seconds:
                return kept
            kept.close()
        return await Upstream.open(address)

    def give_back(self, connection: Upstream) -> None:
        """Keep a connection whose response has been read, or close it."""
        if connection.next_cycle():
            connection.idle_since = time.monotonic()
            self._idle.setdefault(connection.address, []).append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """End all idle connections."""
        for connections in self._idle.values():
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.close()
        self._idle.clear()
