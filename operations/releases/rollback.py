"""Returns the services of an environment to an earlier image, and says first what that may break."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError

from config.stages import StageRef
from operations.errors import CommandError
from operations.releases.outcome import Listener
from operations.releases.record import ReleaseRecord
from operations.releases.serving import DIGEST, Serving, image_digest, look

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient

SHORTEST = 8  # hexadecimal digits with which a digest may be named
SAID = '?"release_summary" ?"Applying "'  # CloudWatch Logs' filter syntax: either of the two
STABLE_SECONDS = 900.0  # tasks that do not start trip the circuit breaker long before


@dataclass(frozen=True)
class Choice:
    """Where to go back to.

    Args:
        digest: the image.
        record: its newest record; None for the image of a release that was never recorded.
        newer: the records that came after it, the newest first.
    """

    digest: str
    record: ReleaseRecord | None
    newer: tuple[ReleaseRecord, ...]


def choose(
    stage: StageRef,
    records: Sequence[ReleaseRecord],
    running: Iterable[str],
    *,
    wanted: str | None,
    released: str,
) -> Choice:
    """Find the image to return to.

    Without a wish it is the one that was recorded before what runs; if what runs was never recorded, the one that was
    recorded last.

    Args:
        stage: the environment.
        records: its records, the newest first.
        running: digests that run now.
        wanted: digest or the beginning of one, if somebody wishes.
        released: digest of the last release task, whether its release ended well or not.

    Raises:
        CommandError: there is no such image, or nothing to return to.
    """
    runs = set(running)
    digests = [record.images[stage.workload_name] for record in records]
    if wanted is not None:
        digest = _complete(wanted, [*digests, released])
    elif digests and runs == {digests[0]} and released not in runs:
        # ECS or CloudFormation went back already; one step further would be one too many.
        message = f"the last release of {stage.key} ({released}) does not run: the last good one does already"
        raise CommandError(message, fix="to go back further, name the image: --to sha256:...", exit_code=1)
    else:
        first = next((place for place, digest in enumerate(digests) if digest in runs), -1)
        earlier = [digest for digest in digests[first + 1 :] if digest not in runs]
        if not earlier:
            message = (
                f"{stage.key} has no recorded release before the one that runs; {len(records)} are recorded"
            )
            fix = "name an image: --to sha256:...; `git log` and the registry know them"
            raise CommandError(message, fix=fix, exit_code=1)
        digest = earlier[0]
    if digest in digests:
        place = digests.index(digest)
        return Choice(digest, records[place], tuple(records[:place]))
    if digest == released:
        return Choice(
            digest, None, ()
        )  # it is the newest there is: its migrations ran, and nothing came after it
    return Choice(digest, None, tuple(records))


def _complete(wanted: str, known: Sequence[str]) -> str:
    """Return the whole digest that somebody means.

    Raises:
        CommandError: no image, or several, begin like this.
    """
    text = wanted if wanted.startswith("sha256:") else f"sha256:{wanted}"
    if DIGEST.fullmatch(text):
        return text
    found = sorted({digest for digest in known if digest.startswith(text)})
    if len(text) - len("sha256:") < SHORTEST or len(found) != 1:
        message = f'"{wanted}" is not the digest of a recorded image'
        listed = ", ".join(dict.fromkeys(digest[: len("sha256:") + 12] for digest in known)) or "none"
        fix = f"give {SHORTEST} hexadecimal digits or more of one of these, or a whole digest: {listed}"
        raise CommandError(message, fix=fix)
    return found[0]


def dangers(choice: Choice, since: Iterable[str], *, recorded_last: ReleaseRecord | None) -> tuple[str, ...]:
    """List what the image may not be able to live with: migrations that came after it.

    Args:
        choice: where to go back to.
        since: `app.name` of what release tasks have applied after the last record.
        recorded_last: the last record.
    """
    found = []
    for record in choice.newer:
        when = f"released {record.time:%Y-%m-%d %H:%M}"
        if record.applied is None:
            found.append(f"which migrations came with what was {when} is not known")
        for migration in record.new_migrations:
            if not migration.lets_the_version_before_run:
                reasons = [f"{one.rule}: {one.text}" for one in migration.concerns if one.effect != "locks"]
                found.append(f"{migration.key} ({when}): {'; '.join(reasons) or 'it could not be judged'}")
    if choice.record is None and choice.newer:
        found.append("this image was never recorded here, so nobody knows which migrations it needs")
    applied = (recorded_last.applied if recorded_last else None) or {}
    known = {f"{app}.{name}" for app, names in applied.items() for name in names}
    is_newest = choice.record is None and not choice.newer
    unjudged = () if is_newest else sorted(set(since) - known)
    found += [
        f"{key}: applied by a release that did not end well, or by hand; never judged" for key in unjudged
    ]
    return tuple(found)


def applied_since(logs: "CloudWatchLogsClient", group: str, start: ReleaseRecord | None) -> tuple[str, ...]:
    """Read in the log of the release tasks which migrations they have applied.

    Args:
        logs: client of the workload account.
        group: log group of the release task.
        start: look at what came after this record; at everything if None.
    """
    listener = Listener()
    since: dict[str, Any] = {} if start is None else {"startTime": int(start.time.timestamp() * 1000)}
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=SAID, **since)
    for page in pages:
        for event in page["events"]:
            listener.hear(event["message"])
    return listener.applied


class Rollback:
    """Gives services another revision of their task definition.

    Args:
        ecs: client of the workload account.
        values: parameters: `ClusterName` and those that name the services.
        say: told what is done.
        poll_seconds: time between two looks.
    """

    def __init__(
        self,
        ecs: "ECSClient",
        values: Mapping[str, str],
        *,
        say: Callable[[str], None],
        poll_seconds: float = 15.0,
    ) -> None:
        self._ecs = ecs
        self._values = values
        self._say = say
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
        cluster = self._values["ClusterName"]
        moved = [one for one in serving if one.digest != digest or not one.settled]
        for one in moved:
            arn = self._register(one.deployments[0].definition, digest)
            self._ecs.update_service(cluster=cluster, service=one.service, taskDefinition=arn)
            self._say(f"{one.process}: {one.digest[:19]} -> {arn.rpartition('/')[2]} with {digest[:19]}")
        if moved:
            self._wait([one.service for one in moved])
        found = look(self._ecs, self._values)
        failed = [
            f"{one.process} runs {one.digest} ({one.deployments[0].rollout}) {one.deployments[0].reason}".strip()
            for one in found
            if one.digest != digest or not one.settled
        ]
        if failed:
            message = "\n".join([f"not everything runs {digest}:", *failed])
            fix = "the new tasks failed and ECS went back, or they are still starting; look at the services' events"
            raise CommandError(message, fix=fix, exit_code=1)
        return found

    def _wait(self, services: Sequence[str]) -> None:
        attempts = max(1, round(STABLE_SECONDS / self._poll_seconds))
        try:
            self._ecs.get_waiter("services_stable").wait(
                cluster=self._values["ClusterName"],
                services=list(services),
                WaiterConfig={"Delay": self._poll_seconds, "MaxAttempts": attempts},  # type: ignore[typeddict-item]  # the waiter sleeps, fractions too
            )
        except WaiterError:
            self._say(f"not stable after {STABLE_SECONDS / 60:g} minutes")  # what runs is looked at next

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
