"""The shape of a workload: a Django project, how it is built, run and configured, and its environments."""

from typing import Annotated, Literal

from pydantic import Field

from config.compliance import EnvironmentCompliance
from config.container_values import (
    Argument,
    BuildTarget,
    Origin,
    StatusCodes,
    Template,
    UrlPath,
    VariableName,
)
from config.sizes import DatabaseSize, Model, WebSize, WorkerSize
from config.values import (
    AccountName,
    Branch,
    Cidr,
    ConnectionArn,
    DomainName,
    EnvironmentName,
    RelativePath,
    Repository,
)
from config.variables import INJECTED_VARIABLES

EnvironmentClass = Literal["staging", "production"]
Command = Annotated[tuple[Argument, ...], Field(min_length=1)]


class Source(Model):
    """Where a workload's code is: a path in this repository, or another repository."""

    path: RelativePath | None = Field(
        default=None, description="Folder with the Dockerfile, in this repository."
    )
    repository: Repository | None = Field(
        default=None, description="owner/name of the workload's own repository."
    )
    branch: Branch | None = Field(
        default=None, description="Branch of the workload's own repository; needed with it."
    )
    connection_arn: ConnectionArn | None = Field(
        default=None, description="Connection to read that repository; the pipeline's own if left out."
    )
    target: BuildTarget | None = Field(
        default=None, description="Stage of the Dockerfile that is released; the last one if left out."
    )


class Commands(Model):
    """What each process type runs, as an argument list (no shell)."""

    web: Command = Field(default=("bin/web",), description="Web server.")
    worker: Command | None = Field(default=("bin/worker",), description="Celery worker; null: none.")
    beat: Command | None = Field(
        default=("bin/beat",), description="Celery beat; null: none, as without a worker."
    )
    release: Command | None = Field(
        default=("bin/release",),
        description="Release step: database user, migrations, static files; null: the landing zone's own does it.",
    )
    python: Argument = Field(
        default="python",
        description="Python in the image, for the landing zone's own release and for composed variables.",
    )


class DeploymentEnvironment(Model):
    """One instance of a workload in an account."""

    class_: EnvironmentClass = Field(alias="class", description="staging (cheap) or production (safe).")
    account: AccountName = Field(description="Name of one of accounts.workloads.")
    share_account: bool = Field(
        default=False,
        description="Say true in every environment of an account that holds more than one.",
    )
    domain: DomainName = Field(
        description="The site's name; a zone of its own, delegated from the parent. 57 characters at most."
    )
    cidr: Cidr = Field(description="CIDR of the VPC, /16 to /24, inside the supernet.")
    web: WebSize = Field(default_factory=WebSize, description="Size and limits of the web tasks.")
    worker: WorkerSize = Field(default_factory=WorkerSize, description="Size and limits of the workers.")
    database: DatabaseSize = Field(default_factory=DatabaseSize, description="Size of the database.")
    cors_allowed_origins: tuple[Origin, ...] = Field(
        default=(),
        description="Origins besides the site itself that may read static files (https://...).",
        json_schema_extra={"uniqueItems": True},
    )
    variables: dict[VariableName, str] = Field(
        default_factory=dict,
        description="Extra environment variables of every container. Never a secret.",
    )
    compliance: EnvironmentCompliance = Field(
        default_factory=EnvironmentCompliance, description="What judges it, and what in it is public."
    )


class Workload(Model):
    """A Django project and its environments, in the order in which they are released."""

    source: Source = Field(description="Where its code is.")
    architecture: Literal["arm64", "x86_64"] = Field(
        default="arm64",
        description="Processor architecture of its one image, for every environment.",
    )
    port: int = Field(default=8000, ge=1024, le=65535, description="Port of the web container.")
    health_path: UrlPath = Field(default="/status/", description="Path that the load balancer asks.")
    health_codes: StatusCodes = Field(
        default="200", description="Status codes with which that path answers when all is well."
    )
    smoke_path: UrlPath = Field(default="/status/deep/", description="Path that the smoke test asks.")
    commands: Commands = Field(default_factory=Commands, description="What each process type runs.")
    injected_variables: dict[str, VariableName] = Field(
        default_factory=dict,
        description="Renames what the landing zone injects: its name -> the name this project reads.",
        json_schema_extra={"propertyNames": {"enum": list(INJECTED_VARIABLES)}},
    )
    composed_variables: dict[VariableName, Template] = Field(
        default_factory=dict,
        description="Further variables -> text with what is injected in braces, such as {DATABASE_HOST}.",
    )
    media: bool = Field(
        default=True, description="Whether it keeps uploaded files; false: there is no bucket for them."
    )
    environments: dict[EnvironmentName, DeploymentEnvironment] = Field(
        min_length=1, description="Name -> environment."
    )
