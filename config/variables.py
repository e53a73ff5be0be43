"""The environment variables that the landing zone gives to every container of a workload."""

from collections.abc import Mapping
from types import MappingProxyType

# Name -> meaning. The stacks that inject them and the rules that keep them free both read this table.
INJECTED_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "DJANGO_SECRET_KEY": "Django's signing key, generated per environment (secret)",
        "DATABASE_HOST": "writer endpoint of the database",
        "DATABASE_PORT": "port of the database",
        "DATABASE_NAME": "name of the database",
        "DATABASE_USER": "the application's own database user (secret)",
        "DATABASE_PASSWORD": "password of the application's database user (secret)",
        "DATABASE_MASTER_USER": "master user of the database, release step only (secret)",
        "DATABASE_MASTER_PASSWORD": "password of the master user, release step only (secret)",
        "DJANGO_ALLOWED_HOSTS": "host names that Django answers to",
        "DJANGO_CSRF_TRUSTED_ORIGINS": "origins that Django accepts forms from",
        "DJANGO_ENVIRONMENT": "name of the environment, such as staging",
        "STATIC_URL": "address of the static files, at the CDN",
        "STATIC_BUCKET": "bucket of the static files",
        "MEDIA_BUCKET": "bucket of uploaded files",
        "CELERY_QUEUE_NAME": "name of the SQS queue of Celery",
        "CELERY_QUEUE_URL": "address of the SQS queue of Celery",
        "CELERY_VISIBILITY_TIMEOUT": "seconds for which a message that is being worked on stays hidden",
        "AWS_DEFAULT_REGION": "the home region",
    }
)
