"""The project's own settings, with an environment like a stage's; what the tests talk to is local.

The ports are chosen here, before the servers exist; fixtures start them on first use.
"""

import os
import tempfile
from pathlib import Path

from development.postgres import free_port

WORK = Path(tempfile.mkdtemp(prefix="fieldnotes-tests-"))
AWS_PORT = free_port()

STAGE = {
    "DJANGO_SECRET_KEY": "an-explicit-key-of-the-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    "DJANGO_ENVIRONMENT": "Testing",
    "DJANGO_ALLOWED_HOSTS": "notes.example.com",
    "DJANGO_CSRF_TRUSTED_ORIGINS": "https://notes.example.com",
    "DATABASE_HOST": "127.0.0.1",
    "DATABASE_PORT": str(free_port()),
    "DATABASE_NAME": "fieldnotes",
    "DATABASE_USER": "fieldnotes",
    "DATABASE_PASSWORD": "the application's p%ssword",
    "DATABASE_SSLMODE": "disable",  # the server from the wheel has no TLS
    "STATIC_URL": "https://static.notes.example.com/",
    "STATIC_BUCKET": "static-bucket",
    "MEDIA_BUCKET": "media-bucket",
    "CELERY_QUEUE_NAME": "celery",
    "CELERY_QUEUE_URL": f"http://127.0.0.1:{AWS_PORT}/123456789012/celery",
    "CELERY_VISIBILITY_TIMEOUT": "120",
    "CELERY_SOFT_SHUTDOWN_SECONDS": "4",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{AWS_PORT}",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}
MASTER = {"DATABASE_MASTER_USER": "master", "DATABASE_MASTER_PASSWORD": "the master's p%ssword"}

for _name in ("DJANGO_DEBUG", "AWS_PROFILE", "AWS_SESSION_TOKEN", "PGOPTIONS", "DATABASE_SSLROOTCERT"):
    os.environ.pop(_name, None)
os.environ.update(STAGE)

from project.settings import *  # noqa: E402, F403

STATIC_ROOT = WORK / "app" / "staticfiles"  # of the build that the tests make
