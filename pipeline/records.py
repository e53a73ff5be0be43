"""What was released: one record per successful release of each environment, kept for rollback, packet and audit."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.models import Configuration
from config.naming import PACKETS, Names, record_prefix
from config.stack import BaseStack
from config.stages import StageRef

OLD_VERSIONS_KEPT = cdk.Duration.days(400)  # more than a year: what an audit asks for


class RecordsStack(BaseStack):
    """Bucket of the release records.

    Each environment's record step writes below that environment's name alone; its rollback role, in its own account,
    reads there.

    Attributes:
        bucket: the bucket.
    """

    def __init__(self, scope: Construct, construct_id: str, *, configuration: Configuration) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            account=configuration.accounts.tooling,
            description="Release records of all environments",
            termination_protection=True,
        )
        self._names = Names(configuration)
        self.bucket = s3.Bucket(
            self,
            "Releases",
            bucket_name=self._names.records_bucket,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=OLD_VERSIONS_KEPT,
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                ),
                s3.LifecycleRule(prefix=PACKETS, expiration=OLD_VERSIONS_KEPT),
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self._readable_for_rollback(configuration.stages())

    def _readable_for_rollback(self, stages: Sequence[StageRef]) -> None:
        """Let each environment's rollback role read its own records.

        What is in the bucket is listed by one statement for all: a policy may have 20 KB, and one more statement per
        environment would fill them with twenty. A role of ours asks for its own prefix alone.
        """
        for stage in stages:
            self._allow(
                f"GetObjectOf{stage.stage_name}",
                "s3:GetObject",
                self.bucket.arn_for_objects(f"{record_prefix(stage.stage_name)}*"),
                [stage],
            )
        self._allow("List", "s3:ListBucket", self.bucket.bucket_arn, stages)

    def _allow(self, sid: str, action: str, resource: str, stages: Sequence[StageRef]) -> None:
        names = self._names
        roles = [names.role_arn(stage.account_id, names.rollback_role(stage.key)) for stage in stages]
        accounts = sorted({stage.account_id for stage in stages})
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                actions=[action],
                # The accounts, narrowed by a condition: S3 refuses a role principal that does not exist yet.
                principals=[iam.AccountPrincipal(account) for account in accounts],
                resources=[resource],
                conditions={"ArnEquals": {"aws:PrincipalArn": roles}},
            )
        )
