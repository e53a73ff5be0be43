"""Buckets for access logs. Each service that writes them has rules of its own."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.models import Configuration
from config.stages import StageRef
from workloads.django.base import WorkloadStack


class LogsStack(WorkloadStack):
    """Access logs of the load balancer, the CDN and the buckets.

    Attributes:
        alb: the load balancer's access logs.
        cdn: the CDN's access logs.
        access: access logs of every other bucket.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, configuration: Configuration, stage: StageRef
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="Access logs",
            stateful=True,
        )
        self.access = self._bucket("Access")
        # A policy written out, not the one that `server_access_logs_bucket` adds: that one names each source bucket,
        # which would make this stack depend on the stacks that depend on it.
        self.access.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject"],
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                resources=[self.access.arn_for_objects("*")],
                conditions={"StringEquals": {"aws:SourceAccount": stage.account_id}},
            )
        )
        self._target = self.access_log_target(self)
        # The load balancer can write to SSE-S3 buckets alone, not to KMS ones.
        self.alb = self._bucket("Alb", logged=True)
        # CloudFront's standard logs are delivered through an ACL.
        self.cdn = self._bucket("Cdn", logged=True, ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED)

    def _bucket(
        self, construct_id: str, *, logged: bool = False, ownership: s3.ObjectOwnership | None = None
    ) -> s3.Bucket:
        return s3.Bucket(
            self,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=ownership or s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self._target if logged else None,
            server_access_logs_prefix=f"{construct_id.lower()}/" if logged else None,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=cdk.Duration.days(365 if self.stage_ref.is_production else 30))
            ],
            removal_policy=self.data_removal,
        )

    def access_log_target(self, scope: Construct) -> s3.IBucket:
        """Return the access-log bucket by its name alone, so that its policy stays as it is written here."""
        return s3.Bucket.from_bucket_name(scope, "AccessLogTarget", self.access.bucket_name)
