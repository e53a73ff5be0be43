"""The build half of the pipeline: sources, one image per workload, and synthesis with every gate."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import pipelines
from constructs import Construct

from config.artifacts import ASSEMBLY, REPORTS, image_steps, output_of, source_of
from config.models import Configuration
from config.naming import RECORDED_TEMPLATES, Names
from pipeline.artifacts import confined, pushes_no_code
from pipeline.sources import Sources

BUILD_IMAGES: Mapping[str, codebuild.IBuildImage] = {
    # The processor of the build is the processor of the image: no emulation.
    "arm64": codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0,
    "x86_64": codebuild.LinuxBuildImage.STANDARD_7_0,
}
MOST_INPUTS = 5  # input artifacts of a build action; CodePipeline User Guide, pipeline structure reference
REGISTRY_ACTIONS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


def image_step(
    scope: Construct,
    *,
    configuration: Configuration,
    workload_name: str,
    sources: Sources,
) -> pipelines.CodeBuildStep:
    """Build a workload's image once and push it, or find that its source is unchanged and do nothing.

    The tag is a hash of the source, so an infrastructure-only commit yields the digest that already runs.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        workload_name: the workload.
        sources: where code comes from; the `./lz image` of this project does the work.

    Returns:
        A step whose output holds `image.json`.
    """
    workload = configuration.workloads[workload_name]
    source_path = workload.source.path
    additional_inputs: dict[str, pipelines.IFileSetProducer] = {}
    reads = {source_of(configuration.pipeline.repository)}
    own_repository = sources.of(workload)
    if own_repository is not None and workload.source.repository is not None:
        reads.add(source_of(workload.source.repository))
        source_path = f"sources/{workload_name}"
        additional_inputs[source_path] = own_repository
    step = image_steps(configuration.workloads)[workload_name]
    return pipelines.CodeBuildStep(
        step,
        input=sources.platform,
        additional_inputs=additional_inputs,
        commands=[f"./lz image --workload {workload_name} --source {source_path} --output out"],
        primary_output_directory="out",
        build_environment=codebuild.BuildEnvironment(
            build_image=BUILD_IMAGES[workload.architecture], privileged=True
        ),
        role_policy_statements=[
            *_registry_permissions(scope, configuration, workload_name),
            *confined(configuration, reads=reads, writes=[output_of(step)]),
            *pushes_no_code(),  # others run what the platform's own repository holds
        ],
        timeout=cdk.Duration.minutes(45),
    )


def _registry_permissions(
    scope: Construct, configuration: Configuration, workload_name: str
) -> list[iam.PolicyStatement]:
    statements = [
        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        iam.PolicyStatement(
            actions=list(REGISTRY_ACTIONS), resources=[Names(configuration).repository_arn(workload_name)]
        ),
    ]
    secret = configuration.pipeline.docker_hub_secret
    if secret is not None:
        arn = cdk.Stack.of(scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{secret}-??????",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        statements.append(iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[arn]))
    return statements


def trust_step(
    scope: Construct, *, configuration: Configuration, source: pipelines.CodePipelineSource
) -> pipelines.CodeBuildStep:
    """Stop before synthesis and self-mutation, unless every account of the configuration is bootstrapped with trust.

    The running pipeline does not know an account that this very commit adds. So the step may assume the look-up role
    of any account, which is theirs to grant, and narrows its own session to reading roles.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        source: source of this project; its `./lz doctor` does the work.
    """
    names = Names(configuration)
    role = iam.Role(
        scope,
        "TrustPreflightRole",
        role_name=names.trust_step_role,
        assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
        description="Looks at the bootstrap of every account of the configuration",
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["sts:AssumeRole"], resources=[names.any_bootstrap_role_arn("lookup-role")]
        )
    )
    for statement in confined(configuration, reads=[source_of(configuration.pipeline.repository)]):
        role.add_to_policy(statement)
    return pipelines.CodeBuildStep("TrustPreflight", input=source, commands=["./lz doctor"], role=role)


def synth_step(
    scope: Construct,
    *,
    configuration: Configuration,
    platform: pipelines.CodePipelineSource,
    images: Mapping[str, pipelines.CodeBuildStep],
) -> pipelines.CodeBuildStep:
    """Run every check, synthesize with the digests of the images, and stop what would lose something.

    For the last, the templates of earlier releases are read, and nothing else in the records bucket.

    What was found is an artifact of the run, `Synth_reports`: the compliance reports and the bills of materials. An
    artifact, since it belongs to one execution, is encrypted and kept as its other artifacts are, and can be the input
    of later steps; a report group of CodeBuild takes test results and no files.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        platform: source of this project.
        images: workload -> its image step.
    """
    inputs: dict[str, pipelines.IFileSetProducer] = {f"images/{name}": step for name, step in images.items()}
    # The check of the synthesis is that of the next command, on the same digests: once is enough.
    checks = ["./lz check --without synth", "./lz synth"]
    commands = [*checks, "./lz guard", "./lz supply-chain --require-audit"]
    role = iam.Role(scope, "SynthRole", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
    names = Names(configuration)
    bucket = f"arn:{names.partition}:s3:::{names.records_bucket}"
    role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket]))
    role.add_to_policy(
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"{bucket}/*/{RECORDED_TEMPLATES}"])
    )
    reads = {source_of(configuration.pipeline.repository)}
    reads |= {output_of(step) for step in image_steps(configuration.workloads).values()}
    writes = [ASSEMBLY, REPORTS]
    if len(inputs) >= MOST_INPUTS - 1:  # the source is one too
        groups = _gather(images, role)
        inputs = {f"gathered/{name}": step for name, step in groups.items()}
        reads |= set(map(output_of, groups))
        writes += map(output_of, groups)
        commands = ["mkdir -p images && cp -RL gathered/*/. images/", *commands]
    for statement in confined(configuration, reads=reads, writes=writes, records=True):
        role.add_to_policy(statement)
    step = pipelines.CodeBuildStep(
        "Synth",
        input=platform,
        additional_inputs=inputs,
        commands=commands,
        primary_output_directory="cdk.out",
        role=role,
        build_environment=codebuild.BuildEnvironment(compute_type=codebuild.ComputeType.MEDIUM),
    )
    step.add_output_directory("reports")
    return step


def _gather(
    images: Mapping[str, pipelines.CodeBuildStep], role: iam.IRole
) -> dict[str, pipelines.CodeBuildStep]:
    """Put the outputs of image steps together, as many as a build takes, each in a folder of its workload's name."""
    names = list(images)
    steps = {}
    for number, start in enumerate(range(0, len(names), MOST_INPUTS), start=1):
        first, *others = names[start : start + MOST_INPUTS]
        copies = [f"mkdir -p out/{first} && cp *.json out/{first}/"]
        copies += [f"cp -RL inputs/{name} out/{name}" for name in others]
        steps[f"Images-{number}"] = pipelines.CodeBuildStep(
            f"Images-{number}",
            input=images[first],
            additional_inputs={f"inputs/{name}": images[name] for name in others},
            commands=copies,
            primary_output_directory="out",
            role=role,
        )
    return steps
