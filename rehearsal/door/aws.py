"""AWS's own public names, such as those in a presigned address of S3: the emulator answers for them."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator

from rehearsal.door.messages import Request, Response, forwardable
from rehearsal.door.upstream import Upstream
from rehearsal.emulator import Emulator

_S3 = re.compile(r"(?:.+\.)?s3(?:[.-][a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com")
_IDLE_SECONDS = 60.0


def is_aws(host: str) -> bool:
    """Whether a name is S3's or a bucket's."""
    return _S3.fullmatch(host) is not None


class AwsEndpoint:
    """Passes requests on to the emulator, unchanged: their signature covers the host.

    Args:
        emulator: the local AWS.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._port = emulator.port
        self._context = ssl.create_default_context(cafile=str(emulator.ca_file))

    async def answer(self, request: Request) -> Response:
        """Answer a request with the emulator's answer."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=self._context, server_hostname="localhost"
        )
        connection = Upstream(("127.0.0.1", self._port), reader, writer)
        await connection.send(request.method, request.target, request.headers, request.body)
        answer = await connection.receive(idle_seconds=_IDLE_SECONDS)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for piece in connection.body(idle_seconds=_IDLE_SECONDS):
                    yield piece
            finally:
                connection.close()

        return Response(answer.status_code, forwardable(list(answer.headers.raw_items())), body())
