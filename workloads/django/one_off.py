"""One-off commands: the role with which people run them, and the way of a secret value into one."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.models import Configuration
from config.naming import ONE_OFF_PREFIX
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.containers import DjangoTask
from workloads.django.logs import LogsStack
from workloads.django.task_access import allow_running

FORGOTTEN_AFTER = cdk.Duration.days(1)


class OneOffStack(WorkloadStack):
    """Bucket for short-lived environment files, and the operator's role.

    A command runs as the release task, with its image, roles and network. A value that must stay secret cannot be an
    override of the task, which CloudTrail and DescribeTasks show. It is an environment file in this bucket: ECS reads
    it when the container starts, and then it is deleted.

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
        cluster: ecs.ICluster,
        task: DjangoTask,
        logs: LogsStack,
    ) -> None:
        super().__init__(
            scope, construct_id, configuration=configuration, stage=stage, description="One-off commands"
        )
        self.bucket = s3.Bucket(
            self,
            "Values",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=False,  # what is deleted is gone
            server_access_logs_bucket=logs.access_log_target(self),
            server_access_logs_prefix="one-off/",
            # Commands delete their file themselves; this is for one that was killed before it could.
            lifecycle_rules=[s3.LifecycleRule(expiration=FORGOTTEN_AFTER)],
            removal_policy=self.data_removal,
        )
        self._readable_by(task.definition.obtain_execution_role())
        self._operator(cluster, task)
        self.publish({"OneOffBucketName": self.bucket.bucket_name})

    def _readable_by(self, role: iam.IRole) -> None:
        """Let ECS read the files in the name of the task's execution role, and nobody else, administrators included."""
        reader = iam.ArnPrincipal(role.role_arn)
        files = self.bucket.arn_for_objects(f"{ONE_OFF_PREFIX}*")
        for actions, resource in (
            (["s3:GetObject"], files),
            (["s3:GetBucketLocation"], self.bucket.bucket_arn),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(actions=actions, principals=[reader], resources=[resource])
            )
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=["s3:GetObject"],
                principals=[iam.AnyPrincipal()],
                resources=[self.bucket.arn_for_objects("*")],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": role.role_arn}},
            )
        )

    def _operator(self, cluster: ecs.ICluster, task: DjangoTask) -> None:
        """Let people of this account whose permission set says so run commands."""
        operator = iam.Role(
            self,
            "Operator",
            role_name=self.names.operator_role(self.stage_ref.key),
            description=f"Runs one-off commands in {self.stage_ref.key}",
            assumed_by=iam.AccountPrincipal(self.stage_ref.account_id),
        )
        allow_running(self, operator, task=task, cluster=cluster)
        operator.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject", "s3:DeleteObject"],
                resources=[self.bucket.arn_for_objects(f"{ONE_OFF_PREFIX}*")],
            )
        )
