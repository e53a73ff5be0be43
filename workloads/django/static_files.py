"""Static files: a private bucket behind CloudFront, under the environment's own name."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.models import Configuration
from config.naming import static_domain
from config.stages import StageRef
from workloads.django.base import WorkloadStack
from workloads.django.logs import LogsStack


class StaticFilesStack(WorkloadStack):
    """Bucket and distribution.

    The release step uploads each image's hashed files and never deletes old ones: tasks of two versions run side by
    side while a deployment rolls.

    Attributes:
        bucket: the bucket.
        url: address that Django prefixes static files with, ending in a slash.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        zone: route53.IHostedZone,
        certificate: acm.ICertificate,
        logs: LogsStack,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="Static files and CDN",
            stateful=True,
        )
        domain = static_domain(stage.environment.domain)
        self.url = f"https://{domain}/"
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=logs.access_log_target(self),
            server_access_logs_prefix="static/",
            removal_policy=self.data_removal,
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Static files of {stage.key}",
            domain_names=[domain],
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=self._headers(),
                compress=True,
            ),
            enable_logging=True,
            log_bucket=logs.cdn,
            log_file_prefix="static/",
        )
        alias = route53.RecordTarget.from_alias(targets.CloudFrontTarget(distribution))
        route53.ARecord(self, "Alias", zone=zone, record_name=domain, target=alias)
        route53.AaaaRecord(self, "AliasIpv6", zone=zone, record_name=domain, target=alias)
        self.publish(
            {
                "StaticBucketName": self.bucket.bucket_name,
                "StaticUrl": self.url,
                "DistributionId": distribution.distribution_id,
                "DistributionDomainName": distribution.distribution_domain_name,
            }
        )

    def _headers(self) -> cloudfront.ResponseHeadersPolicy:
        """Let the site itself, and the origins of the configuration, read fonts and modules."""
        environment = self.stage_ref.environment
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            cors_behavior=cloudfront.ResponseHeadersCorsBehavior(
                access_control_allow_credentials=False,
                access_control_allow_headers=["*"],
                access_control_allow_methods=["GET", "HEAD", "OPTIONS"],
                access_control_allow_origins=[
                    f"https://{environment.domain}",
                    *environment.cors_allowed_origins,
                ],
                access_control_max_age=cdk.Duration.hours(1),
                origin_override=True,
            ),
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(365), override=True
                ),
            ),
        )
