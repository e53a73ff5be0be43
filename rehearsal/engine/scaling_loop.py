"""Keeps services within their bounds, and scales them by the alarms of their step policies."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.emulator import internals
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Properties, watch
from rehearsal.engine.expressions import ExpressionError, Value
from rehearsal.engine.scaling import Alarm, Bounds, Metric, Policy

logger = logging.getLogger("scaling")

PERIOD_SECONDS = 2.0  # CloudWatch looks once a minute; a rehearsal is watched
_SERVICE_PARTS = 3  # service/CLUSTER/NAME
Place = tuple[str, str]  # account, region


class Scaling:
    """All scalable services of all accounts, with what drives them."""

    def __init__(self) -> None:
        self._bounds: dict[tuple[Place, str], Bounds] = {}
        self._policies: dict[str, Policy] = {}
        self._alarms: dict[tuple[Place, str], Alarm] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Learn of targets, policies and alarms as stacks make them, and begin."""
        watch("AWS::ApplicationAutoScaling::ScalableTarget", made=self._bound, gone=self._unbound)
        watch("AWS::ApplicationAutoScaling::ScalingPolicy", made=self._add_policy, gone=self._remove_policy)
        watch("AWS::CloudWatch::Alarm", made=self._add_alarm, gone=self._remove_alarm)
        threading.Thread(target=self._run, daemon=True, name="scaling").start()

    def _bound(self, _physical_id: str, properties: Properties) -> None:
        """Note a service's bounds; one that is outside is brought inside at once."""
        service = str(properties["ResourceId"])
        bounds = Bounds(int(properties["MinCapacity"]), int(properties["MaxCapacity"]))
        with self._lock:
            self._bounds[_place(), service] = bounds
        self._set(service, bounds.clamp)

    def _unbound(self, _physical_id: str, properties: Properties) -> None:
        with self._lock:
            self._bounds.pop((_place(), str(properties["ResourceId"])), None)

    def _add_policy(self, arn: str, properties: Properties) -> None:
        configuration = properties.get("StepScalingPolicyConfiguration")
        if not configuration:
            return
        target = str(properties.get("ScalingTargetId") or "").partition("|")[0]
        with self._lock:
            self._policies[arn] = Policy.of(target or str(properties.get("ResourceId")), configuration)

    def _remove_policy(self, arn: str, _properties: Properties) -> None:
        with self._lock:
            self._policies.pop(arn, None)

    def _add_alarm(self, name: str, properties: Properties) -> None:
        alarm = Alarm.of(properties)
        with self._lock:
            if alarm is None:
                self._alarms.pop((_place(), name), None)
            else:
                self._alarms[_place(), name] = alarm

    def _remove_alarm(self, name: str, _properties: Properties) -> None:
        with self._lock:
            self._alarms.pop((_place(), name), None)

    def _run(self) -> None:
        while True:
            time.sleep(PERIOD_SECONDS)
            self.evaluate()

    def evaluate(self) -> None:
        """Look at every alarm once, and carry out the policies of those that are on."""
        with self._lock:
            alarms = list(self._alarms.items())
        seen: dict[tuple[Place, Metric], Value] = {}
        for (place, name), alarm in alarms:
            with internals.scope(*place):
                try:
                    distance = alarm.distance(lambda metric, at=place: _remembered(seen, at, metric))  # type: ignore[misc]
                    if distance is not None:
                        for arn in alarm.policies:
                            self._carry_out(arn, distance)
                except (ClientError, ExpressionError) as error:
                    # A stack that is being removed takes one thing after the other away.
                    logger.warning("the alarm %s was not evaluated: %s", name, error)

    def _carry_out(self, arn: str, distance: float) -> None:
        with self._lock:
            policy = self._policies.get(arn)
            bounds = self._bounds.get((_place(), policy.service)) if policy else None
        if policy is None or bounds is None:
            return
        now = time.monotonic()

        def decide(current: int) -> int:
            wanted = bounds.clamp(policy.wanted(current, distance))
            if wanted == current or policy.rests(now, wanted - current):
                return current
            policy.changed_at, policy.last_change = now, wanted - current
            return wanted

        self._set(policy.service, decide)

    def _set(self, service: str, decide: Callable[[int], int]) -> None:
        """Change a service's desired count to what the decision makes of it."""
        parts = service.split("/")
        if len(parts) != _SERVICE_PARTS or parts[0] != "service":
            return
        ecs, (_, cluster, name) = client("ecs"), parts
        found = ecs.describe_services(cluster=cluster, services=[name])["services"]
        if not found or found[0]["status"] != "ACTIVE":
            return
        current = int(found[0]["desiredCount"])
        wanted = decide(current)
        if wanted != current:
            logger.info("%s: %d -> %d tasks", name, current, wanted)
            ecs.update_service(cluster=cluster, service=name, desiredCount=wanted)


def _place() -> Place:
    return internals.account(), internals.region()


def _remembered(seen: dict[tuple[Place, Metric], Value], place: Place, metric: Metric) -> Value:
    """Read each metric once in a round."""
    if (place, metric) not in seen:
        seen[place, metric] = read_metric(metric)
    return seen[place, metric]


def read_metric(metric: Metric) -> Value:
    """Return the newest value of a metric of the account and region in progress; None if it is not known here."""
    namespace, name, dimensions = metric
    given = dict(dimensions)
    if namespace == "AWS/SQS" and "QueueName" in given:
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName=given["QueueName"])["QueueUrl"]
        return _queue_value(sqs, url, name)
    if (namespace, name) == ("ECS/ContainerInsights", "RunningTaskCount"):
        found = client("ecs").describe_services(
            cluster=given["ClusterName"], services=[given["ServiceName"]]
        )["services"]
        # Container Insights has no data of a service without tasks.
        return float(found[0]["runningCount"]) or None if found else None
    return None


# CloudWatch metric -> attribute of the queue.
_QUEUE_ATTRIBUTES = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}


def _queue_value(sqs: Any, url: str, name: str) -> Value:
    attribute = _QUEUE_ATTRIBUTES.get(name)
    if attribute is None:
        return None
    return float(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])["Attributes"][attribute])
