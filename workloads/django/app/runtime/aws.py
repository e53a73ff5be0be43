"""AWS clients with short timeouts; credentials and endpoint come from boto3's own chain."""

import functools
from typing import Any

import boto3
from botocore.config import Config
from django.conf import settings


@functools.cache
def client(service: str) -> Any:
    """Return a client of this process for a service, such as `s3` or `sqs`; clients are thread-safe."""
    # A session of its own: the default session must not be shared while threads create clients.
    return boto3.session.Session().client(
        service,
        config=Config(
            connect_timeout=3,
            read_timeout=20,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": settings.S3_ADDRESSING_STYLE},
        ),
    )
