"""Settings, URLs and the two entry points (WSGI and Celery) of the project."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
