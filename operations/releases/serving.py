"""Which image the services of an environment run, as ECS says it."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.models import Workload
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

# Process type -> the parameter with its service's name, as the stacks publish it.
SERVICE_PARAMETERS = {"web": "WebServiceName", "worker": "WorkerServiceName", "beat": "BeatServiceName"}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Deployment:
    """One of the deployments that a service has; all but the first are on their way out.

    Args:
        definition: ARN of its task definition.
        digest: of the image that this names.
        rollout: `IN_PROGRESS`, `COMPLETED` or `FAILED`.
        reason: what ECS says about it.
    """

    definition: str
    digest: str
    rollout: str
    reason: str


@dataclass(frozen=True)
class Serving:
    """A service and what it runs.

    Args:
        process: `web`, `worker` or `beat`.
        service: its name or ARN.
        deployments: the newest first.
        running: number of its tasks that run.
        desired: number of tasks that it wants.
    """

    process: str
    service: str
    deployments: tuple[Deployment, ...]
    running: int
    desired: int

    @property
    def digest(self) -> str:
        """Digest of the image that it runs, or is about to run."""
        return self.deployments[0].digest

    @property
    def settled(self) -> bool:
        """Whether it has but one deployment, and that is complete."""
        return len(self.deployments) == 1 and self.deployments[0].rollout == "COMPLETED"


def service_parameters(workload: Workload) -> tuple[str, ...]:
    """Return the names of the parameters that name the workload's services."""
    worker = workload.commands.worker is not None
    beat = worker and workload.commands.beat is not None
    wanted = {"web": True, "worker": worker, "beat": beat}
    return tuple(parameter for process, parameter in SERVICE_PARAMETERS.items() if wanted[process])


def shortcomings(serving: Sequence[Serving]) -> tuple[str, ...]:
    """Say what keeps services from running one image with all their tasks.

    ECS calls a deployment complete once and for all, whatever becomes of its tasks later; so their number is looked at.

    Args:
        serving: the services.

    Returns:
        A sentence on each; none if all is well.
    """
    found = []
    for one in serving:
        if not one.settled:
            found.append(f"{one.process} is not settled")
        if one.running < one.desired:
            found.append(f"{one.process} runs {one.running} of {one.desired} tasks")
    if len({one.digest for one in serving}) > 1:
        found.append("the services do not run the same image")
    return tuple(found)


def look(ecs: "ECSClient", values: Mapping[str, str]) -> tuple[Serving, ...]:
    """Ask ECS what runs.

    Args:
        ecs: client of the workload account.
        values: parameters: `ClusterName` and those of `service_parameters`, or some of them.

    Raises:
        CommandError: a service is missing.
    """
    names = {
        process: values[parameter] for process, parameter in SERVICE_PARAMETERS.items() if parameter in values
    }
    if not names:
        return ()
    answer = ecs.describe_services(cluster=values["ClusterName"], services=list(names.values()))
    found = {
        name: entry for entry in answer["services"] for name in (entry["serviceArn"], entry["serviceName"])
    }
    missing = [name for name in names.values() if name not in found]
    if missing:
        message = f"ECS has no service {', '.join(missing)}"
        raise CommandError(message, fix="deploy the environment first; the pipeline does", exit_code=1)
    definitions: dict[str, str] = {}
    return tuple(
        Serving(
            process,
            name,
            tuple(_deployments(ecs, found[name], definitions)),
            running=found[name]["runningCount"],
            desired=found[name]["desiredCount"],
        )
        for process, name in names.items()
    )


def _deployments(ecs: "ECSClient", entry: Any, digests: dict[str, str]) -> Sequence[Deployment]:
    # ECS lists the primary deployment first, and says so; its word counts. One that failed and runs nothing is over.
    alive = [
        deployment
        for deployment in entry["deployments"]
        if deployment["status"] == "PRIMARY"
        or deployment.get("rolloutState") != "FAILED"
        or deployment["runningCount"] > 0
    ]
    ordered = sorted(alive, key=lambda deployment: deployment["status"] != "PRIMARY")
    for deployment in ordered:
        arn = deployment["taskDefinition"]
        if arn not in digests:
            definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
            digests[arn] = image_digest(definition)
    return [
        Deployment(
            deployment["taskDefinition"],
            digests[deployment["taskDefinition"]],
            deployment.get("rolloutState", "COMPLETED"),
            deployment.get("rolloutStateReason", ""),
        )
        for deployment in ordered
    ]


def image_digest(definition: Mapping[str, Any]) -> str:
    """Return the digest of the one image that a task definition names.

    Raises:
        CommandError: it names none, or several.
    """
    images = {container["image"] for container in definition["containerDefinitions"]}
    digests = {found[0] for image in images if (found := DIGEST.search(image))}
    if len(images) != 1 or len(digests) != 1:
        message = f"{definition['taskDefinitionArn']} does not name one image by its digest: {sorted(images)}"
        raise CommandError(message, exit_code=1)
    return digests.pop()


def wait_until_settled(
    ecs: "ECSClient",
    values: Mapping[str, str],
    *,
    deadline_seconds: float,
    poll_seconds: float = 5.0,
    say: Callable[[str], None],
) -> tuple[Serving, ...]:
    """Wait until no service is between two images, or the time is up.

    Args:
        ecs: client of the workload account.
        values: as for `look`.
        deadline_seconds: how long to wait at most.
        poll_seconds: time between two looks.
        say: told what is waited for, when that changes.

    Returns:
        What runs then, settled or not.
    """
    began, told = time.monotonic(), ""
    while True:
        found = look(ecs, values)
        waiting = ", ".join(one.process for one in found if not one.settled)
        if not waiting or time.monotonic() - began >= deadline_seconds:
            return found
        if waiting != told:
            say(f"waiting for {waiting}")
            told = waiting
        time.sleep(poll_seconds)
