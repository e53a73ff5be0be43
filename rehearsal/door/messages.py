"""HTTP/1.1 on one connection with a client: requests come in, responses go out, bodies stream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import h11

Headers = list[tuple[bytes, bytes]]

READ_BYTES = 65536
LINGER_SECONDS = 5.0
LARGEST_HEAD = 65536  # bytes; load balancer and CloudFront both allow less
# Headers of one connection: whoever forwards a message writes its own (RFC 9110, section 7.6.1).
_OF_THE_CONNECTION = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
    }
)


_WITHOUT_BODY = (204, 304)
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


async def nothing() -> AsyncIterator[bytes]:
    """An empty body."""
    return
    yield b""


@dataclass
class Request:
    """A request.

    Args:
        method: in capitals.
        target: path and query, as they were sent.
        headers: without those of the connection; names as they were sent.
        body: read once.
        scheme: http or https.
        port: the port that the client asked.
        client: the client's address.
    """

    method: str
    target: str
    headers: Headers
    body: AsyncIterator[bytes]
    scheme: str
    port: int
    client: str

    @property
    def path(self) -> str:
        """The path alone."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query without its question mark."""
        return self.target.partition("?")[2]

    def header(self, name: bytes) -> str:
        """All values of a header, with commas between; empty if there is none."""
        return ", ".join(
            value.decode("latin-1") for key, value in self.headers if key.lower() == name.lower()
        )


@dataclass
class Response:
    """A response.

    Args:
        status: its code.
        headers: without those of the connection.
        body: read once, by whoever sends it.
    """

    status: int
    headers: Headers = field(default_factory=list)
    body: AsyncIterator[bytes] = field(default_factory=nothing)

    @classmethod
    def whole(cls, status: int, content: bytes, *headers: tuple[bytes, bytes]) -> "Response":
        """A response whose body is known.

        Args:
            status: its code.
            content: the body.
            headers: its headers, without the length.
        """

        async def body() -> AsyncIterator[bytes]:
            yield content

        return cls(status, [*headers, (b"Content-Length", str(len(content)).encode())], body())


async def close(body: AsyncIterator[bytes]) -> None:
    """Stop reading a body that may not have been read to its end: what it holds is let go now."""
    aclose = getattr(body, "aclose", None)
    if aclose is not None:
        await aclose()


def forwardable(headers: Headers) -> Headers:
    """Return the headers that belong to the message and not to one connection."""
    named = {
        name.strip().lower()
        for key, value in headers
        if key.lower() == b"connection"
        for name in value.split(b",")
    }
    return [(key, value) for key, value in headers if key.lower() not in _OF_THE_CONNECTION | named]


class Channel:
    """The server's side of one connection.

    Args:
        reader: from the client.
        writer: to the client.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        self._method = b""

    async def receive(self) -> h11.Request | None:
        """Wait for the next request; None when the client has none any more.

        Raises:
            h11.RemoteProtocolError: what came is no HTTP.
        """
        event = await self._next()
        if not isinstance(event, h11.Request):
            return None
        self._method = event.method.upper()
        return event

    def request(self, received: h11.Request, *, scheme: str, port: int, client: str) -> Request:
        """Make a received request one that can be answered.

        Args:
            received: the request; its target may be absolute, as a proxy gets it.
            scheme: http or https.
            port: the port that the client asked.
            client: the client's address.
        """
        target = received.target.decode("latin-1")
        if not target.startswith("/") and "://" in target:
            parts = urlsplit(target)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Request(
            received.method.decode().upper(),
            target,
            forwardable(list(received.headers.raw_items())),
            self._body(),
            scheme,
            port,
            client,
        )

    async def send(self, response: Response) -> None:
        """Send a response.

        Raises:
            OSError: the client has gone.
            h11.LocalProtocolError: the body is not as long as its headers say.
        """
        headers = forwardable(response.headers)
        if not self._request_is_read():
            # The rest of its body would be taken for the next request.
            headers.append((b"Connection", b"close"))
        head = h11.Response(
            status_code=response.status,
            headers=headers,
            reason=_REASONS.get(response.status, b""),
        )
        bodiless = self._method == b"HEAD" or response.status in _WITHOUT_BODY
        try:
            await self._write(head)
            async for piece in response.body:
                if piece and not bodiless:
                    await self._write(h11.Data(data=piece))
        finally:
            await close(response.body)
        await self._write(h11.EndOfMessage())

    async def accept_tunnel(self) -> None:
        """Say yes to CONNECT. What comes after is no HTTP of this channel any more."""
        await self._write(h11.Response(status_code=200, headers=[], reason=b"Connection established"))

    async def next_cycle(self) -> bool:
        """Make ready for the next request; False if the connection has to end."""
        if self._connection.our_state is h11.DONE and self._connection.their_state is h11.DONE:
            self._connection.start_next_cycle()
            return True
        if self._connection.their_state is h11.SEND_BODY:
            await self._linger()
        return False

    async def _linger(self) -> None:
        """Let a client finish what it sends: closed in the middle of that, it would not see the answer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._reader.read(READ_BYTES):
                    pass

    def _request_is_read(self) -> bool:
        """Whether nothing of the request is still to come; the end of one without a body has come with its head."""
        while self._connection.their_state is h11.SEND_BODY:
            if not isinstance(self._connection.next_event(), h11.EndOfMessage):
                return False
        return True

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            if self._connection.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            event = await self._next()
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    async def _next(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._connection.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            self._connection.receive_data(await self._reader.read(READ_BYTES))

    async def _write(self, event: h11.Event) -> None:
        data = self._connection.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()
