"""Uploaded files."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.models import Configuration
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.logs import LogsStack

NONCURRENT_DAYS = 30


class MediaStack(WorkloadStack):
    """A private, versioned bucket; Django hands out signed addresses.

    Attributes:
        bucket: the bucket.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        logs: LogsStack,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="Media bucket",
            stateful=True,
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            server_access_logs_bucket=logs.access_log_target(self),
            server_access_logs_prefix="media/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=cdk.Duration.days(NONCURRENT_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                )
            ],
            removal_policy=self.data_removal,
        )
        self.publish({"MediaBucketName": self.bucket.bucket_name})

    def grant_use(self, definition: ecs.TaskDefinition) -> None:
        """Let a task keep, show and delete uploads: the actions that django-storages needs, none with a wildcard.

        Args:
            definition: the task's.
        """
        grant_objects(definition, self.bucket, "s3:GetObject", "s3:PutObject", "s3:DeleteObject")


def grant_objects(definition: ecs.TaskDefinition, bucket: s3.IBucket, *actions: str) -> None:
    """Allow actions on a bucket's objects, and listing it: without it a missing object looks like a forbidden one.

    Args:
        definition: whose task's role may.
        bucket: the bucket.
        actions: S3 actions on objects.
    """
    for allowed, resource in (
        (list(actions), bucket.arn_for_objects("*")),
        (["s3:ListBucket"], bucket.bucket_arn),
    ):
        definition.add_to_task_role_policy(iam.PolicyStatement(actions=allowed, resources=[resource]))
