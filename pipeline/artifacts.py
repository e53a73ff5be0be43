"""Bounds on what a build may do: touch the artifacts of its own step, start no other build, push no code.

The CDK lets every build read all of the artifact bucket, and every build with an output write all of it. An image
build runs what an app team wrote, so it could exchange what Synth made before it is deployed. A Deny takes that away,
whatever the CDK allows today or next.
"""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam

from config.artifacts import folder_of
from config.models import Configuration
from config.naming import Names

_READING = ["s3:GetObject*"]
_WRITING = ["s3:Abort*", "s3:Delete*", "s3:Put*"]


def confined(
    configuration: Configuration,
    *,
    reads: Iterable[str],
    writes: Sequence[str] = (),
    records: bool = False,
) -> list[iam.PolicyStatement]:
    """Return what keeps a build's role away from the artifacts of other steps.

    It allows nothing: which bucket that is, and which of the records, the role's other statements say.

    Args:
        configuration: the organization.
        reads: names of the artifacts that the step takes.
        writes: of those that it makes. Without one the CDK allows no writing.
        records: whether the role reads or writes release records, too, and is bounded there by other statements.
    """
    names = Names(configuration)
    besides = [f"arn:{names.partition}:s3:::{names.records_bucket}/*"] if records else []

    def objects(artifacts: Iterable[str]) -> list[str]:
        # Open at the end: should CodePipeline shorten names less than it does, a step still finds its own.
        folders = sorted({folder_of(artifact) for artifact in artifacts})
        return [*(f"arn:{names.partition}:s3:::*/{folder}*" for folder in folders), *besides]

    reading = iam.PolicyStatement(
        sid="NoInputsOfOthers", effect=iam.Effect.DENY, actions=_READING, not_resources=objects(reads)
    )
    if not writes:
        return [reading]
    writing = iam.PolicyStatement(
        sid="NoOutputsOfOthers", effect=iam.Effect.DENY, actions=_WRITING, not_resources=objects(writes)
    )
    return [reading, writing]


def starts_no_build() -> iam.PolicyStatement:
    """Return what keeps a build from starting another.

    The CDK allows it to the one that publishes assets, of every project in the account. Whoever starts a build may hand
    it commands of its own, and they run with that build's role.
    """
    return iam.PolicyStatement(
        sid="NoOtherBuilds",
        effect=iam.Effect.DENY,
        actions=["codebuild:RetryBuild*", "codebuild:StartBuild*"],
        resources=["*"],
    )


def pushes_no_code() -> list[iam.PolicyStatement]:
    """Return what keeps a build that may clone from pushing: whoever may use a connection may do both.

    Each provider action of `UseConnection` needs read_only, as GitPull does, or read_write, as GitPush, CreateBranch
    and DeleteRepository do (Developer Tools console User Guide, "Connections permissions reference").
    """
    return [
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=[f"{prefix}:UseConnection"],
            resources=["*"],
            conditions={"StringEquals": {f"{prefix}:ProviderPermissionsRequired": "read_write"}},
        )
        for prefix in ("codeconnections", "codestar-connections")
    ]
