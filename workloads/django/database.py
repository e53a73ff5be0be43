"""Aurora PostgreSQL Serverless v2."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.models import Configuration
from config.naming import resource_name
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.security_groups import DATABASE_PORT

DATABASE_NAME = "django"
MASTER_USER = "dbadmin"
ENGINE_VERSION = rds.AuroraPostgresEngineVersion.VER_18_4  # the major version that the rehearsal runs
IDLE_SESSION_TIMEOUT = cdk.Duration.seconds(60)


class DatabaseStack(WorkloadStack):
    """The cluster. RDS itself keeps and rotates the master password; the application has a user of its own.

    Attributes:
        cluster: the cluster.
        master_secret: username and password of the master user.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        security_group: ec2.ISecurityGroup,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="Aurora PostgreSQL",
            stateful=True,
        )
        size = stage.environment.database
        # A fixed identifier, for RDS derives the log group's name from it: so the group exists first, with retention.
        identifier = resource_name(stage.key)
        logs = self.log_group("PostgresqlLogs", name=f"/aws/rds/cluster/{identifier}/postgresql")
        self.cluster = rds.DatabaseCluster(
            self,
            "Cluster",
            cluster_identifier=identifier,
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=ENGINE_VERSION),
            writer=rds.ClusterInstance.serverless_v2("Writer"),
            readers=[rds.ClusterInstance.serverless_v2("Reader", scale_with_writer=True)]
            if stage.is_production
            else None,
            serverless_v2_min_capacity=size.min_capacity,
            serverless_v2_max_capacity=size.max_capacity,
            serverless_v2_auto_pause_duration=cdk.Duration.minutes(size.auto_pause_minutes)
            if size.auto_pause_minutes
            else None,
            default_database_name=DATABASE_NAME,
            credentials=rds.Credentials.from_username(MASTER_USER),
            manage_master_user_password=True,
            iam_authentication=True,
            storage_encrypted=True,
            port=DATABASE_PORT,
            vpc=vpc,
            vpc_subnets=subnets,
            security_groups=[security_group],
            parameters={
                "rds.force_ssl": "1",
                # A forgotten session must not keep the database from pausing; production keeps long sessions.
                **(
                    {"idle_session_timeout": str(IDLE_SESSION_TIMEOUT.to_milliseconds())}
                    if size.auto_pause_minutes
                    else {}
                ),
            },
            cloudwatch_logs_exports=["postgresql"],
            backup=rds.BackupProps(retention=cdk.Duration.days(size.backup_days)),
            copy_tags_to_snapshot=True,
            deletion_protection=size.deletion_protection,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT if stage.is_production else cdk.RemovalPolicy.DESTROY,
        )
        self.cluster.node.add_dependency(logs)
        self.master_secret = self._master_secret()
        self.publish(
            {
                "DatabaseHost": self.cluster.cluster_endpoint.hostname,
                "DatabasePort": str(DATABASE_PORT),
                "DatabaseName": DATABASE_NAME,
                # Every API that takes a secret's name takes its ARN; RDS makes up the name of a secret that it keeps.
                "DatabaseSecretName": self.master_secret.secret_arn,
            }
        )

    def _master_secret(self) -> secretsmanager.ISecret:
        secret = self.cluster.secret
        if secret is None:  # pragma: no cover - the CDK always makes one with manage_master_user_password
            message = "the database cluster has no master secret"
            raise RuntimeError(message)
        return secret
