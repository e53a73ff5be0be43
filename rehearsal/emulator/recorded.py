"""The types of which nothing is simulated: they have ids and attributes, so that stacks that hold them deploy."""

import uuid
from collections.abc import Callable

from rehearsal.emulator import internals
from rehearsal.emulator.resources import Attributes, Created, Properties, Recorded, Resource

Identify = Callable[[str, Properties, str], str]


def _named(*members: str, length: int = 128) -> Identify:
    """The physical id is the resource's name.

    Args:
        members: the properties that may hold it, the first one given counts.
        length: longest name that the service accepts, in characters.
    """

    def identify(logical_id: str, properties: Properties, stack: str) -> str:
        given = next((properties[member] for member in members if properties.get(member)), None)
        return str(given or internals.physical_name(stack, logical_id, length=length))

    return identify


def _arn(service: str, resource: str, *, name: str = "") -> Identify:
    """The physical id is an ARN of this account and region.

    Args:
        service: its service.
        resource: what comes before the last part, with its slash.
        name: the property with the last part; a random id if left out.
    """

    def identify(_logical_id: str, properties: Properties, _stack: str) -> str:
        last = properties.get(name) or uuid.uuid4()
        return f"arn:aws:{service}:{internals.region()}:{internals.account()}:{resource}{last}"

    return identify


def _scalable_target(_logical_id: str, properties: Properties, _stack: str) -> str:
    """What `Ref` gives for a scalable target: resource, dimension and namespace."""
    return "|".join(str(properties[m]) for m in ("ResourceId", "ScalableDimension", "ServiceNamespace"))


def _scaling_policy(logical_id: str, properties: Properties, stack: str) -> str:
    """The ARN of a scaling policy."""
    target = str(properties.get("ScalingTargetId") or "")
    parts = target.split("|") if target.count("|") == 2 else ["", "", ""]  # noqa: PLR2004 (resource|dimension|namespace)
    namespace = properties.get("ServiceNamespace") or parts[2]
    resource = properties.get("ResourceId") or parts[0]
    name = properties.get("PolicyName") or internals.physical_name(stack, logical_id, length=256)
    place = f"arn:aws:autoscaling:{internals.region()}:{internals.account()}"
    return f"{place}:scalingPolicy:{uuid.uuid4()}:resource/{namespace}/{resource}:policyName/{name}"


def _its_arn(attribute: str) -> Callable[[str, Properties], Attributes]:
    """The physical id, which is an ARN, as an attribute too."""
    return lambda physical_id, _properties: {attribute: physical_id}


def _joined(*members: str) -> Identify:
    """The physical id is made of properties."""
    return lambda _logical_id, properties, _stack: "|".join(
        str(properties.get(member, "")) for member in members
    )


def _alarm_arn(name: str, _properties: Properties) -> Attributes:
    """The attributes of an alarm."""
    return {"Arn": f"arn:aws:cloudwatch:{internals.region()}:{internals.account()}:alarm:{name}"}


RESOURCES: tuple[Resource, ...] = (
    Recorded(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        identify=_scalable_target,
        attributes=lambda physical_id, _: {"Id": physical_id},
        replacing=frozenset({"ResourceId", "ScalableDimension", "ServiceNamespace"}),
    ),
    Recorded(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        identify=_scaling_policy,
        attributes=_its_arn("Arn"),
        replacing=frozenset({"PolicyName", "ResourceId", "ScalingTargetId"}),
    ),
    Recorded(
        "AWS::CodeConnections::Connection",
        identify=_arn("codeconnections", "connection/"),
        attributes=lambda arn, _: {"ConnectionArn": arn, "ConnectionStatus": "PENDING"},
        replacing=frozenset({"ConnectionName", "HostArn", "ProviderType"}),
    ),
    Recorded(
        "AWS::CodeStarConnections::Connection",
        identify=_arn("codestar-connections", "connection/"),
        attributes=lambda arn, _: {"ConnectionArn": arn, "ConnectionStatus": "PENDING"},
        replacing=frozenset({"ConnectionName", "HostArn", "ProviderType"}),
    ),
    Recorded(
        "AWS::CodeStarNotifications::NotificationRule",
        identify=_arn("codestar-notifications", "notificationrule/"),
        attributes=_its_arn("Arn"),
    ),
    Recorded("AWS::SecretsManager::RotationSchedule", identify=_joined("SecretId")),
    Recorded("AWS::WAFv2::WebACLAssociation", identify=_joined("ResourceArn", "WebACLArn")),
    Recorded("AWS::WAFv2::LoggingConfiguration", identify=_joined("ResourceArn")),
    Recorded(
        "AWS::CloudWatch::CompositeAlarm", identify=_named("AlarmName", length=255), attributes=_alarm_arn
    ),
    Recorded("AWS::Logs::QueryDefinition", identify=lambda *_: str(uuid.uuid4())),
)


# MiniStack refuses alarms on a metric expression; those alone are recorded.
_EXPRESSION_ALARM = Recorded(
    "AWS::CloudWatch::Alarm", identify=_named("AlarmName", length=255), attributes=_alarm_arn
)


def record_expression_alarms() -> None:
    """Let alarms on a metric expression pass, and leave all others to MiniStack."""
    handler = internals.resource_handlers()["AWS::CloudWatch::Alarm"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def created(logical_id: str, properties: Properties, stack: str) -> Created:
        make = _EXPRESSION_ALARM.create if properties.get("Metrics") else create
        made: Created = make(logical_id, properties, stack)
        return made

    def updated(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        if new.get("Metrics"):
            return _EXPRESSION_ALARM.update(physical_id, old, new)
        made: Created = update(physical_id, old, new, stack, logical_id)
        return made

    def deleted(physical_id: str, properties: Properties) -> None:
        if not properties.get("Metrics"):
            delete(physical_id, properties)

    handler |= {"create": created, "update": updated, "delete": deleted}
