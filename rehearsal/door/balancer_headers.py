"""The headers that an Application Load Balancer sets, changes and drops."""

import re
import secrets
import time
from collections.abc import Mapping

from rehearsal.door.messages import Headers, Request

_VALID_NAME = re.compile(rb"[-A-Za-z0-9]+")
_REWRITTEN = frozenset({b"x-forwarded-proto", b"x-forwarded-port", b"x-amzn-trace-id"})
_USUAL_PORTS = {"http": 80, "https": 443}


def server_header() -> tuple[bytes, bytes]:
    """The header of answers that the load balancer gives itself."""
    return b"Server", b"awselb/2.0"


def to_target(attributes: Mapping[str, str], request: Request) -> Headers:
    """Return the headers of a request as a target gets them.

    Args:
        attributes: the load balancer's attributes.
        request: the request.
    """
    drop_invalid = attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true"
    mode = attributes.get("routing.http.xff_header_processing.mode", "append")
    headers: Headers = []
    for name, value in request.headers:
        lower = name.lower()
        if lower in _REWRITTEN or (lower == b"x-forwarded-for" and mode != "preserve"):
            continue
        if drop_invalid and not _VALID_NAME.fullmatch(name):
            continue
        if lower == b"host" and attributes.get("routing.http.preserve_host_header.enabled") != "true":
            value = _host(value, request)  # noqa: PLW2901 -- the one header that changes
        headers.append((name, value))
    if mode == "append":
        before = request.header(b"x-forwarded-for")
        chain = f"{before}, {request.client}" if before else request.client
        headers.append((b"X-Forwarded-For", chain.encode("latin-1")))
    headers.append((b"X-Forwarded-Proto", request.scheme.encode()))
    headers.append((b"X-Forwarded-Port", str(request.port).encode()))
    headers.append((b"X-Amzn-Trace-Id", _trace(request.header(b"x-amzn-trace-id"))))
    return headers


def _host(value: bytes, request: Request) -> bytes:
    """The host with the port, where it is not the scheme's own."""
    if b":" in value or request.port == _USUAL_PORTS[request.scheme]:
        return value
    return value + b":" + str(request.port).encode()


def _trace(given: str) -> bytes:
    """A trace id: a new one, or one more link of the caller's."""
    own = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return (f"Self={own};{given}" if given else f"Root={own}").encode("latin-1")
