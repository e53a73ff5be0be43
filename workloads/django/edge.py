"""What CloudFront needs in us-east-1: the certificate of the static files' name."""

from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from config.models import Configuration
from config.naming import CDN_REGION, static_domain
from config.stages import StageRef
from workloads.django.base import WorkloadStack


class EdgeStack(WorkloadStack):
    """The CDN's certificate.

    Attributes:
        certificate: certificate of `static.<domain>`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        zone: route53.IHostedZone,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            region=CDN_REGION,
            description="CDN certificate",
        )
        self.certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=static_domain(stage.environment.domain),
            validation=acm.CertificateValidation.from_dns(zone),
        )
