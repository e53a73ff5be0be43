"""What was released: one record per successful release of each environment, kept for rollback, packet and audit."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.models import Configuration
from config.naming import Names, record_prefix
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
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        for stage in configuration.stages():
            self._readable_for_rollback(stage)

    def _readable_for_rollback(self, stage: StageRef) -> None:
        prefix = record_prefix(stage.stage_name)
        role_arn = self._names.role_arn(stage.account_id, self._names.rollback_role(stage.key))
        # The account, narrowed by a condition: S3 refuses a role principal that does not exist yet.
        by_the_role = {"ArnEquals": {"aws:PrincipalArn": role_arn}}
        for action, resource, narrowed in (
            ("s3:GetObject", self.bucket.arn_for_objects(f"{prefix}*"), {}),
            ("s3:ListBucket", self.bucket.bucket_arn, {"StringLike": {"s3:prefix": f"{prefix}*"}}),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"{action.partition(':')[2]}Of{stage.stage_name}",
                    actions=[action],
                    principals=[iam.AccountPrincipal(stage.account_id)],
                    resources=[resource],
                    conditions={**by_the_role, **narrowed},
                )
            )
