"""The shape of `config/accounts.json`.

Every field's description is the manual: the JSON Schema for editors and the table in the README are made from
it. The forms of text are in `config/values.py`; rules that involve more than one key are in `config/rules/`.
Only `config.load` applies the rules, and the defaults that depend on an environment's class.
"""

from typing import Literal

from pydantic import Field

from config import stages as stages_module
from config.acknowledged import Acknowledgement, ChangeName
from config.compliance import Compliance, EnvironmentCompliance
from config.sizes import DatabaseSize, Model, WebSize, WorkerSize
from config.stages import StageRef
from config.values import (
    AccountId,
    AccountName,
    Branch,
    Cidr,
    ConnectionArn,
    DnsParent,
    DomainName,
    OrganizationName,
    Qualifier,
    Region,
    Repository,
    SecretName,
    TransitGateway,
    WorkloadName,
    ZoneLetter,
)
from config.workload import Commands, DeploymentEnvironment, EnvironmentClass, Source, Workload

__all__ = [
    "Accounts",
    "Acknowledgement",
    "Commands",
    "Compliance",
    "Configuration",
    "DatabaseSize",
    "DeploymentEnvironment",
    "Dns",
    "EnvironmentClass",
    "EnvironmentCompliance",
    "ImageFindings",
    "Model",
    "Network",
    "Organization",
    "Pipeline",
    "Source",
    "WebSize",
    "WorkerSize",
    "Workload",
]

ImageFindings = Literal["critical", "high", "medium", "low", "off"]


class Organization(Model):
    """Who we are and where we run."""

    name: OrganizationName = Field(
        description="Short lower-case name; it starts the names of shared resources."
    )
    domain: DomainName = Field(description="The parent domain. Every environment's domain is below it.")
    region: Region = Field(
        description="The home region of every stack but the CDN's certificate (us-east-1); no opt-in region."
    )
    availability_zones: tuple[ZoneLetter, ...] = Field(
        default=("a", "b"),
        min_length=2,
        max_length=3,
        description="Letters of the availability zones, two or three. No look-up is made.",
        json_schema_extra={"uniqueItems": True},
    )
    qualifier: Qualifier = Field(default="hnb659fds", description="Qualifier of the CDK bootstrap stacks.")


class Accounts(Model):
    """Account ids by role: quoted, twelve digits."""

    tooling: AccountId = Field(description="Pipeline, image registry, build artifacts.")
    shared_services: AccountId = Field(description="Shared network and the parent DNS zone.")
    workloads: dict[AccountName, AccountId] = Field(
        min_length=1, description="Name of a workload account -> its id. One without an environment is fine."
    )


class Dns(Model):
    """The parent zone."""

    parent: DnsParent = Field(
        default="create",
        description='"create" makes the public zone; or the id of an existing zone (Z...).',
    )


class Network(Model):
    """The address plan and the ways out."""

    supernet: Cidr = Field(
        description="Private network with all CIDRs inside; environments blackhole it towards each other."
    )
    hub_cidr: Cidr = Field(
        description="CIDR of the hub VPC in shared services, /16 to /24 (used with egress central)."
    )
    transit_gateway: TransitGateway = Field(
        default="create",
        description='"create", "off", or the id of an existing transit gateway (tgw-...).',
    )
    egress: Literal["local", "central", "none"] = Field(
        default="central",
        description="Where environments leave to the internet: own NAT, the hub's NAT, nowhere.",
    )
    endpoints: Literal["local", "none"] = Field(
        default="local",
        description="Interface endpoints in every VPC, or none (AWS APIs through the egress).",
    )


class Pipeline(Model):
    """Where the infrastructure's source is and who is asked."""

    repository: Repository = Field(description="owner/name of the repository that holds this project.")
    branch: Branch = Field(default="main", description="The branch that the pipeline follows.")
    connection_arn: ConnectionArn = Field(
        description="ARN of the CodeConnections connection, in the tooling account and the home region."
    )
    docker_hub_secret: SecretName | None = Field(
        default=None,
        description="Name of a Secrets Manager secret in tooling with username and password for Docker Hub.",
    )
    approvals: tuple[EnvironmentClass, ...] = Field(
        default=("production",),
        description="Classes of environment that wait for a manual approval; production always does.",
        json_schema_extra={"uniqueItems": True},
    )
    image_findings: ImageFindings = Field(
        default="high",
        description="A finding of the registry's image scan that is this severe, or worse, blocks the approval.",
    )
    wave_size: int = Field(
        default=1,
        ge=1,
        le=10,
        description="Environments of one class that deploy side by side; 1: one after the other.",
    )


class Configuration(Model):
    """The whole of `config/accounts.json`."""

    schema_: str | None = Field(default=None, alias="$schema", description="For editors.")
    organization: Organization = Field(description="Who we are and where we run.")
    accounts: Accounts = Field(description="Account ids by role: quoted, twelve digits.")
    dns: Dns = Field(default_factory=Dns, description="The parent zone.")
    network: Network = Field(description="The address plan and the ways out.")
    pipeline: Pipeline = Field(description="Where the infrastructure's source is and who is asked.")
    compliance: Compliance = Field(
        default_factory=Compliance, description="What judges the organization, and what of it is public."
    )
    workloads: dict[WorkloadName, Workload] = Field(
        min_length=1,
        # Images are handed to synthesis in groups of five, as many as a build takes inputs, and so are the groups but
        # for one, the source. The pipeline's thousand actions end at about thirty environments anyway.
        max_length=20,
        description="Name -> a Django project and its environments.",
    )
    acknowledged_changes: dict[ChangeName, Acknowledgement] = Field(
        default_factory=dict,
        description="Change that would lose something, as ./lz guard names it -> why it may happen all the same.",
    )

    def stages(self) -> tuple[StageRef, ...]:
        """List every environment of every workload in deployment order: all of class staging come first."""
        return stages_module.stages(self)

    def find_stage(self, name: str) -> StageRef:
        """Find a stage by `my-django-app/staging`, `MyDjangoAppStaging`, or `staging` if one workload has it.

        Raises:
            UnknownStageError: None or several have the name.
        """
        return stages_module.find_stage(self, name)

    def account_ids(self) -> dict[str, str]:
        """Map each account's name (`tooling`, `shared_services`, names of workload accounts) to its id."""
        return {
            "tooling": self.accounts.tooling,
            "shared_services": self.accounts.shared_services,
            **self.accounts.workloads,
        }
