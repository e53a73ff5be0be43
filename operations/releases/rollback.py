"""Returns the services of an environment to another image: new revisions of their task definitions."""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError
from botocore.waiter import WaiterModel, create_waiter_with_client

from operations.errors import CommandError
from operations.releases.serving import Serving, image_digest, look
from operations.stopped_tasks import StoppedTasks

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient

STABLE_SECONDS = 900.0  # tasks that do not start trip the circuit breaker long before


class Rollback:
    """Gives services another revision of their task definition.

    Args:
        ecs: client of the workload account.
        logs: client of the workload account.
        values: parameters: `ClusterName` and those that name the services.
        say: told what is done.
        see_why: command that shows why tasks failed.
        poll_seconds: time between two looks.
    """

    def __init__(
        self,
        ecs: "ECSClient",
        logs: "CloudWatchLogsClient",
        values: Mapping[str, str],
        *,
        say: Callable[[str], None],
        see_why: str,
        poll_seconds: float = 15.0,
    ) -> None:
        self._ecs = ecs
        self._stopped = StoppedTasks(ecs, logs, values["ClusterName"])
        self._values = values
        self._say = say
        self._see_why = see_why
        self._poll_seconds = poll_seconds

    def released_digest(self, family: str) -> str:
        """Return the image of the newest release task.

        Args:
            family: of its task definition.
        """
        return image_digest(self._ecs.describe_task_definition(taskDefinition=family)["taskDefinition"])

    def run(self, serving: Sequence[Serving], digest: str) -> tuple[Serving, ...]:
        """Move every service that runs something else, and wait until all are stable.

        Args:
            serving: what runs.
            digest: what shall run.

        Returns:
            What runs then.

        Raises:
            CommandError: a service is not stable in time, or went back by itself.
        """
        moved: dict[str, str] = {}  # service -> its new revision
        for one in serving:
            if one.digest != digest or not one.settled:
                arn = self._register(one.deployments[0].definition, digest)
                self._ecs.update_service(
                    cluster=self._values["ClusterName"], service=one.service, taskDefinition=arn
                )
                self._say(f"{one.process}: {one.digest[:19]} -> {arn.rpartition('/')[2]} with {digest[:19]}")
                moved[one.service] = arn
        reasons = self._wait(moved) if moved else ()
        found = look(self._ecs, self._values)
        failed = [
            one
            for one in found
            if one.digest != digest or not one.settled or (reasons and one.running < one.desired)
        ]
        if failed:
            lines = [f"not everything runs {digest}:"]
            lines += [
                f"{one.process} runs {one.digest} ({one.deployments[0].rollout}, {one.running} of {one.desired} tasks)"
                for one in failed
            ]
            lines += reasons
            for one in failed:
                lines += self._why(one, moved)
            fix = f"see what ECS says by now: {self._see_why}; then name another image, or go forward again"
            raise CommandError("\n".join(lines), fix=fix, exit_code=1)
        return found

    def _wait(self, moved: Mapping[str, str]) -> tuple[str, ...]:
        """Wait until every service is stable, or has given its new revision up.

        Args:
            moved: service -> its new revision.

        Returns:
            What ECS says about those that it has given up, or that the time is over.
        """
        attempts = max(1, round(STABLE_SECONDS / self._poll_seconds))
        model = _waiter_model(list(moved.values()), delay=self._poll_seconds, attempts=attempts)
        waiter = create_waiter_with_client("ServicesMoved", model, self._ecs)
        try:
            waiter.wait(cluster=self._values["ClusterName"], services=list(moved))
        except WaiterError as error:
            answer: Any = error.last_response
            if "services" not in answer:
                return (f"whether it is stable could not be seen any more: {error}",)
            reasons = []
            for entry in answer["services"]:
                for deployment in entry["deployments"]:
                    if (
                        deployment["taskDefinition"] in moved.values()
                        and deployment.get("rolloutState") == "FAILED"
                    ):
                        reason = deployment.get("rolloutStateReason", "no reason given")
                        reasons.append(f"{entry['serviceName']}: {reason}")
            if reasons:
                self._settle(moved)
            return tuple(reasons or [f"it is not stable after {STABLE_SECONDS / 60:g} minutes"])
        return ()

    def _why(self, one: Serving, moved: Mapping[str, str]) -> tuple[str, ...]:
        """Say why tasks of the service's new revision stopped: what an earlier one did an hour ago is no reason."""
        if one.service not in moved:
            return ()
        revision = moved[one.service].rpartition("/")[2]
        try:
            failed = self._stopped.last_failed(one.service, of={moved[one.service]})
        except ClientError as error:
            return (f"{one.process}: why tasks of {revision} stopped cannot be seen: {error}",)
        if failed is None:
            return (f"{one.process}: no task of {revision} has failed",)
        return (
            f"{one.process}: the last task of {revision} that failed",
            *(f"  {line}" for line in failed.told()),
        )

    def _settle(self, moved: Mapping[str, str]) -> None:
        """Let ECS finish going back, so that what is told then is what stays."""
        with contextlib.suppress(WaiterError):
            attempts = max(1, round(STABLE_SECONDS / self._poll_seconds))
            model = _waiter_model([], delay=self._poll_seconds, attempts=attempts)
            waiter = create_waiter_with_client("ServicesMoved", model, self._ecs)
            waiter.wait(cluster=self._values["ClusterName"], services=list(moved))

    def _register(self, definition_arn: str, digest: str) -> str:
        """Register the task definition again with another image: everything else is of today's infrastructure."""
        definition: Any = self._ecs.describe_task_definition(taskDefinition=definition_arn)["taskDefinition"]
        old = image_digest(definition)
        taken = self._ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape
        members = taken.members if taken is not None else {}
        request = {name: value for name, value in definition.items() if name in members}
        request["containerDefinitions"] = [
            {**container, "image": container["image"].replace(old, digest)}
            for container in definition["containerDefinitions"]
        ]
        arn: str = self._ecs.register_task_definition(**request)["taskDefinition"]["taskDefinitionArn"]
        return arn


def _waiter_model(definitions: Sequence[str], *, delay: float, attempts: int) -> WaiterModel:
    """Describe what is waited for, as boto3's own waiters are described.

    Its `services_stable` would wait on while ECS has long given up, so a deployment that failed ends the wait here.

    Args:
        definitions: task definitions whose failure ends it.
        delay: seconds between two looks.
        attempts: number of looks.
    """
    alive = "deployments[?rolloutState != 'FAILED' || runningCount > `0`]"
    stable = (
        f"length({alive}) == `1` && runningCount == desiredCount && {alive} | [0].rolloutState == 'COMPLETED'"
    )
    acceptors: list[dict[str, object]] = [
        {
            "state": "success",
            "matcher": "path",
            "argument": f"length(services[?!({stable})]) == `0`",
            "expected": True,
        }
    ]
    if definitions:
        ours = f"rolloutState == 'FAILED' && contains(`{json.dumps(list(definitions))}`, taskDefinition)"
        failed = f"length(services[].deployments[?{ours}][]) > `0`"
        acceptors.insert(0, {"state": "failure", "matcher": "path", "argument": failed, "expected": True})
    waiter = {
        "operation": "DescribeServices",
        "delay": delay,
        "maxAttempts": attempts,
        "acceptors": acceptors,
    }
    return WaiterModel({"version": 2, "waiters": {"ServicesMoved": waiter}})
