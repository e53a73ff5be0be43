"""What a person sees before production, and the question."""

from aws_cdk import aws_iam as iam
from aws_cdk import pipelines
from constructs import Construct

from config.artifacts import ASSEMBLY, image_steps, output_of, source_of
from config.models import Configuration
from config.naming import CDN_REGION, Names, packet_key, packet_prefix, record_prefix
from config.stages import StageRef
from pipeline.artifacts import confined

EXECUTION = "#{codepipeline.PipelineExecutionId}"
SUMMARY = "PACKET_SUMMARY"
SCAN = "image-scan.json"


def packet_step(
    scope: Construct,
    *,
    configuration: Configuration,
    stage: StageRef,
    source: pipelines.CodePipelineSource,
    assembly: pipelines.FileSet,
    image: pipelines.CodeBuildStep,
) -> pipelines.CodeBuildStep:
    """Make the approval packet; stop a release before anybody is asked if it would lose something, or its image is bad.

    It compares what is deployed with the assembly. It may read the account's templates, with the look-up role that the
    CDK CLI uses for the same, and what the registry's scan found in the image, and write nothing but the packet. The
    scan is asked here and not by a step of its own: the approver's question is one, the same roles would be needed
    again for each environment, and the pipeline's template is the largest there is.

    Args:
        scope: the pipeline's stack.
        configuration: the organization.
        stage: the environment.
        source: source of this project; its `./lz packet` does the work.
        assembly: what would be deployed.
        image: the workload's image step, for `image.json` and `migrations.json`.

    Returns:
        A step whose output holds the packet.
    """
    what = f"--environment {stage.key} --assembly assembly"
    return pipelines.CodeBuildStep(
        _step_id(stage),
        input=source,
        additional_inputs={"assembly": assembly, f"images/{stage.workload_name}": image},
        commands=[
            f"./lz image-scan {what} --output packet/{SCAN}",
            f"./lz packet {what} --images images --scan packet/{SCAN} --output packet --publish",
            f'export {SUMMARY}="$(cat packet/summary.txt)"',
        ],
        primary_output_directory="packet",
        env={"PIPELINE_EXECUTION_ID": EXECUTION},
        role=_role(scope, Names(configuration), stage),
    )


def approval_step(
    *, configuration: Configuration, stage: StageRef, packet: pipelines.CodeBuildStep
) -> pipelines.ManualApprovalStep:
    """Wait for a person, who sees the packet's summary in the console and a link to the packet beside it.

    Both name the execution by variables of the pipeline: its definition stays the same from release to release.

    Args:
        configuration: the organization.
        stage: the environment.
        packet: the step that made the packet.
    """
    names = Names(configuration)
    key = packet_key(stage.stage_name, EXECUTION, "packet.html")
    return pipelines.ManualApprovalStep(
        f"Approve-{stage.stage_name}",
        comment=f"{stage.key} ({stage.environment.domain}): {packet.exported_variable(SUMMARY)}",
        review_url=names.object_in_console(names.records_bucket, key),
    )


def _step_id(stage: StageRef) -> str:
    return f"Packet-{stage.stage_name}"


def _role(scope: Construct, names: Names, stage: StageRef) -> iam.Role:
    configuration = names.configuration
    regions = dict.fromkeys([configuration.organization.region, CDN_REGION])
    reads = [
        source_of(configuration.pipeline.repository),
        ASSEMBLY,
        output_of(image_steps(configuration.workloads)[stage.workload_name]),
    ]
    role = iam.Role(
        scope,
        f"PacketRole{stage.stage_name}",
        role_name=names.packet_step_role(stage.key),
        assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
        description=f"Reads what is deployed in {stage.key} and its image's scan, and writes its approval packets",
    )
    bucket = f"arn:{names.partition}:s3:::{names.records_bucket}"
    records = record_prefix(stage.stage_name)
    for statement in (
        iam.PolicyStatement(
            actions=["sts:AssumeRole"],
            resources=[
                names.bootstrap_role_arn(stage.account_id, "lookup-role", region) for region in regions
            ],
        ),
        iam.PolicyStatement(
            actions=["ecr:DescribeImageScanFindings", "ecr:StartImageScan"],
            resources=[names.repository_arn(stage.workload_name)],
        ),
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"{bucket}/{records}*"]),
        iam.PolicyStatement(  # without it S3 says that a record which is not there yet is forbidden
            actions=["s3:ListBucket"],
            resources=[bucket],
            conditions={"StringLike": {"s3:prefix": f"{records}*"}},
        ),
        iam.PolicyStatement(
            actions=["s3:PutObject"], resources=[f"{bucket}/{packet_prefix(stage.stage_name)}*"]
        ),
        *confined(configuration, reads=reads, writes=[output_of(_step_id(stage))], records=True),
    ):
        role.add_to_policy(statement)
    return role
