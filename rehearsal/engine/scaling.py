"""Application Auto Scaling of ECS services: their bounds, and step scaling by alarms on metric expressions.

Pure rules and their state; `scaling_loop.py` gives them values and carries out what they decide.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.expressions import Value, evaluate

Metric = tuple[str, str, tuple[tuple[str, str], ...]]  # namespace, name, sorted dimensions
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
_DEFAULT_COOLDOWN_SECONDS = 300.0  # of step scaling policies (Application Auto Scaling API Reference)


@dataclass(frozen=True)
class Bounds:
    """A scalable target: how many tasks a service may have."""

    lowest: int
    highest: int

    def clamp(self, count: int) -> int:
        """Return the count within the bounds that is nearest."""
        return max(self.lowest, min(self.highest, count))


@dataclass(frozen=True)
class Step:
    """One step of a policy, by the distance of the metric from the alarm's threshold."""

    lower: float
    upper: float
    change: int


@dataclass
class Policy:
    """A step scaling policy of one service.

    Args:
        service: `service/CLUSTER/NAME`.
        adjustment: AdjustmentType.
        steps: its steps.
        cooldown: seconds after a change in which no other is made in the same direction.
        changed_at: when it last changed something (monotonic clock); none yet if it never did.
        last_change: by how many tasks.
    """

    service: str
    adjustment: str
    steps: Sequence[Step]
    cooldown: float
    changed_at: float = -math.inf
    last_change: int = 0

    @classmethod
    def of(cls, service: str, configuration: Mapping[str, Any]) -> "Policy":
        """Read the StepScalingPolicyConfiguration of a template."""
        steps = [
            Step(
                lower=float(item.get("MetricIntervalLowerBound", -math.inf)),
                upper=float(item.get("MetricIntervalUpperBound", math.inf)),
                change=int(item["ScalingAdjustment"]),
            )
            for item in configuration.get("StepAdjustments", [])
        ]
        cooldown = float(configuration.get("Cooldown", _DEFAULT_COOLDOWN_SECONDS))
        return cls(service, str(configuration.get("AdjustmentType")), steps, cooldown)

    def wanted(self, current: int, distance: float) -> int:
        """Return the number of tasks that this policy asks for.

        Args:
            current: how many are wanted now.
            distance: the metric minus the alarm's threshold.
        """
        for step in self.steps:
            # Above the threshold the lower bound belongs to a step, below it the upper one.
            above = distance >= 0 and step.lower >= 0
            if step.lower <= distance < step.upper if above else step.lower < distance <= step.upper:
                if self.adjustment == "ExactCapacity":
                    return step.change
                if self.adjustment == "PercentChangeInCapacity":
                    return current + math.trunc(current * step.change / 100)
                return current + step.change
        return current

    def rests(self, now: float, change: int) -> bool:
        """Whether a change has to wait: its cooldown is not over, and it adds no more than the one before."""
        if now - self.changed_at >= self.cooldown:
            return False
        return not (change > self.last_change > 0)


@dataclass(frozen=True)
class Alarm:
    """An alarm that drives policies.

    Args:
        metrics: id -> metric, for those that are read.
        expressions: id -> expression.
        watched: the id that is compared.
        comparison: ComparisonOperator.
        threshold: what it is compared with.
        policies: ARNs of the policies it drives.
    """

    metrics: Mapping[str, Metric]
    expressions: Mapping[str, str]
    watched: str
    comparison: str
    threshold: float
    policies: tuple[str, ...]

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "Alarm | None":
        """Read the properties of an AWS::CloudWatch::Alarm; None if it drives no policy or has no expression."""
        policies = tuple(arn for arn in properties.get("AlarmActions", []) if ":scalingPolicy:" in str(arn))
        queries = properties.get("Metrics") or []
        watched = [
            str(query["Id"]) for query in queries if str(query.get("ReturnData", True)).lower() == "true"
        ]
        if not policies or len(watched) != 1 or properties.get("ComparisonOperator") not in _OPERATORS:
            return None
        return cls(
            metrics={
                str(query["Id"]): _metric(query["MetricStat"]["Metric"])
                for query in queries
                if "MetricStat" in query
            },
            expressions={
                str(query["Id"]): str(query["Expression"]) for query in queries if "Expression" in query
            },
            watched=watched[0],
            comparison=str(properties["ComparisonOperator"]),
            threshold=float(properties["Threshold"]),
            policies=policies,
        )

    def distance(self, read: Callable[[Metric], Value]) -> float | None:
        """Return the metric minus the threshold if the alarm is on; None if it is off or has no data.

        Args:
            read: gives the newest value of a metric.

        Raises:
            ExpressionError: an expression is not understood here.
        """
        values: dict[str, Value] = {identifier: read(metric) for identifier, metric in self.metrics.items()}
        for identifier, expression in self.expressions.items():
            values[identifier] = evaluate(expression, values)
        value = values[self.watched]
        if value is None or not _OPERATORS[self.comparison](value, self.threshold):
            return None
        return value - self.threshold


def _metric(given: Mapping[str, Any]) -> Metric:
    dimensions = sorted((str(item["Name"]), str(item["Value"])) for item in given.get("Dimensions", []))
    return str(given["Namespace"]), str(given["MetricName"]), tuple(dimensions)
