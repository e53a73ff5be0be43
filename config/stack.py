"""The base of every stack: availability zones from the configuration, and the tags that each resource carries."""

from collections.abc import Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from config.models import Configuration


class BaseStack(cdk.Stack):
    """A stack whose availability zones come from the configuration, so that synthesis never asks AWS.

    Args:
        scope: the stage (or the app, for the tooling stacks).
        construct_id: id within the scope; a contract, for it names the stack.
        configuration: the organization.
        account: account id.
        region: AWS region; the organization's if left out.
        description: one sentence for the console.
        tags: tags besides the organization's.
        termination_protection: refuse to delete the stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        account: str,
        region: str | None = None,
        description: str,
        tags: Mapping[str, str] | None = None,
        termination_protection: bool = False,
    ) -> None:
        # Before super(): the base class may ask for the zones while it is being made.
        self._letters = configuration.organization.availability_zones
        self._region = region or configuration.organization.region
        self.configuration = configuration
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=account, region=self._region),
            description=description,
            tags={"organization": configuration.organization.name, "managed-by": "cdk", **(tags or {})},
            termination_protection=termination_protection,
        )

    @property
    def availability_zones(self) -> list[str]:
        """Zone names made of the region and the configured letters: `ec2.Vpc` would otherwise look them up."""
        return [f"{self._region}{letter}" for letter in self._letters]

    def log_custom_resource(
        self, name: str, *, retention: logs.RetentionDays, removal_policy: cdk.RemovalPolicy
    ) -> None:
        """Give a function that the CDK adds by itself a log group: its own would be kept for ever.

        Args:
            name: what the CDK calls the custom resource, such as `VpcRestrictDefaultSG`.
            retention: how long the logs are kept.
            removal_policy: what becomes of them with the stack.
        """
        provider = cast("Construct", self.node.find_child(f"Custom::{name}CustomResourceProvider"))
        group = logs.LogGroup(provider, "Logs", retention=retention, removal_policy=removal_policy)
        handler = cast("cdk.CfnResource", provider.node.find_child("Handler"))
        handler.add_property_override("LoggingConfig.LogGroup", group.log_group_name)
