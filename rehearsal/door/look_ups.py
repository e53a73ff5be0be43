"""The configuration as AWS's own API tells it, each answer remembered for a moment."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from rehearsal.emulator import Emulator

FRESH_SECONDS = 1.0  # a change is seen after a second; without it each request would be ten API calls
_THREADS = 8
_MOST_ENTRIES = 2000

Answer = TypeVar("Answer")


class Moment:
    """Remembers what was found out for a moment; who asks meanwhile waits for the same answer.

    Args:
        seconds: how long an answer is fresh.
    """

    def __init__(self, seconds: float = FRESH_SECONDS) -> None:
        self._seconds = seconds
        self._known: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}

    async def get(self, key: Hashable, find: Callable[[], Awaitable[Answer]]) -> Answer:
        """Give the fresh answer, or find it.

        Args:
            key: what is asked.
            find: finds the answer; its exception is an answer too.
        """
        now = time.monotonic()
        expires, answer = self._known.get(key, (0.0, None))
        if answer is None or (answer.done() and now >= expires):
            if len(self._known) >= _MOST_ENTRIES:
                self._known.clear()
            answer = asyncio.ensure_future(find())
            self._known[key] = (float("inf"), answer)
            answer.add_done_callback(lambda done: self._start_clock(key, done))
        # Shielded: a browser that goes away must not take the answer from the others.
        return await asyncio.shield(answer)

    def _start_clock(self, key: Hashable, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled():
            answer.exception()  # seen, even if nobody waits for it any more
        self._known[key] = (time.monotonic() + self._seconds, answer)


class LookUps:
    """AWS API calls from the event loop.

    Args:
        emulator: the local AWS.
        seconds: how long an answer is fresh.

    Attributes:
        emulator: the local AWS.
        seconds: how long an answer is fresh.
    """

    def __init__(self, emulator: Emulator, *, seconds: float = FRESH_SECONDS) -> None:
        self.emulator = emulator
        self.seconds = seconds
        self._moment = Moment(seconds)
        self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="look-up")
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()

    async def call(
        self, service: str, account: str, operation: str, *, region: str | None = None, **arguments: Any
    ) -> Any:
        """Call as an account's root, or give the answer of a moment ago.

        Args:
            service: boto3's name of the service.
            account: the account.
            operation: boto3's name of the operation; all pages of it, if it has pages.
            region: the home region if left out.
            arguments: the operation's.
        """
        key = (service, account, region, operation, json.dumps(arguments, sort_keys=True))
        return await self._moment.get(
            key, lambda: self.fetch(service, account, operation, region=region, **arguments)
        )

    async def fetch(
        self, service: str, account: str, operation: str, *, region: str | None = None, **arguments: Any
    ) -> Any:
        """Call as an account's root, always."""

        def run() -> Any:
            client = self._client(service, account, region or self.emulator.region)
            if client.can_paginate(operation):
                return client.get_paginator(operation).paginate(**arguments).build_full_result()
            return getattr(client, operation)(**arguments)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    async def read_object(
        self, account: str, bucket: str, key: str, conditions: Mapping[str, str]
    ) -> tuple[Any, bytes]:
        """Read an object of S3 as an account's root.

        Args:
            account: the bucket's account.
            bucket: its name.
            key: the object's key.
            conditions: further arguments of GetObject, such as Range.
        """

        def run() -> tuple[Any, bytes]:
            client = self._client("s3", account, self.emulator.region)
            found = client.get_object(Bucket=bucket, Key=key, **conditions)
            return found, found["Body"].read()

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    def _client(self, service: str, account: str, region: str) -> Any:
        key = (service, account, region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self.emulator.client(service, account, region)
            return self._clients[key]

    def close(self) -> None:
        """Let its threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)
