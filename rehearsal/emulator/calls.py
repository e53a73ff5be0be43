"""AWS API calls from inside the emulator to itself, through the front door but without a socket.

A resource handler uses the same API that everybody uses, so that whatever it makes is seen by every describe call, and
so that an assumed role is limited by its policies. The request is signed and evaluated as any other.
"""

import asyncio
import contextvars
import functools
import io
import threading
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from rehearsal.emulator import internals
from rehearsal.models import session

# Never connected to: the requests are answered before they would leave.
_ENDPOINT = "https://localhost"
_TIMEOUT_SECONDS = 60.0
_CLIENTS = threading.Lock()


class UnansweredError(RuntimeError):
    """A call from the event loop met a service that has to wait: its resource type must run in a worker thread."""


class _Body(io.BytesIO):
    """A response body with the one method that botocore reads it with."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Give the whole body at once."""
        yield self.read()


def client(service: str, *, region: str | None = None, credentials: Mapping[str, str] | None = None) -> Any:
    """A boto client whose calls the emulator answers in this process.

    Args:
        service: boto's name of the service.
        region: region to call; that of the stack or request in progress if left out.
        credentials: `Credentials` of an AssumeRole answer; the root of the account in progress if left out.
    """
    keys = credentials or {"AccessKeyId": internals.account(), "SecretAccessKey": "rehearsal"}
    return _client(
        service,
        region or internals.region(),
        keys["AccessKeyId"],
        keys["SecretAccessKey"],
        keys.get("SessionToken"),
    )


def _client(service: str, region: str, key: str, secret: str, token: str | None) -> Any:
    with _CLIENTS:  # making one is not safe from several threads
        return _make(service, region, key, secret, token)


@functools.lru_cache(maxsize=256)
def _make(service: str, region: str, key: str, secret: str, token: str | None) -> Any:
    """The client, made once: reading a large service's model takes tenths of a second."""
    made = session().create_client(
        service,
        region_name=region,
        endpoint_url=_ENDPOINT,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}, parameter_validation=True),
    )
    made.meta.events.register("before-send", _answer)
    return made


def _answer(request: AWSPreparedRequest, **_: Any) -> Any:
    """Answer a signed request in this process (botocore's `before-send` hook)."""
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    url = urlsplit(request.url)
    raw_path = url.path or "/"
    headers = {"host": url.netloc, **{name.lower(): _text(value) for name, value in request.headers.items()}}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": url.query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 443),
    }
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    _run(internals.asgi_app()(scope, receive, send))
    started = next(message for message in messages if message["type"] == "http.response.start")
    content = b"".join(
        message.get("body", b"") for message in messages if message["type"] == "http.response.body"
    )
    answered: Any = {name.decode("latin-1"): value.decode("latin-1") for name, value in started["headers"]}
    return AWSResponse(request.url, started["status"], answered, _Body(content))


def _text(value: Any) -> str:
    """A header's value; botocore signs some as bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _run(request: Coroutine[Any, Any, None]) -> None:
    """Run a request to its end, from a worker thread or from the event loop itself.

    Raises:
        UnansweredError: the request came from the event loop, and its service has to wait for something.
    """
    loop = internals.main_loop()
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if loop is not None and running is not loop:
        asyncio.run_coroutine_threadsafe(request, loop).result(_TIMEOUT_SECONDS)
        return
    # On the loop nothing may wait. Most services never do: one step takes such a request to its end. The context is a
    # copy, because a request sets the account and the region it is for.
    try:
        contextvars.copy_context().run(request.send, None)
    except StopIteration:
        return
    request.close()
    raise UnansweredError("this service answers from a worker thread only")
