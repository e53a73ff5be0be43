"""Nothing travels in the clear."""

from collections.abc import Iterator

from compliance.policies import denies_plain_transport
from compliance.rules.rule import Finding, Organization, rule


@rule(
    "LZ-TLS-1",
    text="Every bucket, queue and topic refuses whatever does not come over TLS.",
    fix="Make it with `enforce_ssl=True`.",
)
def everything_refuses_plain_transport(organization: Organization) -> Iterator[Finding]:
    """Look at every bucket, queue and topic.

    cdk-nag has rules for this, too (S10, SQS4, SNS3); they judge constructs, this one what CloudFormation gets.
    """
    for resource in organization.assembly.resources("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic"):
        yield Finding(resource, "" if denies_plain_transport(resource) else "it answers plain transport")
