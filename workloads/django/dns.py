"""The environment's zone, its delegation from the parent, and the site's certificate."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from constructs import Construct

from config.models import Configuration
from config.stages import StageRef
from workloads.django.base import WorkloadStack

DELEGATION_TTL = cdk.Duration.minutes(
    5
)  # short: a wrong delegation must not be cached for the default two days


class DnsStack(WorkloadStack):
    """Delegated zone and DNS-validated certificate.

    Attributes:
        zone: the environment's zone.
        certificate: the load balancer's certificate.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, configuration: Configuration, stage: StageRef
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            stage=stage,
            description="DNS zone, delegation and certificate",
            stateful=True,
        )
        domain = stage.environment.domain
        self.zone = route53.PublicHostedZone(self, "Zone", zone_name=domain)
        self.zone.apply_removal_policy(self.data_removal)
        delegation = self._delegate()
        self.certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=domain,
            validation=acm.CertificateValidation.from_dns(self.zone),
        )
        # Validation looks the record up from outside: without the delegation it would wait until it times out.
        self.certificate.node.add_dependency(delegation)
        self.log_custom_resource(
            "CrossAccountZoneDelegation", retention=self.log_retention, removal_policy=self.data_removal
        )
        self.publish({"HostedZoneId": self.zone.hosted_zone_id, "Domain": domain})

    def _delegate(self) -> route53.CrossAccountZoneDelegationRecord:
        """Write this zone's NS record in the parent, through the role that may write this one name."""
        parent = self.configuration.dns.parent
        made_here = parent == "create"
        role_arn = self.names.role_arn(
            self.configuration.accounts.shared_services, self.names.delegation_role(self.stage_ref.key)
        )
        return route53.CrossAccountZoneDelegationRecord(
            self,
            "Delegation",
            delegated_zone=self.zone,
            parent_hosted_zone_name=self.configuration.organization.domain if made_here else None,
            parent_hosted_zone_id=None if made_here else parent,
            delegation_role=iam.Role.from_role_arn(self, "DelegationRole", role_arn, mutable=False),
            ttl=DELEGATION_TTL,
            # Removing or renaming this construct must never take a live site off the net.
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
