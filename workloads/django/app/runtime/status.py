"""Health: `/status/` for the load balancer, `/status/deep/` for the smoke test after a deployment.

The shallow one must not touch the database: a slow database would otherwise take every task out of
service at once, and a database that pauses itself would never sleep.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from runtime.aws import client

logger = logging.getLogger(__name__)

SHALLOW, DEEP = "/status/", "/status/deep/"
_FRESH_FOR = 5.0  # seconds: the page is public, so it must not be a way to load the database


class StatusMiddleware:
    """Answers before host validation and the redirect to HTTPS, which the load balancer cannot pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.deep = DeepStatus()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == SHALLOW:
            return _answer({"status": "ok"})
        if request.path_info == DEEP:
            return _answer(self.deep.read())
        return self.get_response(request)


class DeepStatus:
    """Database, migrations and queue; remembered for a few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._last: dict[str, object] = {}
        self._migrated = False  # an image's migrations do not change: once applied is always applied

    def read(self) -> dict[str, object]:
        with self._lock:
            if not self._last or time.monotonic() - self._read_at > _FRESH_FOR:
                checks = {
                    "database": _outcome("database", self._database),
                    "migrations": _outcome("migrations", self._migrations),
                    "queue": _outcome("queue", self._queue),
                }
                self._last = {
                    "status": "ok" if set(checks.values()) <= {"ok", "not configured"} else "failing",
                    "environment": settings.ENVIRONMENT,
                    "revision": settings.REVISION,
                    "checks": checks,
                }
                self._read_at = time.monotonic()
            return self._last

    def _database(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok"

    def _migrations(self) -> str:
        if not self._migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "pending"
            self._migrated = True
        return "ok"

    def _queue(self) -> str:
        if not settings.QUEUE_URL:
            return "not configured"
        client("sqs").get_queue_attributes(
            QueueUrl=settings.QUEUE_URL, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return "ok"


def _outcome(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception:
        # The reason names hosts and accounts, so it goes to the log and not to the page.
        logger.exception("the %s check of %s failed", name, DEEP)
        return "failing"


def _answer(body: dict[str, object]) -> JsonResponse:
    response = JsonResponse(body, status=200 if body["status"] == "ok" else 503)
    response["Cache-Control"] = "no-store"
    return response
