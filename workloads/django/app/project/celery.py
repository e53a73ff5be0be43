"""The Celery application; all its settings are the `CELERY_*` ones of `project.settings`."""

import os

from celery import Celery

import runtime.queues  # noqa: F401 -- its signal handlers count where tasks are sent, too

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
