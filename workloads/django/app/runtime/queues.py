"""Celery on SQS: logs as JSON, the request's id in the task's log lines, a sign of life, private CAs."""

import logging
import logging.config
import os
import time
from typing import Any

from celery import shared_task, signals
from django.conf import settings
from kombu.asynchronous.aws import connection as kombu_aws

from runtime import logs

logger = logging.getLogger(__name__)


@shared_task(bind=True)
def report_latency(self: Any) -> None:
    """Log how long this message waited in the queue. Touches no database, so the database may sleep."""
    sent_at = float(self.request.get("sent_at") or time.time())
    logger.info("queue latency", extra={"queue_latency_seconds": round(time.time() - sent_at, 3)})


@signals.setup_logging.connect
def configure_logging(**_: Any) -> None:
    """Keep Celery from replacing our handlers."""
    logging.config.dictConfig(settings.LOGGING)


@signals.before_task_publish.connect
def stamp(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Tell the worker when a task was sent, and by which request."""
    if headers is not None:
        headers.setdefault("sent_at", time.time())
        if identifier := logs.request_id.get():
            headers.setdefault("request_id", identifier)


@signals.task_prerun.connect
def adopt_request_id(task: Any = None, task_id: str = "", **_: Any) -> None:
    """Let the task's log lines carry the id of the request that asked for it."""
    if not task.request.is_eager:
        logs.request_id.set(task.request.get("request_id") or task_id)


@signals.worker_init.connect
def trust_private_ca(**_: Any) -> None:
    """Make the worker's HTTP client honour AWS_CA_BUNDLE, as boto3 does.

    kombu receives messages with a client of its own, which knows the public authorities only.
    """
    if bundle := os.environ.get("AWS_CA_BUNDLE"):
        kombu_aws.get_cert_path = lambda _verify: bundle
