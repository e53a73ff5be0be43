"""Many people at once on a rehearsed site, through the door, over TLS and by its real name.

    python -m bench.load staging --connections 200 --seconds 20 --json

It needs a rehearsal that is up (`./lz rehearse --keep`). All figures are of one machine that runs clients, door,
load balancer, tasks and database at once: they show what breaks under load, not what AWS would carry.
"""

import argparse
import asyncio
import contextlib
import json
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import h11

ROOT = Path(__file__).parents[1]
OK = 200
READ_BYTES = 65536
SETTLE_SECONDS = 60.0  # an answer that is on its way when the time is over is waited for


@dataclass
class Tally:
    """What came back.

    Args:
        statuses: HTTP status -> how often; 0 for a connection that broke.
        seconds: how long each answer took.
        problems: what the client saw of those that broke.
        failed_at: when answers other than 200 came, on the monotonic clock.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    failed_at: list[float] = field(default_factory=list)

    def take(self, status: int) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        if status != OK:
            self.failed_at.append(time.monotonic())


@dataclass(frozen=True)
class Figures:
    """The result of one run.

    Args:
        url: what was asked.
        connections: clients at once.
        seconds: how long.
        requests: answers, whatever their status.
        statuses: HTTP status -> how often; "0" for a connection that broke.
        per_second: answers per second.
        p50: half of the answers took at most so many milliseconds.
        p95: 95 % did.
        p99: 99 % did.
        slowest: milliseconds.
    """

    url: str
    connections: int
    seconds: float
    requests: int
    statuses: dict[str, int]
    per_second: float
    p50: float
    p95: float
    p99: float
    slowest: float


class Client:
    """One person with one connection, who asks for the next page as soon as one has come.

    Args:
        proxy_port: port of the door.
        url: the page.
        context: whom to trust.
        tally: where to write what came back.
    """

    def __init__(self, proxy_port: int, url: str, context: ssl.SSLContext, tally: Tally) -> None:
        self._proxy_port = proxy_port
        self._parts = urlsplit(url)
        self._context = context
        self._tally = tally

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
        status = 0
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_BYTES))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError("the connection was closed before the answer")
        self._tally.take(status)
        self._tally.seconds.append(time.monotonic() - began)


async def load(proxy: str, ca_file: str, url: str, *, connections: int, seconds: float) -> Tally:
    """Let many clients ask for a page.

    Args:
        proxy: URL of the door.
        ca_file: authority to trust.
        url: the page.
        connections: clients at once.
        seconds: how long.
    """
    tally = Tally()
    context = ssl.create_default_context(cafile=ca_file)
    port = urlsplit(proxy).port or 0
    until = time.monotonic() + seconds
    clients = [Client(port, url, context, tally).run(until) for _ in range(connections)]
    async with asyncio.timeout(seconds + SETTLE_SECONDS):
        await asyncio.gather(*clients)
    return tally


def figures(tally: Tally, url: str, *, connections: int, seconds: float) -> Figures:
    """Sum a run up."""
    ordered = sorted(tally.seconds) or [0.0]

    def at(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 1)

    return Figures(
        url=url,
        connections=connections,
        seconds=seconds,
        requests=sum(tally.statuses.values()),
        statuses={str(status): count for status, count in sorted(tally.statuses.items())},
        per_second=round(sum(tally.statuses.values()) / seconds, 1),
        p50=at(0.5),
        p95=at(0.95),
        p99=at(0.99),
        slowest=at(1.0),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit code is 1 if anything but a page came back."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environment", help="such as staging")
    parser.add_argument("--path", default="/", help="page to ask for")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    chosen = parser.parse_args(arguments)
    command = [sys.executable, "-m", "operations", "open", chosen.environment, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr or done.stdout, file=sys.stderr)
        return done.returncode
    reach = json.loads(done.stdout)
    url = reach["urls"]["site"].rstrip("/") + chosen.path
    tally = asyncio.run(
        load(reach["proxy"], reach["ca_file"], url, connections=chosen.connections, seconds=chosen.seconds)
    )
    found = figures(tally, url, connections=chosen.connections, seconds=chosen.seconds)
    if chosen.json:
        print(json.dumps(asdict(found), indent=2))
    else:
        print(f"{found.requests} answers, {found.per_second} per second, by status {found.statuses}")
        print(f"p50 {found.p50} ms, p95 {found.p95} ms, p99 {found.p99} ms, slowest {found.slowest} ms")
    for problem, count in tally.problems.most_common(5):
        print(f"{count} times: {problem}", file=sys.stderr)
    return 0 if set(found.statuses) <= {"200"} else 1


if __name__ == "__main__":
    sys.exit(main())
