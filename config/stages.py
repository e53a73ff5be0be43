"""The stages of an organization: each environment of each workload, in the order in which they deploy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.problems import Problem, UnknownStageError, closest

if TYPE_CHECKING:  # models imports this module
    from config.models import Configuration, DeploymentEnvironment, Workload


@dataclass(frozen=True, slots=True)
class StageRef:
    """One environment of one workload, with what a stack or a command needs to know about it.

    Args:
        workload_name: Key in `workloads`, such as `my-django-app`.
        workload: The workload.
        environment_name: Key in the workload's `environments`, such as `staging`.
        environment: The environment.
        account_id: Id of the account that holds it.
        stage_name: Name of the CDK stage, such as `MyDjangoAppStaging`.
    """

    workload_name: str
    workload: "Workload"
    environment_name: str
    environment: "DeploymentEnvironment"
    account_id: str
    stage_name: str

    @property
    def key(self) -> str:
        """The name a person types: `my-django-app/staging`."""
        return f"{self.workload_name}/{self.environment_name}"

    @property
    def is_production(self) -> bool:
        """Whether the environment is of class production."""
        return self.environment.class_ == "production"


def pascal_case(*names: str) -> str:
    """Join hyphenated names: `my-django-app`, `staging` -> `MyDjangoAppStaging`."""
    return "".join(word[:1].upper() + word[1:] for name in names for word in name.split("-"))


def stages(configuration: "Configuration") -> tuple[StageRef, ...]:
    """List the stages in deployment order.

    Every environment of class staging, of all workloads, comes before the first of class production, so that
    nothing reaches production before all of it ran in staging. Within a class the order of the file holds.
    """
    found = [
        StageRef(
            workload_name=workload_name,
            workload=workload,
            environment_name=environment_name,
            environment=environment,
            account_id=configuration.accounts.workloads[environment.account],
            stage_name=pascal_case(workload_name, environment_name),
        )
        for workload_name, workload in configuration.workloads.items()
        for environment_name, environment in workload.environments.items()
    ]
    return tuple(sorted(found, key=lambda stage: stage.is_production))


@dataclass(frozen=True, slots=True)
class Wave:
    """Environments of one class that deploy side by side.

    Args:
        name: Name of its stage in the pipeline; the environment's own where it deploys alone.
        stages: The environments.
    """

    name: str
    stages: tuple[StageRef, ...]


def waves(configuration: "Configuration") -> tuple[Wave, ...]:
    """Group the stages by what deploys side by side, in deployment order; a wave never mixes classes."""
    size = configuration.pipeline.wave_size
    found = []
    for name, production in (("Staging", False), ("Production", True)):
        members = [stage for stage in stages(configuration) if stage.is_production == production]
        for number, start in enumerate(range(0, len(members), size), start=1):
            wave = tuple(members[start : start + size])
            found.append(Wave(wave[0].stage_name if len(wave) == 1 else f"{name}Wave{number}", wave))
    return tuple(found)


def find_stage(configuration: "Configuration", name: str) -> StageRef:
    """Find a stage by the name that a person types.

    Args:
        configuration: Where to look.
        name: `my-django-app/staging`, `MyDjangoAppStaging`, or `staging` if one workload alone has it.

    Raises:
        UnknownStageError: No stage has the name, or several have it; the message lists what exists.
    """
    everything = stages(configuration)
    found = [stage for stage in everything if name in (stage.key, stage.stage_name)]
    found = found or [stage for stage in everything if name == stage.environment_name]
    if len(found) == 1:
        return found[0]
    if found:
        problem = "this name belongs to the stages of more than one workload"
        allowed = ", ".join(stage.key for stage in found)
        fix = f"say which workload: {found[0].key}"
    else:
        problem = "no stage has this name"
        allowed = ", ".join(stage.key for stage in everything)
        names = {form: stage.key for stage in everything for form in (stage.key, stage.stage_name)}
        names |= {stage.environment_name: stage.key for stage in everything}
        meant = closest(name, names)
        fix = f"did you mean {names[meant]}?" if meant else f"use one of these, such as {everything[0].key}"
    raise UnknownStageError([Problem("command line", "stage name", repr(name), problem, allowed, fix)])
