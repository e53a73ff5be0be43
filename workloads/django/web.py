"""The site: load balancer and web service."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from config.images import Image
from config.models import Configuration
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.containers import DjangoTask
from workloads.django.logs import LogsStack
from workloads.django.media import MediaStack
from workloads.django.network import NetworkStack
from workloads.django.parameters import ParametersStack
from workloads.django.queues import QueuesStack
from workloads.django.serving_roles import allow_return

CPU_TARGET_PERCENT = 75
IDLE_TIMEOUT = cdk.Duration.seconds(60)  # below gunicorn's keep-alive, so that the load balancer closes first
DEREGISTRATION_DELAY = cdk.Duration.seconds(30)  # as long as a request may take to finish
STOP_TIMEOUT = cdk.Duration.seconds(40)  # longer than gunicorn's graceful timeout


class WebStack(WorkloadStack):
    """HTTPS load balancer, Fargate service scaled on CPU, and the site's DNS record.

    Attributes:
        service: the service.
        load_balancer: the load balancer.
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
        zone: route53.IHostedZone,
        certificate: acm.ICertificate,
        logs: LogsStack,
        parameters: ParametersStack,
        media: MediaStack | None,
        queues: QueuesStack | None,
    ) -> None:
        super().__init__(
            scope, construct_id, configuration=configuration, stage=stage, description="Load balancer and web"
        )
        size, workload = stage.environment.web, stage.workload
        task = DjangoTask(
            self,
            "Web",
            image=image,
            command=workload.commands.web,
            parameters=parameters.application,
            cpu=size.cpu,
            memory=size.memory,
            port=workload.port,
            stop_timeout=STOP_TIMEOUT,
        )
        if media is not None:
            media.grant_use(task.definition)
        if queues is not None:
            queues.queue.grant_send_messages(task.definition.task_role)
        self.load_balancer = self._load_balancer(network, logs)
        self.service = self._service(task, network)
        self._listeners(certificate)
        self._scaling()
        allow_return(self, {self.service: task})
        alias = route53.RecordTarget.from_alias(targets.LoadBalancerTarget(self.load_balancer))
        route53.ARecord(self, "Alias", zone=zone, target=alias)
        self.publish(
            {
                "WebServiceName": self.service.service_name,
                "WebTaskDefinition": task.definition.task_definition_arn,
                "WebTaskRoleArn": task.definition.task_role.role_arn,
                "WebExecutionRoleArn": task.definition.obtain_execution_role().role_arn,
                "WebLogGroup": task.log_group.log_group_name,
                "LoadBalancerDnsName": self.load_balancer.load_balancer_dns_name,
            }
        )

    def _frozen(self, construct_id: str, group: ec2.SecurityGroup) -> ec2.ISecurityGroup:
        """Use a group without letting the CDK add rules to it: all of them are in the network stack."""
        return ec2.SecurityGroup.from_security_group_id(
            self, construct_id, group.security_group_id, mutable=False
        )

    def _load_balancer(self, network: NetworkStack, logs: LogsStack) -> elb.ApplicationLoadBalancer:
        load_balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=network.vpc,
            internet_facing=True,
            security_group=self._frozen("AlbGroup", network.security_groups.alb),
            idle_timeout=IDLE_TIMEOUT,
            drop_invalid_header_fields=True,
        )
        load_balancer.log_access_logs(logs.alb, "web")
        return load_balancer

    def _service(self, task: DjangoTask, network: NetworkStack) -> ecs.FargateService:
        return ecs.FargateService(
            self,
            "Service",
            cluster=network.cluster,
            task_definition=task.definition,
            vpc_subnets=network.subnets,
            security_groups=[self._frozen("WebGroup", network.security_groups.web)],
            # No desired count: a deployment would reset what the scaling chose.
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            health_check_grace_period=cdk.Duration.seconds(60),
            enable_execute_command=True,
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )

    def _listeners(self, certificate: acm.ICertificate) -> None:
        workload = self.stage_ref.workload
        self.load_balancer.add_listener(
            "Http",
            port=80,
            open=False,
            default_action=elb.ListenerAction.redirect(protocol="HTTPS", port="443", permanent=True),
        )
        https = self.load_balancer.add_listener(
            "Https",
            port=443,
            open=False,
            certificates=[certificate],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
        )
        https.add_targets(
            "Web",
            port=workload.port,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.service],
            deregistration_delay=DEREGISTRATION_DELAY,
            health_check=elb.HealthCheck(
                path=workload.health_path,
                healthy_http_codes=workload.health_codes,
                healthy_threshold_count=3,
                unhealthy_threshold_count=2,
                interval=cdk.Duration.seconds(10),
                timeout=cdk.Duration.seconds(5),
            ),
        )

    def _scaling(self) -> None:
        size = self.stage_ref.environment.web
        scaling = self.service.auto_scale_task_count(min_capacity=size.min_tasks, max_capacity=size.max_tasks)
        scaling.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=CPU_TARGET_PERCENT,
            scale_in_cooldown=cdk.Duration.minutes(5),
            scale_out_cooldown=cdk.Duration.minutes(1),
        )
