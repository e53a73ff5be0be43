"""Logs, media and static files: buckets, the CDN before them, and who may do what in them."""

import pytest

from compliance.policies import policy_of
from tests import documents
from tests.assembly import Assembly, Resource, Stack
from tests.conftest import Synthesize

STAGES = [documents.STAGING, documents.PRODUCTION]


@pytest.fixture(params=STAGES)
def stage_name(request: pytest.FixtureRequest) -> str:
    """The name of each stage."""
    return str(request.param)


def test_every_bucket_of_an_environment_is_logged_but_the_logs_of_buckets(
    organization: Assembly, stage_name: str
) -> None:
    buckets = [
        each for stack in organization.in_stage(stage_name) for each in stack.resources("AWS::S3::Bucket")
    ]
    targets = {
        f"{each.stack.id}/{each.logical_id[:-8]}": each.text("LoggingConfiguration", "DestinationBucketName")
        for each in buckets
        if each.get("LoggingConfiguration")
    }
    access = organization[f"{stage_name}-Logs"].resource("AWS::S3::Bucket", "Access")
    assert set(targets) == {"Logs/Alb", "Logs/Cdn", "Media/Bucket", "OneOff/Values", "StaticFiles/Bucket"}
    assert set(targets.values()) == {f"${{{stage_name}-Logs/{access.logical_id}}}"}


def test_access_logs_are_taken_from_the_own_account_alone(organization: Assembly, stage_name: str) -> None:
    logs = organization[f"{stage_name}-Logs"]
    (delivery,) = [each for each in policy_of(logs.resource("AWS::S3::Bucket", "Access")) if each.allows]
    assert delivery.principals == ("Service:logging.s3.amazonaws.com",)
    assert delivery.actions == ("s3:PutObject",)
    assert delivery.condition == {"StringEquals": {"aws:SourceAccount": logs.account}}


@pytest.mark.parametrize(("stage", "days"), [(documents.STAGING, 30), (documents.PRODUCTION, 365)])
def test_logs_are_kept_as_long_as_the_class_asks(organization: Assembly, stage: str, days: int) -> None:
    for bucket in organization[f"{stage}-Logs"].resources("AWS::S3::Bucket"):
        assert bucket.get("LifecycleConfiguration", "Rules", 0, "ExpirationInDays") == days
    groups = [
        each for stack in organization.in_stage(stage) for each in stack.resources("AWS::Logs::LogGroup")
    ]
    assert {group.get("RetentionInDays") for group in groups} == {days}


def test_only_the_cdns_log_bucket_allows_lists_of_access_rights(
    organization: Assembly, stage_name: str
) -> None:
    buckets = [
        each for stack in organization.in_stage(stage_name) for each in stack.resources("AWS::S3::Bucket")
    ]
    preferred = [
        each.logical_id[:-8]
        for each in buckets
        if each.get("OwnershipControls", "Rules", 0, "ObjectOwnership") != "BucketOwnerEnforced"
    ]
    assert preferred == ["Cdn"]


def test_uploads_have_versions_that_go_after_a_month(organization: Assembly, stage_name: str) -> None:
    bucket = organization[f"{stage_name}-Media"].resource("AWS::S3::Bucket")
    assert bucket.get("VersioningConfiguration") == {"Status": "Enabled"}
    (rule,) = bucket.get("LifecycleConfiguration", "Rules")
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert "ExpirationInDays" not in rule


def _distribution(stack: Stack) -> Resource:
    return stack.resource("AWS::CloudFront::Distribution")


def test_static_files_are_read_through_the_cdn_alone(organization: Assembly, stage_name: str) -> None:
    stack = organization[f"{stage_name}-StaticFiles"]
    distribution = _distribution(stack)
    (origin,) = distribution.get("DistributionConfig", "Origins")
    assert "/DistributionOrigin1S3OriginAccessControl" in stack.text(origin["OriginAccessControlId"])
    assert origin["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    control = stack.resource("AWS::CloudFront::OriginAccessControl").get("OriginAccessControlConfig")
    assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")
    (read,) = [each for each in policy_of(stack.resource("AWS::S3::Bucket")) if each.allows]
    assert read.principals == ("Service:cloudfront.amazonaws.com",)
    assert read.actions == ("s3:GetObject",)
    own = f"arn:aws:cloudfront::{stack.account}:distribution/${{{stack.name}/{distribution.logical_id}}}"
    assert read.condition == {"StringEquals": {"AWS:SourceArn": own}}
    assert not organization.resources("AWS::CloudFront::CloudFrontOriginAccessIdentity")


def test_the_cdn_speaks_modern_tls_under_the_environments_own_name(
    organization: Assembly, stage_name: str
) -> None:
    stack = organization[f"{stage_name}-StaticFiles"]
    config = _distribution(stack).get("DistributionConfig")
    domain = organization[f"{stage_name}-Dns"].parameter(f"/{stage_name}/Domain")
    assert config["Aliases"] == [f"static.{domain}"]
    assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    certificate = stack.text(config["ViewerCertificate"]["AcmCertificateArn"])
    assert certificate.startswith(f"${{{stage_name}-Edge/Certificate")
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    records = stack.resources("AWS::Route53::RecordSet")
    assert {(each.get("Name"), each.get("Type")) for each in records} == {
        (f"static.{domain}.", "A"),
        (f"static.{domain}.", "AAAA"),
    }


def test_the_cdn_is_logged(organization: Assembly, stage_name: str) -> None:
    stack = organization[f"{stage_name}-StaticFiles"]
    bucket = organization[f"{stage_name}-Logs"].resource("AWS::S3::Bucket", "Cdn")
    logging = _distribution(stack).get("DistributionConfig", "Logging")
    assert stack.text(logging["Bucket"]) == f"${{{stage_name}-Logs/{bucket.logical_id}.RegionalDomainName}}"


def test_the_site_and_the_configured_origins_may_read_static_files(
    organization: Assembly, synthesize: Synthesize
) -> None:
    def origins(assembly: Assembly) -> list[str]:
        policy = assembly[f"{documents.STAGING}-StaticFiles"].resource(
            "AWS::CloudFront::ResponseHeadersPolicy"
        )
        config = policy.get("ResponseHeadersPolicyConfig", "CorsConfig")
        assert config["AccessControlAllowCredentials"] is False
        assert config["AccessControlAllowMethods"]["Items"] == ["GET", "HEAD", "OPTIONS"]
        found: list[str] = config["AccessControlAllowOrigins"]["Items"]
        return found

    assert origins(organization) == ["https://staging.acme.example"]
    other = synthesize(documents.tuned())
    assert origins(other) == ["https://staging.acme.example", "https://app.acme.example"]


def test_the_policy_that_names_the_origins_is_the_one_in_use(organization: Assembly, stage_name: str) -> None:
    stack = organization[f"{stage_name}-StaticFiles"]
    policy = stack.resource("AWS::CloudFront::ResponseHeadersPolicy")
    behavior = _distribution(stack).get("DistributionConfig", "DefaultCacheBehavior")
    assert stack.text(behavior["ResponseHeadersPolicyId"]) == f"${{{stack.name}/{policy.logical_id}}}"
