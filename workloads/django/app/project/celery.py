"""The Celery application; all its settings are the `CELERY_*` ones of `project.settings`."""

import gc
import os
from typing import Any

from celery import Celery, signals

import runtime.queues  # noqa: F401 -- its signal handlers count where tasks are sent, too

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_before_create_process.connect
def share_memory(**_: Any) -> None:
    """Keep what was imported out of garbage collection: looking at it would copy every page into every process."""
    gc.collect()
    gc.freeze()
