"""The environment variables that the landing zone gives to every container of a workload."""

import re
from collections.abc import Callable, Iterator, Mapping
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

# Of the release task alone: no other process may have them, under any name.
RELEASE_VARIABLES = frozenset({"DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD", "STATIC_BUCKET"})

# References in the task definition; their values are known when a container starts, and not before.
SECRET_VARIABLES = frozenset(
    {
        "DJANGO_SECRET_KEY",
        "DATABASE_USER",
        "DATABASE_PASSWORD",
        "DATABASE_MASTER_USER",
        "DATABASE_MASTER_PASSWORD",
    }
)

TASK_ADDRESS = "TASK_ADDRESS"
"""No variable, but a part of composed ones: the address of the task itself, at which its load balancer asks it."""

PARTS: Mapping[str, str] = MappingProxyType(
    {
        **{name: text for name, text in INJECTED_VARIABLES.items() if name not in RELEASE_VARIABLES},
        TASK_ADDRESS: "address of the task itself, known when it starts",
    }
)
"""What a composed variable may consist of -> its meaning."""

_PART = re.compile(r"\{([^{}]*)\}")


def parts(template: str) -> Iterator[str]:
    """Name the parts of a composed variable, in their order.

    Args:
        template: text with `{NAME}` in the places of the parts.
    """
    yield from _PART.findall(template)


def composed(template: str, value: Callable[[str], str]) -> str:
    """Put a composed variable together.

    Args:
        template: text with `{NAME}` in the places of the parts.
        value: part -> what takes its place.
    """
    return _PART.sub(lambda found: value(found[1]), template)


def starts_late(template: str) -> bool:
    """Say whether a composed variable can only be put together in the container, when it starts.

    Args:
        template: text with `{NAME}` in the places of the parts.
    """
    return any(name in SECRET_VARIABLES or name == TASK_ADDRESS for name in parts(template))
