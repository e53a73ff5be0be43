"""One JSON object per line on stdout, from Django, Celery and gunicorn alike.

Fields of `extra=` become fields of the line, so `logger.info("bound", extra={"pages": 7})` can be
filtered by `pages` in CloudWatch Logs Insights. Imports no Django settings: gunicorn reads it too.
"""

import contextvars
import json
import logging
from datetime import UTC, datetime
from typing import Any

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request"}
_HEALTH_CHECK = "/status/"


class JsonFormatter(logging.Formatter):
    """Message, origin, request id, exception, and whatever `extra=` brought."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **self.event(record),
        }
        if identifier := request_id.get():
            line.setdefault("request_id", identifier)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)

    def event(self, record: logging.LogRecord) -> dict[str, Any]:
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}
        return {"message": record.getMessage(), **extra}


class AccessFormatter(JsonFormatter):
    """Gunicorn's access line: it hands its fields over as the record's arguments.

    The path without its query, because a query may hold personal data or a signature.
    """

    def event(self, record: logging.LogRecord) -> dict[str, Any]:
        atoms: Any = record.args or {}
        return {
            "message": f"{atoms['m']} {atoms['U']} {atoms['s']}",
            "method": atoms["m"],
            "path": atoms["U"],
            "status": int(atoms["s"]),
            "bytes": atoms["B"],
            "milliseconds": atoms["M"],
            "client": atoms["{x-forwarded-for}i"],
            "agent": atoms["a"],
            "request_id": atoms["{x-request-id}o"],
        }


class HealthCheckFilter(logging.Filter):
    """Leaves out health checks that went well: they would be most of the log, and of its bill."""

    def filter(self, record: logging.LogRecord) -> bool:
        atoms: Any = record.args or {}
        return not (isinstance(atoms, dict) and atoms.get("U") == _HEALTH_CHECK and str(atoms["s"]) == "200")


def configuration(*, json_lines: bool = True, level: str = "INFO") -> dict[str, Any]:
    """Return the `logging.config` dictionary that all processes share."""
    stdout = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "runtime.logs.JsonFormatter"},
            "access": {"()": "runtime.logs.AccessFormatter"},
            "plain": {"format": "%(levelname)-7s %(name)s: %(message)s"},
        },
        "filters": {"health": {"()": "runtime.logs.HealthCheckFilter"}},
        "handlers": {
            "stdout": {**stdout, "formatter": "json" if json_lines else "plain"},
            "access": {**stdout, "formatter": "access", "filters": ["health"]},
        },
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            # Django's default handlers (to stderr, by mail to admins) give way to the one above.
            "django": {"level": level, "handlers": [], "propagate": True},
            "django.server": {"level": level, "handlers": [], "propagate": True},
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "INFO", "handlers": ["access"], "propagate": False},
            # botocore and kombu are chatty below this, and tell of signatures at DEBUG.
            "botocore": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }
