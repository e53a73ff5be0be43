"""The pipeline: source, image, synth, self-mutation, shared services, then each environment behind its gates."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_logs as logs
from aws_cdk import pipelines
from constructs import Construct

from config.artifacts import ASSEMBLY
from config.models import Configuration
from config.stack import BaseStack
from config.stages import Wave, waves
from pipeline.artifacts import confined, starts_no_build
from pipeline.build import image_step, synth_step, trust_step
from pipeline.gates import (
    dns_preflight_step,
    placeholder_step,
    record_step,
    release_step,
    smoke_step,
)
from pipeline.packet import approval_step, packet_step
from pipeline.sources import Sources
from shared_services import SharedServicesStage
from workloads.django import DjangoStage

# Raising these takes two commits, the CLI's first: the running pipeline synthesizes with the old one.
CDK_CLI_VERSION = "2.1148.1"
CDK_ASSETS_VERSION = "4.7.3"

# The library writes asset manifests of schema 55; the newest cdk-assets reads up to 54 and stops at a higher number.
# What 55 added concerns other files. To be removed with the first cdk-assets that reads it; a test says when.
OLDER_ASSET_SCHEMA = (
    'find . -name \'*.assets.json\' -exec sed -i \'s/"version": "55\\.0\\.0"/"version": "54.0.0"/\' {} +'
)
NODE_VERSION = "22"  # the build image's default is older than what the CDK supports


class PipelineStack(BaseStack):
    """Self-mutating CDK pipeline.

    Args:
        scope: the app.
        construct_id: id within it.
        configuration: the organization.
        shared_services: the stage that deploys first.
        environments: the environments, in deployment order.

    Attributes:
        pipeline: the CDK pipeline, built.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        shared_services: SharedServicesStage,
        environments: Sequence[DjangoStage],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            account=configuration.accounts.tooling,
            description="Self-mutating pipeline of the landing zone",
            termination_protection=True,
        )
        sources = Sources(configuration)
        source = sources.platform
        self._images = {
            name: image_step(self, configuration=configuration, workload_name=name, sources=sources)
            for name in configuration.workloads
        }
        synth = synth_step(self, configuration=configuration, platform=source, images=self._images)
        trust = trust_step(self, configuration=configuration, source=source)
        synth.add_step_dependency(trust)
        self._cloning: list[pipelines.CodeBuildStep] = [*self._images.values(), trust, synth]
        self.pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            synth=synth,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            cross_account_keys=True,
            enable_key_rotation=True,
            self_mutation=True,
            publish_assets_in_parallel=False,
            cli_version=CDK_CLI_VERSION,
            cdk_assets_cli_version=CDK_ASSETS_VERSION,
            code_build_defaults=self._build_defaults(),
            self_mutation_code_build_defaults=_build_of_the_cdk(configuration, {}),
            asset_publishing_code_build_defaults=_build_of_the_cdk(
                configuration, {"pre_build": {"commands": [OLDER_ASSET_SCHEMA]}}
            ),
        )
        self._add_shared_services(shared_services, source)
        by_name = {environment.ref.stage_name: environment for environment in environments}
        for wave in waves(configuration):
            self._add_wave(wave, [by_name[stage.stage_name] for stage in wave.stages], source)
        self.pipeline.build_pipeline()
        sources.allow_connections(self.pipeline.pipeline, [step.project for step in self._cloning])
        self._protect_support_stacks()

    def _protect_support_stacks(self) -> None:
        """Give the stack that the CDK makes for artifacts in the CDN's region what all of ours have."""
        for support in self.pipeline.pipeline.cross_region_support.values():
            support.stack.termination_protection = True
            for key, value in self.tags.tag_values().items():
                support.stack.add_stack_tag(key, value)

    def _build_defaults(self) -> pipelines.CodeBuildOptions:
        log_group = logs.LogGroup(
            self, "BuildLogs", retention=logs.RetentionDays.ONE_YEAR, removal_policy=cdk.RemovalPolicy.RETAIN
        )
        return pipelines.CodeBuildOptions(
            build_environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0, compute_type=codebuild.ComputeType.SMALL
            ),
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)
            ),
        )

    def _add_shared_services(self, stage: SharedServicesStage, source: pipelines.CodePipelineSource) -> None:
        checks: list[pipelines.CodeBuildStep] = []
        if self.configuration.dns.parent == "create":
            checks.append(dns_preflight_step(self, configuration=self.configuration, source=source))
        self._cloning += checks
        self.pipeline.add_stage(stage, post=checks)

    def _add_wave(
        self, wave: Wave, environments: Sequence[DjangoStage], source: pipelines.CodePipelineSource
    ) -> None:
        """Add environments that deploy side by side; one alone gets a stage of its own name."""
        alone = wave.name in {environment.ref.stage_name for environment in environments}
        place = self.pipeline if alone else self.pipeline.add_wave(wave.name)
        for environment in environments:
            self._add_environment(place, environment, source)

    def _add_environment(
        self,
        place: pipelines.CodePipeline | pipelines.Wave,
        stage: DjangoStage,
        source: pipelines.CodePipelineSource,
    ) -> None:
        """Refuse a placeholder, ask if the class wants it, migrate before the web stack, look and record after all."""
        assembly = self.pipeline.cloud_assembly_file_set
        first = placeholder_step(self, configuration=self.configuration, stage=stage.ref, assembly=assembly)
        before: list[pipelines.Step] = [first]
        if stage.ref.environment.class_ in self.configuration.pipeline.approvals:
            packet = packet_step(
                self,
                configuration=self.configuration,
                stage=stage.ref,
                source=source,
                assembly=assembly,
                image=self._images[stage.ref.workload_name],
            )
            packet.add_step_dependency(first)
            approval = approval_step(configuration=self.configuration, stage=stage.ref, packet=packet)
            approval.add_step_dependency(packet)
            before += [packet, approval]
            self._cloning.append(packet)
        release = release_step(self, configuration=self.configuration, stage=stage.ref, source=source)
        smoke = smoke_step(self, configuration=self.configuration, stage=stage.ref, assembly=assembly)
        record = record_step(
            self,
            configuration=self.configuration,
            stage=stage.ref,
            source=source,
            assembly=assembly,
            image=self._images[stage.ref.workload_name],
            release=release,
        )
        record.add_step_dependency(smoke)
        self._cloning += [release, record]
        place.add_stage(
            stage,
            pre=before,
            # Web and workers depend on the release stack, and so on what follows it.
            stack_steps=[pipelines.StackSteps(stack=stage.release, post=[release])],
            post=[smoke, record],
        )


def _build_of_the_cdk(
    configuration: Configuration, phases: Mapping[str, object]
) -> pipelines.CodeBuildOptions:
    """Add phases to a build that the CDK makes, on a Node that the CDK supports; it takes the assembly alone."""
    return pipelines.CodeBuildOptions(
        role_policy=[*confined(configuration, reads=[ASSEMBLY]), starts_no_build()],
        partial_build_spec=codebuild.BuildSpec.from_object(
            {"phases": {"install": {"runtime-versions": {"nodejs": NODE_VERSION}}, **phases}}
        ),
    )
