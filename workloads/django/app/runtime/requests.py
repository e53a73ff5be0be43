"""What every request gets: an id that all its log lines carry, a content policy, the stage's name."""

import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from runtime import logs

GetResponse = Callable[[HttpRequest], HttpResponse]

# Only what is safe to repeat in a log line and in a header; anybody can send one.
_SAFE = re.compile(r"[A-Za-z0-9._:=-]{8,128}")


def identify(request: HttpRequest) -> str:
    """Return the caller's request id, else the load balancer's trace id, else a new one."""
    trace = dict(
        part.split("=", 1) for part in request.headers.get("X-Amzn-Trace-Id", "").split(";") if "=" in part
    )
    for candidate in (request.headers.get("X-Request-Id", ""), trace.get("Root", "")):
        if _SAFE.fullmatch(candidate):
            return candidate
    return uuid.uuid4().hex


class RequestIdMiddleware:
    """Sets the id for the logs of this request, and answers it in `X-Request-Id`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identifier = identify(request)
        token = logs.request_id.set(identifier)
        try:
            response = self.get_response(request)
        finally:
            logs.request_id.reset(token)
        response["X-Request-Id"] = identifier
        return response


class ContentSecurityPolicyMiddleware:
    """Scripts and styles come from the static origin alone; images also from signed media URLs."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        assets = f"'self' {settings.CSP_ASSETS}".strip()
        self.policy = "; ".join(
            [
                f"default-src {assets}",
                f"img-src {assets} {settings.CSP_IMAGES}",
                "connect-src 'self'",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not settings.DEBUG:  # Django's own error page has its styles inline
            response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


def stage(_request: HttpRequest) -> dict[str, str]:
    """Give templates the name of the environment and the revision they run on."""
    return {"environment": settings.ENVIRONMENT, "revision": settings.REVISION}
