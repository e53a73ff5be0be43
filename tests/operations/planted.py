"""The app with a bucket in a stage inside the pipeline that breaks the rules; run by a test, through the CDK CLI."""

import sys
from typing import Any

from config.node import use_bundled_node

use_bundled_node()

from aws_cdk import Stack  # noqa: E402
from aws_cdk import aws_s3 as s3  # noqa: E402

import app  # noqa: E402
from workloads.django import DjangoStage  # noqa: E402


class StageWithAnOpenBucket(DjangoStage):
    """A Django stage in which somebody has added a bucket in haste."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        media = self.node.find_child("Media")
        assert isinstance(media, Stack)
        s3.CfnBucket(media, "Planted")


vars(app)["DjangoStage"] = StageWithAnOpenBucket
sys.exit(app.main())
