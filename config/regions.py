"""The AWS regions, and those in which the landing zone can live."""

# Source: partitions.json of botocore 1.43.106, partition `aws`. A test compares this list with the installed
# botocore, so that a new region shows up as a red test and not as a refused configuration. Committed, and not
# read at run time, because importing botocore takes longer than everything else that `load` does.
REGIONS = (
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)

# Regions that an account has to enable first. CloudFront writes standard logs to no bucket in one of them (Amazon
# CloudFront Developer Guide, "Configure standard logging (legacy)"), so the CDN's stack would fail there. A test
# compares this list with the CDK's.
OPT_IN_REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
    }
)
HOME_REGIONS = tuple(region for region in REGIONS if region not in OPT_IN_REGIONS)

# Other partitions of AWS. The CDN's certificate must be in us-east-1, which their accounts cannot use.
OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")
