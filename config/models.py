"""The shape of `config/accounts.json`.

Every field's description is the manual: the JSON Schema for editors and the table in the README are made from
it.
Rules that involve more than one field live in `config/rules.py`.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from config import stages as stages_module
from config.stages import StageRef

EnvironmentClass = Literal["staging", "production"]


class Model(BaseModel):
    """Base of every part: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class Organization(Model):
    """Who we are and where we run."""

    name: str = Field(description="Short lower-case name; it starts the names of shared resources.")
    domain: str = Field(description="The parent domain. Every environment's domain is below it.")
    region: str = Field(description="The home region of every stack but the CDN's certificate (us-east-1).")
    availability_zones: tuple[str, ...] = Field(
        default=("a", "b"), description="Letters of the availability zones, two or three. No look-up is made."
    )
    qualifier: str = Field(default="hnb659fds", description="Qualifier of the CDK bootstrap stacks.")


class Accounts(Model):
    """Account ids by role: quoted, twelve digits."""

    tooling: str = Field(description="Pipeline, image registry, build artifacts.")
    shared_services: str = Field(description="Shared network and the parent DNS zone.")
    workloads: dict[str, str] = Field(description="Name of a workload account -> its id.")


class Dns(Model):
    """The parent zone."""

    parent: str = Field(
        default="create", description='"create" makes the public zone; or the id of an existing zone (Z...).'
    )


class Network(Model):
    """The address plan and the ways out."""

    supernet: str = Field(
        description="All CIDRs lie inside it; environments blackhole it towards each other."
    )
    hub_cidr: str = Field(description="CIDR of the hub VPC in shared services (used with egress central).")
    transit_gateway: str = Field(
        default="create", description='"create", "off", or the id of an existing transit gateway (tgw-...).'
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

    repository: str = Field(description="owner/name of the repository that holds this project.")
    branch: str = Field(default="main", description="The branch that the pipeline follows.")
    connection_arn: str = Field(description="ARN of the CodeConnections connection, in the tooling account.")
    docker_hub_secret: str | None = Field(
        default=None,
        description="Name of a Secrets Manager secret in tooling with username and password for Docker Hub.",
    )
    approvals: tuple[EnvironmentClass, ...] = Field(
        default=("production",), description="Classes of environment that wait for a manual approval."
    )


class Source(Model):
    """Where a workload's code is: a path in this repository, or another repository."""

    path: str | None = Field(default=None, description="Folder with the Dockerfile, in this repository.")
    repository: str | None = Field(default=None, description="owner/name of the workload's own repository.")
    branch: str | None = Field(default=None, description="Branch of the workload's own repository.")
    connection_arn: str | None = Field(
        default=None, description="Connection to read it; the pipeline's own if left out."
    )


class Commands(Model):
    """What each process type runs, as an argument list (no shell)."""

    web: tuple[str, ...] = Field(default=("bin/web",), description="Web server.")
    worker: tuple[str, ...] | None = Field(default=("bin/worker",), description="Celery worker; null: none.")
    beat: tuple[str, ...] | None = Field(default=("bin/beat",), description="Celery beat; null: none.")
    release: tuple[str, ...] = Field(
        default=("bin/release",),
        description="Release step: migrations, then upload of the hashed static files.",
    )


class WebSize(Model):
    """Web tasks."""

    cpu: int = Field(default=256, description="Fargate CPU units of one task.")
    memory: int = Field(default=512, description="MiB of one task; only the pairs that Fargate offers.")
    min_tasks: int = Field(default=1, ge=1, description="Tasks that always run.")
    max_tasks: int = Field(default=2, ge=1, description="Limit of the CPU-driven scaling.")


class WorkerSize(Model):
    """Celery worker tasks."""

    cpu: int = Field(default=256, description="Fargate CPU units of one task.")
    memory: int = Field(default=512, description="MiB of one task; only the pairs that Fargate offers.")
    min_tasks: int = Field(default=1, ge=0, description="Workers that always run; 0 lets them sleep.")
    max_tasks: int = Field(default=2, ge=1, description="Limit of the backlog-driven scaling.")
    spot: bool = Field(default=False, description="Run workers on Fargate Spot.")
    messages_per_task: int = Field(
        default=10, ge=1, description="Backlog (waiting and in flight) per worker above which one is added."
    )
    task_timeout_seconds: int = Field(
        default=900,
        ge=30,
        le=39_600,
        description="Longest Celery task. The queue's visibility timeout is a tenth and a minute more.",
    )


class DatabaseSize(Model):
    """Aurora PostgreSQL Serverless v2."""

    min_capacity: float = Field(default=0.5, ge=0, le=256, description="Aurora capacity units; 0 can pause.")
    max_capacity: float = Field(default=2, ge=1, le=256, description="Aurora capacity units.")
    auto_pause_minutes: int | None = Field(
        default=None, ge=5, le=1440, description="Pause after so many idle minutes; needs min_capacity 0."
    )
    backup_days: int = Field(default=7, ge=1, le=35, description="Days that automatic backups are kept.")
    deletion_protection: bool = Field(
        default=True, description="Refuse to delete the cluster. Staging's default is false."
    )


class DeploymentEnvironment(Model):
    """One instance of a workload in an account."""

    class_: EnvironmentClass = Field(alias="class", description="staging (cheap) or production (safe).")
    account: str = Field(description="Name of one of accounts.workloads.")
    share_account: bool = Field(
        default=False, description="Say true in every environment of an account that holds more than one."
    )
    domain: str = Field(description="The site's name; a zone of its own, delegated from the parent.")
    cidr: str = Field(description="CIDR of the VPC, /16 to /24, inside the supernet.")
    web: WebSize = Field(default_factory=WebSize, description="Size and limits of the web tasks.")
    worker: WorkerSize = Field(default_factory=WorkerSize, description="Size and limits of the workers.")
    database: DatabaseSize = Field(default_factory=DatabaseSize, description="Size of the database.")
    cors_allowed_origins: tuple[str, ...] = Field(
        default=(), description="Origins besides the site itself that may read static files (https://...)."
    )
    variables: dict[str, str] = Field(
        default_factory=dict, description="Extra environment variables of every container. Never a secret."
    )


class Workload(Model):
    """A Django project and its environments, in the order in which they are released."""

    source: Source = Field(description="Where its code is.")
    architecture: Literal["arm64", "x86_64"] = Field(
        default="arm64", description="Processor architecture of its one image, for every environment."
    )
    port: int = Field(default=8000, ge=1024, le=65535, description="Port of the web container.")
    health_path: str = Field(default="/status/", description="Path that the load balancer asks.")
    smoke_path: str = Field(default="/status/deep/", description="Path that the smoke test asks.")
    commands: Commands = Field(default_factory=Commands, description="What each process type runs.")
    injected_variables: dict[str, str] = Field(
        default_factory=dict,
        description="Renames what the landing zone injects: its name -> the name this project reads.",
    )
    environments: dict[str, DeploymentEnvironment] = Field(description="Name -> environment.")


class Configuration(Model):
    """The whole of `config/accounts.json`."""

    schema_: str | None = Field(default=None, alias="$schema", description="For editors.")
    organization: Organization
    accounts: Accounts
    dns: Dns = Field(default_factory=Dns)
    network: Network
    pipeline: Pipeline
    workloads: dict[str, Workload]

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
