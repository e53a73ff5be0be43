"""The sizes of an environment's parts; some of their defaults depend on the environment's class."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from config.fargate import MEMORY_OF_CPU
from config.fields import ByClass, DefaultWhen


class Model(BaseModel):
    """Base of every part: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# Amazon ECS service quotas: tasks per service.
_MOST_TASKS = 5000
_CPU = Field(
    default=256,
    description="Fargate CPU units of one task; 1024 is one vCPU.",
    json_schema_extra={"enum": list(MEMORY_OF_CPU)},
)
_MEMORY = Field(default=512, description="MiB of one task; only the pairs that Fargate offers.")


class WebSize(Model):
    """Web tasks."""

    cpu: int = _CPU
    memory: int = _MEMORY
    min_tasks: Annotated[int, ByClass(staging=1, production=2)] = Field(
        default=1, ge=1, le=_MOST_TASKS, description="Tasks that always run; 2 or more in production."
    )
    max_tasks: Annotated[int, ByClass(staging=2, production=4)] = Field(
        default=2, ge=1, le=_MOST_TASKS, description="Limit of the CPU-driven scaling."
    )


class WorkerSize(Model):
    """Celery worker tasks."""

    cpu: int = _CPU
    memory: int = _MEMORY
    min_tasks: int = Field(
        default=1, ge=0, le=_MOST_TASKS, description="Workers that always run; 0 lets them sleep."
    )
    max_tasks: Annotated[int, ByClass(staging=2, production=4)] = Field(
        default=2, ge=1, le=_MOST_TASKS, description="Limit of the backlog-driven scaling."
    )
    spot: bool = Field(default=False, description="Run workers on Fargate Spot.")
    messages_per_task: int = Field(
        default=10,
        ge=1,
        le=100_000,
        description="Backlog (waiting and in flight) per worker above which one is added.",
    )
    task_timeout_seconds: int = Field(
        default=900,
        ge=30,
        le=39_600,
        description="Longest Celery task. The queue's visibility timeout is a tenth and a minute more.",
    )


class DatabaseSize(Model):
    """Aurora PostgreSQL Serverless v2."""

    # Limits: Amazon RDS API Reference, ServerlessV2ScalingConfiguration (half steps to 256; pause after 300
    # to 86,400 seconds, 300 by default) and CreateDBCluster (backups for 1 to 35 days).

    min_capacity: float = Field(
        default=0.5,
        ge=0,
        le=256,
        multiple_of=0.5,
        description="Aurora capacity units, in steps of 0.5; 0 pauses when idle (not in production).",
    )
    max_capacity: Annotated[float, ByClass(staging=2, production=4)] = Field(
        default=2, ge=1, le=256, multiple_of=0.5, description="Aurora capacity units, in steps of 0.5."
    )
    auto_pause_minutes: Annotated[int | None, DefaultWhen("min_capacity", equals=0, value=5)] = Field(
        default=None,
        ge=5,
        le=1440,
        description="Pause after so many idle minutes; only with min_capacity 0, where 5 is the default.",
    )
    backup_days: Annotated[int, ByClass(staging=1, production=7)] = Field(
        default=1,
        ge=1,
        le=35,
        description="Days that automatic backups are kept; 7 or more in production.",
    )
    deletion_protection: Annotated[bool, ByClass(staging=False, production=True)] = Field(
        default=False, description="Refuse to delete the cluster; always true in production."
    )
