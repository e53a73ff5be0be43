"""The gates around an environment's deployment."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import pipelines
from constructs import Construct

from config.artifacts import ASSEMBLY, image_steps, output_of, source_of
from config.images import PLACEHOLDER_DIGEST
from config.models import Configuration
from config.naming import Names, record_prefix
from config.stages import StageRef
from pipeline.artifacts import confined


def placeholder_step(
    scope: Construct, *, configuration: Configuration, stage: StageRef, assembly: pipelines.FileSet
) -> pipelines.CodeBuildStep:
    """Refuse to deploy an image that was never built.

    Build and synth run before self-mutation: a workload that the deployed pipeline does not know yet has no image in
    that run, and gets one in the next. It reads the assembly rather than knowing the digest, so that the pipeline's
    definition stays the same from release to release.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        stage: the environment.
        assembly: what Synth made.
    """
    templates = f"assembly-{stage.stage_name}"
    message = (
        f"No image of {stage.workload_name} was built in this run. Release the change again: the pipeline now knows "
        "the workload and builds its image first."
    )
    return pipelines.CodeBuildStep(
        f"RefusePlaceholder-{stage.stage_name}",
        input=assembly,
        role=_plain_role(scope, f"RefusePlaceholderRole{stage.stage_name}", configuration),
        commands=[
            f"grep -rqF '@sha256:' {templates}",  # fails where there is nothing to look at
            # 0: found, 1: not found, 2: could not be read. Only the second is a reason to go on.
            f"grep -rlF '{PLACEHOLDER_DIGEST}' {templates}; if [ $? -ne 1 ]; then echo '{message}'; exit 1; fi",
        ],
    )


def release_step(
    scope: Construct, *, configuration: Configuration, stage: StageRef, source: pipelines.CodePipelineSource
) -> pipelines.CodeBuildStep:
    """Migrate and upload static files on the new image, before the web stack; the task's exit code decides.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        stage: the environment.
        source: source of this project; its `./lz release` does the work.

    Returns:
        A step whose output holds `release.json`: which migrations there are now.
    """
    names = Names(configuration)
    step = _release_step_id(stage)
    role = _step_role(
        scope,
        f"ReleaseRole{stage.stage_name}",
        role_name=names.release_step_role(stage.key),
        may_assume=names.role_arn(stage.account_id, names.release_runner_role(stage.key)),
    )
    for statement in confined(configuration, reads=[_platform(configuration)], writes=[output_of(step)]):
        role.add_to_policy(statement)
    return pipelines.CodeBuildStep(
        step,
        input=source,
        commands=[f"./lz release --environment {stage.key} --output out"],
        primary_output_directory="out",
        role=role,
        timeout=cdk.Duration.hours(1),
    )


def dns_preflight_step(
    scope: Construct, *, configuration: Configuration, source: pipelines.CodePipelineSource
) -> pipelines.CodeBuildStep:
    """Stop, with the name servers to enter at the registrar, until the world can resolve the parent zone.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        source: source of this project; its `./lz dns-preflight` does the work.
    """
    names = Names(configuration)
    role = _step_role(
        scope,
        "DnsPreflightRole",
        role_name=names.dns_step_role,
        may_assume=names.role_arn(configuration.accounts.shared_services, names.dns_reader_role),
    )
    for statement in confined(configuration, reads=[_platform(configuration)]):
        role.add_to_policy(statement)
    return pipelines.CodeBuildStep("DnsPreflight", input=source, commands=["./lz dns-preflight"], role=role)


def smoke_step(
    scope: Construct, *, configuration: Configuration, stage: StageRef, assembly: pipelines.FileSet
) -> pipelines.CodeBuildStep:
    """Ask the site by its public name, with a deadline; a failure stops the pipeline before the next environment.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        stage: the environment.
        assembly: any input; without one the CDK would hand over the source, and the right to clone it.
    """
    url = f"https://{stage.environment.domain}{stage.workload.smoke_path}"
    command = (
        "curl --fail --silent --show-error --location --max-time 40 "
        f"--retry 10 --retry-delay 6 --retry-max-time 300 --retry-all-errors {url}"
    )
    return pipelines.CodeBuildStep(
        f"SmokeTest-{stage.stage_name}",
        input=assembly,
        role=_plain_role(scope, f"SmokeTestRole{stage.stage_name}", configuration),
        commands=[command],
    )


def record_step(
    scope: Construct,
    *,
    configuration: Configuration,
    stage: StageRef,
    source: pipelines.CodePipelineSource,
    assembly: pipelines.FileSet,
    image: pipelines.CodeBuildStep,
    release: pipelines.CodeBuildStep,
) -> pipelines.CodeBuildStep:
    """Check that the services run the release's image, and write the release record; after everything else.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        stage: the environment.
        source: source of this project; its `./lz record` does the work.
        assembly: what was deployed.
        image: the workload's image step, for `image.json` and `migrations.json`.
        release: the environment's release step, for `release.json`.
    """
    names = Names(configuration)
    role = _step_role(
        scope,
        f"RecordRole{stage.stage_name}",
        role_name=names.record_step_role(stage.key),
        may_assume=names.role_arn(stage.account_id, names.serving_reader_role(stage.key)),
    )
    bucket = f"arn:{names.partition}:s3:::{names.records_bucket}"
    prefix = record_prefix(stage.stage_name)
    role.add_to_policy(
        iam.PolicyStatement(actions=["s3:GetObject", "s3:PutObject"], resources=[f"{bucket}/{prefix}*"])
    )
    role.add_to_policy(  # without it S3 says that a record which is not there yet is forbidden
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket],
            conditions={"StringLike": {"s3:prefix": f"{prefix}*"}},
        )
    )
    reads = [
        _platform(configuration),
        ASSEMBLY,
        output_of(image_steps(configuration.workloads)[stage.workload_name]),
        output_of(_release_step_id(stage)),
    ]
    for statement in confined(configuration, reads=reads, records=True):
        role.add_to_policy(statement)
    return pipelines.CodeBuildStep(
        f"Record-{stage.stage_name}",
        input=source,
        additional_inputs={"assembly": assembly, f"images/{stage.workload_name}": image, "release": release},
        commands=[
            f"./lz record --environment {stage.key} --assembly assembly --images images --release release"
        ],
        env={"PIPELINE_EXECUTION_ID": "#{codepipeline.PipelineExecutionId}"},
        role=role,
    )


def _platform(configuration: Configuration) -> str:
    return source_of(configuration.pipeline.repository)


def _release_step_id(stage: StageRef) -> str:
    return f"Release-{stage.stage_name}"


def _plain_role(scope: Construct, construct_id: str, configuration: Configuration) -> iam.Role:
    """Make a build role beside the pipeline: the one that the CDK makes moves with the wave that its step is in."""
    role = iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
    for statement in confined(configuration, reads=[ASSEMBLY]):
        role.add_to_policy(statement)
    return role


def _step_role(scope: Construct, construct_id: str, *, role_name: str, may_assume: str) -> iam.Role:
    """Make a build role whose name the other account's trust policy knows, and that may assume one role."""
    role = iam.Role(
        scope,
        construct_id,
        role_name=role_name,
        assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
        description=f"May assume {may_assume}",
    )
    role.add_to_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[may_assume]))
    return role
