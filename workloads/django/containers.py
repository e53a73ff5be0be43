"""The one image of a workload, as Fargate task definitions."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from config.images import Image
from workloads.django.base import WorkloadStack
from workloads.django.parameters import ContainerParameters
from workloads.django.programs import entry_point

CONTAINER_NAME = "django"
ARCHITECTURES = {"arm64": ecs.CpuArchitecture.ARM64, "x86_64": ecs.CpuArchitecture.X86_64}


class DjangoTask(Construct):
    """A task definition that runs one process type of the workload's image.

    Args:
        scope: the stack; also gives names, retention and the environment.
        construct_id: process type, such as `Web`.
        image: the image, by digest.
        command: argument list; the image's own if left out.
        parameters: environment variables and secrets.
        cpu: Fargate CPU units.
        memory: MiB.
        family: name of the task definition's family, where a role must name it.
        port: port that the container listens on, if any.
        stop_timeout: time between SIGTERM and SIGKILL.

    Attributes:
        definition: the task definition.
        container: its one container.
    """

    def __init__(
        self,
        scope: WorkloadStack,
        construct_id: str,
        *,
        image: Image,
        command: Sequence[str],
        parameters: ContainerParameters,
        cpu: int,
        memory: int,
        stop_timeout: cdk.Duration,
        family: str | None = None,
        port: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        workload = scope.stage_ref.workload
        self.log_group = scope.log_group(f"{construct_id}Logs")
        self.definition = ecs.FargateTaskDefinition(
            self,
            "Definition",
            family=family,
            cpu=cpu,
            memory_limit_mib=memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ARCHITECTURES[workload.architecture],
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        repository = ecr.Repository.from_repository_attributes(
            self,
            "Repository",
            repository_arn=scope.names.repository_arn(scope.stage_ref.workload_name),
            repository_name=scope.names.repository(scope.stage_ref.workload_name),
        )
        self.container = self.definition.add_container(
            CONTAINER_NAME,
            image=ecs.ContainerImage.from_ecr_repository(repository, image.digest),
            # Of its own only where variables are composed: then the image's own is not run.
            entry_point=entry_point(workload.commands, parameters.composed),
            command=list(command),
            environment=dict(parameters.environment),
            secrets=dict(parameters.secrets),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=construct_id.lower(),
                log_group=self.log_group,
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,  # a full log pipe must not stop the site
            ),
            port_mappings=[ecs.PortMapping(container_port=port)] if port else None,
            # Reaps the processes that ECS Exec leaves, and passes signals on.
            linux_parameters=ecs.LinuxParameters(self, "Linux", init_process_enabled=True),
            stop_timeout=stop_timeout,
        )
        # A service may start its first task as soon as its definition is there: by then ECS must be able to read
        # the secrets and pull the image. The CDK makes the service wait for the task's role alone.
        definition = self.definition.node.default_child
        if definition is not None:
            definition.node.add_dependency(self.definition.obtain_execution_role())
