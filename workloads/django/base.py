"""The base of a workload's stacks."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config.models import Configuration
from config.naming import Names, parameter_name
from config.stack import BaseStack
from config.stages import StageRef


class WorkloadStack(BaseStack):
    """A stack of one environment.

    Args:
        scope: the environment's stage.
        construct_id: id within it; a contract.
        configuration: the organization.
        stage: the environment.
        description: what the stack holds, for the console.
        region: if not the home region.
        stateful: the stack holds data; in production it cannot be deleted.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Configuration,
        stage: StageRef,
        description: str,
        region: str | None = None,
        stateful: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            account=stage.account_id,
            region=region,
            description=f"{description} of {stage.key}",
            tags={"workload": stage.workload_name, "environment": stage.environment_name},
            termination_protection=stateful and stage.is_production,
        )
        self.stage_ref = stage
        self.names = Names(configuration)

    @property
    def data_removal(self) -> cdk.RemovalPolicy:
        """What becomes of data when its resource leaves the template: kept in production.

        Not kept when its very creation is rolled back: it holds nothing yet, and its name would block the next try.
        """
        return (
            cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            if self.stage_ref.is_production
            else cdk.RemovalPolicy.DESTROY
        )

    @property
    def log_retention(self) -> logs.RetentionDays:
        """How long logs are kept: a year in production, a month in staging."""
        return logs.RetentionDays.ONE_YEAR if self.stage_ref.is_production else logs.RetentionDays.ONE_MONTH

    def log_group(self, construct_id: str, *, name: str | None = None) -> logs.LogGroup:
        """Make a log group with this environment's retention.

        Args:
            construct_id: id within the stack.
            name: physical name, only where an AWS service dictates it.
        """
        return logs.LogGroup(
            self,
            construct_id,
            log_group_name=name,
            retention=self.log_retention,
            removal_policy=self.data_removal,
        )

    def publish(self, values: Mapping[str, str]) -> None:
        """Write each value to SSM as `/<StageName>/<Name>`, where run-time tools and people look.

        Args:
            values: name -> value; both without secrets.
        """
        for name, value in values.items():
            ssm.CfnParameter(
                self,
                f"Parameter{name}",
                name=parameter_name(self.stage_ref.stage_name, name),
                type="String",
                value=value,
            )
