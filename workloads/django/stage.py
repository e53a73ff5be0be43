"""One environment of a Django workload: its stacks, in the order in which they deploy."""

from aws_cdk import Annotations, Stage
from constructs import Construct

from config.images import Image
from config.models import Configuration
from config.stages import StageRef
from workloads.django.database import DatabaseStack
from workloads.django.dns import DnsStack
from workloads.django.edge import EdgeStack
from workloads.django.logs import LogsStack
from workloads.django.media import MediaStack
from workloads.django.network import NetworkStack
from workloads.django.one_off import OneOffStack
from workloads.django.parameters import ParametersStack
from workloads.django.queues import QueuesStack
from workloads.django.release import ReleaseStack
from workloads.django.static_files import StaticFilesStack
from workloads.django.web import WebStack
from workloads.django.workers import WorkersStack


class DjangoStage(Stage):
    """All stacks of one environment.

    Args:
        scope: the app.
        configuration: the organization.
        stage: the environment.
        image: the workload's image; the same in every environment of a release.

    Attributes:
        ref: the environment.
        release: the stack whose task must succeed before web and workers are touched.
        web: the stack that serves.
    """

    def __init__(
        self, scope: Construct, *, configuration: Configuration, stage: StageRef, image: Image
    ) -> None:
        super().__init__(scope, stage.stage_name)
        self.ref = stage
        # The CDK cannot add to the policy of the access-log bucket, which other stacks know by its name alone:
        # `LogsStack` writes it for the whole account.
        Annotations.of(self).acknowledge_warning("@aws-cdk/aws-s3:accessLogsPolicyNotAdded")
        network = NetworkStack(self, "Network", configuration=configuration, stage=stage)
        dns = DnsStack(self, "Dns", configuration=configuration, stage=stage)
        logs = LogsStack(self, "Logs", configuration=configuration, stage=stage)
        database = DatabaseStack(
            self,
            "Database",
            configuration=configuration,
            stage=stage,
            vpc=network.vpc,
            subnets=network.subnets,
            security_group=network.security_groups.database,
        )
        media = (
            MediaStack(self, "Media", configuration=configuration, stage=stage, logs=logs)
            if stage.workload.media
            else None
        )
        queues = (
            QueuesStack(self, "Queues", configuration=configuration, stage=stage)
            if stage.workload.commands.worker is not None
            else None
        )
        edge = EdgeStack(self, "Edge", configuration=configuration, stage=stage, zone=dns.zone)
        static_files = StaticFilesStack(
            self,
            "StaticFiles",
            configuration=configuration,
            stage=stage,
            zone=dns.zone,
            certificate=edge.certificate,
            logs=logs,
        )
        parameters = ParametersStack(
            self,
            "Parameters",
            configuration=configuration,
            stage=stage,
            database=database,
            static_files=static_files,
            media=media,
            queues=queues,
        )
        self.release = ReleaseStack(
            self,
            "Release",
            configuration=configuration,
            stage=stage,
            image=image,
            cluster=network.cluster,
            parameters=parameters,
            static_files=static_files,
            media=media,
            queues=queues,
        )
        one_off = OneOffStack(
            self,
            "OneOff",
            configuration=configuration,
            stage=stage,
            cluster=network.cluster,
            task=self.release.task,
            logs=logs,
        )
        self.web = WebStack(
            self,
            "Web",
            configuration=configuration,
            stage=stage,
            image=image,
            network=network,
            zone=dns.zone,
            certificate=dns.certificate,
            logs=logs,
            parameters=parameters,
            media=media,
            queues=queues,
        )
        edge.add_stack_dependency(dns)
        static_files.add_stack_dependency(edge)
        self.release.add_stack_dependency(parameters)
        one_off.add_stack_dependency(self.release)
        self.web.add_stack_dependency(self.release)
        if queues is not None:
            workers = WorkersStack(
                self,
                "Workers",
                configuration=configuration,
                stage=stage,
                image=image,
                network=network,
                parameters=parameters,
                media=media,
                queues=queues,
            )
            workers.add_stack_dependency(self.release)
