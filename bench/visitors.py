"""People who use a rehearsed site, through the door, over TLS and by its real name."""

import asyncio
import contextlib
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import h11

OK = 200
READ_BYTES = 65536
SETTLE_SECONDS = 60.0  # an answer that is on its way when the time is over is waited for
MOST_TOLD = 200  # bytes of a page that was not to come
PART_SECONDS = 1.0  # after it, everybody connects anew


@dataclass
class Tally:
    """What came back.

    Args:
        statuses: HTTP status -> how often; 0 for a connection that broke.
        seconds: how long each answer took.
        problems: what the client saw of those that broke, or were another answer than 200.
        failed_at: when answers other than 200 came, on the monotonic clock.
        marked: pages that had the client's mark in them.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    failed_at: list[float] = field(default_factory=list)
    marked: int = 0

    def take(self, status: int) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        if status != OK:
            self.failed_at.append(time.monotonic())

    def add(self, other: "Tally") -> None:
        """Count what another has counted.

        Args:
            other: the other.
        """
        self.statuses.update(other.statuses)
        self.seconds.extend(other.seconds)
        self.problems.update(other.problems)
        self.failed_at.extend(other.failed_at)
        self.marked += other.marked


@dataclass(frozen=True)
class Manner:
    """How a client asks.

    Args:
        pause: seconds between a page and the next request.
        mark: what a page has in it that is to be counted; empty for nothing.
    """

    pause: float = 0.0
    mark: bytes = b""


AT_ONCE = Manner()


class Client:
    """One person with one connection, who asks for the next page as soon as one has come, or after a pause.

    Args:
        proxy_port: port of the door.
        url: the page.
        context: whom to trust.
        tally: where to write what came back.
        manner: how it asks.
    """

    def __init__(
        self, proxy_port: int, url: str, context: ssl.SSLContext, tally: Tally, manner: Manner = AT_ONCE
    ) -> None:
        self._proxy_port = proxy_port
        self._parts = urlsplit(url)
        self._context = context
        self._tally = tally
        self._manner = manner

    async def run(self, until: float) -> None:
        """Ask until a moment.

        Args:
            until: time of the monotonic clock.
        """
        while time.monotonic() < until:
            try:
                await self._visit(until)
            except (OSError, EOFError, h11.ProtocolError, ssl.SSLError) as error:
                self._tally.take(0)
                self._tally.problems[f"{type(error).__name__}: {error}"] += 1
                await asyncio.sleep(0.1)

    async def _visit(self, until: float) -> None:
        host = self._parts.hostname or ""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._proxy_port)
        try:
            writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise EOFError(head.decode("latin-1").splitlines()[0])
            await writer.start_tls(self._context, server_hostname=host)
            connection = h11.Connection(h11.CLIENT)
            while time.monotonic() < until:
                await self._request(connection, reader, writer)
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return
                connection.start_next_cycle()
                await asyncio.sleep(self._manner.pause)
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    async def _request(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        began = time.monotonic()
        request = h11.Request(
            method="GET", target=self._parts.path or "/", headers=[("Host", self._parts.hostname or "")]
        )
        writer.write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        status, body = 0, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_BYTES))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError("the connection was closed before the answer")
        self._tally.take(status)
        if status != OK:
            self._tally.problems[f"{status}: {body[:MOST_TOLD].decode(errors='replace')}"] += 1
        self._tally.seconds.append(time.monotonic() - began)
        self._tally.marked += bool(self._manner.mark) and self._manner.mark in body


async def load(
    proxy: str, ca_file: str, url: str, *, connections: int, seconds: float, manner: Manner = AT_ONCE
) -> Tally:
    """Let many clients ask for a page.

    Args:
        proxy: URL of the door.
        ca_file: authority to trust.
        url: the page.
        connections: clients at once.
        seconds: how long.
        manner: how each of them asks.
    """
    tally = Tally()
    context = ssl.create_default_context(cafile=ca_file)
    port = urlsplit(proxy).port or 0
    until = time.monotonic() + seconds
    clients = [Client(port, url, context, tally, manner).run(until) for _ in range(connections)]
    async with asyncio.timeout(seconds + SETTLE_SECONDS):
        await asyncio.gather(*clients)
    return tally


@contextlib.contextmanager
def people(
    proxy: str, ca_file: str, url: str, *, connections: int, manner: Manner = AT_ONCE
) -> Iterator[Tally]:
    """Let people use a site while the body runs.

    Args:
        proxy: URL of the door.
        ca_file: authority to trust.
        url: the page.
        connections: clients at once; each connects anew every second.
        manner: how each of them asks.
    """
    tally, stop = Tally(), threading.Event()

    async def visits() -> None:
        while not stop.is_set():
            part = load(proxy, ca_file, url, connections=connections, seconds=PART_SECONDS, manner=manner)
            tally.add(await part)

    thread = threading.Thread(target=lambda: asyncio.run(visits()))
    thread.start()
    try:
        yield tally
    finally:
        stop.set()
        thread.join()
