"""The parent public zone and, per environment, the one role that may delegate its name."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from constructs import Construct

from config.models import Configuration
from config.naming import NAME_SERVERS_OUTPUT, Names, resource_name
from config.stack import BaseStack
from config.stages import StageRef
from shared_services.roles import outputs_reader_role


class DnsStack(BaseStack):
    """Parent zone, made here or taken from the configuration, and the delegation roles.

    Attributes:
        zone: the parent zone.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, configuration: Configuration, account: str
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            account=account,
            description="Parent DNS zone and one delegation role per environment",
            termination_protection=True,
        )
        self.zone = self._zone()
        for stage in configuration.stages():
            self._delegation_role(stage)

    def _zone(self) -> route53.IHostedZone:
        domain = self.configuration.organization.domain
        parent = self.configuration.dns.parent
        if parent != "create":
            # Not PublicHostedZone.from_public_hosted_zone_attributes: its grant names the zone by its name, not its id.
            return route53.HostedZone.from_hosted_zone_attributes(
                self, "Zone", hosted_zone_id=parent, zone_name=domain
            )
        zone = route53.PublicHostedZone(self, "Zone", zone_name=domain)
        zone.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        cdk.CfnOutput(
            self,
            NAME_SERVERS_OUTPUT,
            value=cdk.Fn.join(",", zone.hosted_zone_name_servers or []),
            description=f"Enter these name servers for {domain} at its registrar",
        )
        names = Names(self.configuration)
        tooling = self.configuration.accounts.tooling
        outputs_reader_role(
            self,
            "OutputsReader",
            role_name=names.dns_reader_role,
            stack_name=names.dns_stack,
            accounts=[tooling],
            principal_arn=names.role_arn(tooling, names.dns_step_role),
        )
        return zone

    def _delegation_role(self, stage: StageRef) -> None:
        """Let one account write the NS record of one name, and nothing else."""
        role = iam.Role(
            self,
            f"Delegation-{resource_name(stage.key)}",
            role_name=Names(self.configuration).delegation_role(stage.key),
            assumed_by=iam.AccountPrincipal(stage.account_id),
            description=f"Delegates {stage.environment.domain} to account {stage.account_id}",
        )
        self.zone.grant_delegation(role, delegated_zone_names=[stage.environment.domain])
