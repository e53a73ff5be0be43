"""The one registry: an image is built once here, and every environment pulls the same digest."""

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.models import Configuration
from config.naming import Names
from config.stack import BaseStack
from config.stages import pascal_case

KEPT_IMAGES = 200  # beyond this the oldest go; an environment must not lag that many releases behind
PULL_ACTIONS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)


class RegistryStack(BaseStack):
    """One repository per workload, pulled by the accounts of its environments alone.

    Attributes:
        repositories: workload -> repository.
    """

    def __init__(self, scope: Construct, construct_id: str, *, configuration: Configuration) -> None:
        super().__init__(
            scope,
            construct_id,
            configuration=configuration,
            account=configuration.accounts.tooling,
            description="Image registry of all workloads",
            termination_protection=True,
        )
        self.repositories = {name: self._repository(name) for name in configuration.workloads}

    def _repository(self, workload_name: str) -> ecr.Repository:
        repository = ecr.Repository(
            self,
            pascal_case(workload_name),
            repository_name=Names(self.configuration).repository(workload_name),
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=KEPT_IMAGES)],
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        accounts = {
            stage.account_id for stage in self.configuration.stages() if stage.workload_name == workload_name
        }
        repository.add_to_resource_policy(
            iam.PolicyStatement(
                sid="PullByItsEnvironments",
                actions=list(PULL_ACTIONS),
                principals=[iam.AccountPrincipal(account) for account in sorted(accounts)],
            )
        )
        return repository
