"""Celery workers, scaled on the backlog of their queue, and beat."""

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from config.images import Image
from config.models import Configuration
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.containers import DjangoTask
from workloads.django.media import MediaStack
from workloads.django.network import NetworkStack
from workloads.django.parameters import ParametersStack
from workloads.django.queues import QueuesStack
from workloads.django.serving_roles import allow_return

STOP_TIMEOUT = cdk.Duration.seconds(120)  # the longest that Fargate grants; Celery's soft shutdown fits in
BEAT_CPU_UNITS = 256
BEAT_MEMORY_MIB = 512
FAR_BEHIND = 5  # times the wanted backlog, from where two workers are added at once


class WorkersStack(WorkloadStack):
    """Worker service and beat.

    Attributes:
        service: the workers.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        image: Image,
        network: NetworkStack,
        parameters: ParametersStack,
        media: MediaStack | None,
        queues: QueuesStack,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="Celery workers and beat",
        )
        self._network = network
        self._image = image
        self._parameters = parameters
        self._media = media
        self._queues = queues
        size, commands = stage.environment.worker, stage.workload.commands
        worker = self._task("Worker", list(commands.worker or ()), size.cpu, size.memory)
        queues.queue.grant_consume_messages(worker.definition.task_role)
        self.service = self._service("Service", worker, desired_count=None)
        self._scale_on_backlog()
        published = {
            "WorkerServiceName": self.service.service_name,
            "WorkerTaskDefinition": worker.definition.task_definition_arn,
            "WorkerTaskRoleArn": worker.definition.task_role.role_arn,
            "WorkerLogGroup": worker.log_group.log_group_name,
        }
        services = {self.service: worker}
        if commands.beat is not None:
            beat = self._task("Beat", list(commands.beat), BEAT_CPU_UNITS, BEAT_MEMORY_MIB)
            service = self._service("BeatService", beat, desired_count=1)
            services[service] = beat
            published |= {
                "BeatServiceName": service.service_name,
                "BeatTaskDefinition": beat.definition.task_definition_arn,
                "BeatTaskRoleArn": beat.definition.task_role.role_arn,
                "BeatLogGroup": beat.log_group.log_group_name,
            }
        self.publish(published)
        allow_return(self, services)

    def _task(self, name: str, command: list[str], cpu: int, memory: int) -> DjangoTask:
        task = DjangoTask(
            self,
            name,
            image=self._image,
            command=command,
            parameters=self._parameters.application,
            cpu=cpu,
            memory=memory,
            stop_timeout=STOP_TIMEOUT,
        )
        self._queues.queue.grant_send_messages(task.definition.task_role)
        if self._media is not None:
            self._media.grant_use(task.definition)
        return task

    def _service(
        self, construct_id: str, task: DjangoTask, *, desired_count: int | None
    ) -> ecs.FargateService:
        singleton = desired_count is not None
        spot = self.stage_ref.environment.worker.spot
        return ecs.FargateService(
            self,
            construct_id,
            cluster=self._network.cluster,
            task_definition=task.definition,
            vpc_subnets=self._network.subnets,
            security_groups=[self._network.security_groups.workers],
            desired_count=desired_count,
            # A singleton stops before its successor starts: two beats would send every task twice.
            min_healthy_percent=0 if singleton else 100,
            max_healthy_percent=100 if singleton else 200,
            # Rebalancing needs room for a second task, which a singleton does not have.
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED
            if singleton
            else ecs.AvailabilityZoneRebalancing.ENABLED,
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(
                    capacity_provider="FARGATE_SPOT" if spot else "FARGATE", weight=1
                )
            ],
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            enable_execute_command=True,
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )

    def _scale_on_backlog(self) -> None:
        """Add workers by backlog per worker; take one away only when nothing waits and nothing is in work.

        One rule alone. The ECS pattern's second rule on CPU would stop workers that wait for something else while
        the queue is full.
        """
        size = self.stage_ref.environment.worker
        scaling = self.service.auto_scale_task_count(min_capacity=size.min_tasks, max_capacity=size.max_tasks)
        backlog = float(size.messages_per_task)
        steps = [
            autoscaling.ScalingInterval(upper=0.01, change=-1),
            autoscaling.ScalingInterval(lower=backlog, change=+1),
            autoscaling.ScalingInterval(lower=backlog * FAR_BEHIND, change=+2),
        ]
        scaling.scale_on_metric(
            "Backlog",
            metric=self._backlog_per_worker(),
            scaling_steps=steps,
            adjustment_type=autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            cooldown=cdk.Duration.minutes(2),
            # All of three minutes: Container Insights may be late, and a worker that is not reported yet is no worker
            # that is missing.
            evaluation_periods=3,
            datapoints_to_alarm=3,
        )

    def _backlog_per_worker(self) -> cloudwatch.MathExpression:
        """Return (waiting + in work) / running workers.

        With no worker at all, one message must count as a full backlog, or a service at zero would never start.
        """
        period = cdk.Duration.minutes(1)
        queue = self._queues.queue
        running = cloudwatch.Metric(
            namespace="ECS/ContainerInsights",
            metric_name="RunningTaskCount",
            dimensions_map={
                "ClusterName": self._network.cluster.cluster_name,
                "ServiceName": self.service.service_name,
            },
            statistic="Average",
            period=period,
        )
        full_backlog = self.stage_ref.environment.worker.messages_per_task
        return cloudwatch.MathExpression(
            expression=(
                f"(waiting + working) / IF(FILL(running, 0) < 1, 1 / {full_backlog}, FILL(running, 1))"
            ),
            label="Backlog per worker",
            period=period,
            using_metrics={
                "waiting": queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=period
                ),
                "working": queue.metric_approximate_number_of_messages_not_visible(
                    statistic="Maximum", period=period
                ),
                "running": running,
            },
        )
