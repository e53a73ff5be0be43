"""The task that migrates and uploads static files, and the one role that may start it."""

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.images import Image
from config.models import Configuration
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.containers import CONTAINER_NAME, DjangoTask
from workloads.django.media import MediaStack, grant_objects
from workloads.django.parameters import ParametersStack
from workloads.django.programs import release_command
from workloads.django.queues import QueuesStack
from workloads.django.serving_roles import make_serving_roles
from workloads.django.static_files import StaticFilesStack
from workloads.django.task_access import allow_running

CPU_UNITS = 512
MEMORY_MIB = 1024


class ReleaseStack(WorkloadStack):
    """Release task definition on the new image, deployed before the web stack: the old version serves on meanwhile.

    Attributes:
        task: the task.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        image: Image,
        cluster: ecs.ICluster,
        parameters: ParametersStack,
        static_files: StaticFilesStack,
        media: MediaStack | None,
        queues: QueuesStack | None,
    ) -> None:
        super().__init__(
            scope, construct_id, configuration=configuration, stage=stage, description="Release task"
        )
        self.task = DjangoTask(
            self,
            "Release",
            image=image,
            command=release_command(stage.workload.commands, stage.workload.injected_variables),
            parameters=parameters.release,
            cpu=CPU_UNITS,
            memory=MEMORY_MIB,
            family=f"{stage.stage_name}-release",
            stop_timeout=cdk.Duration.seconds(120),
        )
        definition = self.task.definition
        grant_objects(definition, static_files.bucket, "s3:GetObject", "s3:PutObject")  # never deletes
        if media is not None:
            media.grant_use(definition)
        if queues is not None:
            queues.queue.grant_send_messages(definition.task_role)
        self._runner(cluster)
        make_serving_roles(self, release=self.task)
        self.publish(
            {
                "ReleaseTaskDefinition": self.task.definition.family,
                "ReleaseTaskRoleArn": definition.task_role.role_arn,
                "ReleaseExecutionRoleArn": self._execution_role().role_arn,
                "ReleaseLogGroup": self.task.log_group.log_group_name,
                "ReleaseVariables": ",".join(parameters.release.environment),
                "ReleaseSecretVariables": ",".join(
                    [*parameters.release.secrets, *parameters.release.composed]
                ),
                "ContainerName": CONTAINER_NAME,
            }
        )

    def _execution_role(self) -> iam.IRole:
        return self.task.definition.obtain_execution_role()

    def _runner(self, cluster: ecs.ICluster) -> None:
        """Let this environment's release step run this family on this cluster, follow its logs, and nothing else."""
        stage = self.stage_ref
        tooling = self.configuration.accounts.tooling
        step_role_arn = self.names.role_arn(tooling, self.names.release_step_role(stage.key))
        runner = iam.Role(
            self,
            "Runner",
            role_name=self.names.release_runner_role(stage.key),
            description=f"Starts the release task of {stage.key}",
            # The account, narrowed by a condition: IAM refuses a role principal that does not exist yet.
            assumed_by=iam.AccountPrincipal(tooling).with_conditions(
                {"ArnEquals": {"aws:PrincipalArn": step_role_arn}}
            ),
        )
        allow_running(self, runner, task=self.task, cluster=cluster)
