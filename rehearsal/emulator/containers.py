"""ECS through its own API, so that nothing of a task definition or a service is lost on the way.

MiniStack's CloudFormation drops the secrets of a task definition and some settings of a service.
"""

import time
from typing import Any

from rehearsal.emulator import internals
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Attributes, Created, Properties, Resource, quietly, tags
from rehearsal.emulator.shapes import to_request

_FAMILY_LENGTH = 255  # longest family and service name that ECS accepts, in characters
# CloudFormation waits for three hours; a person who rehearses does not.
_STABLE_SECONDS = 300.0
_POLL_SECONDS = 0.3
_NOT_FOUND = ("ClientException", "ServiceNotFound", "ClusterNotFound", "ServiceNotActive")


def _ecs_tags(properties: Properties) -> dict[str, Any]:
    """The tags of a create request, without CloudFormation's own: ECS refuses the aws: prefix from callers."""
    given = [
        {"key": tag["Key"], "value": tag["Value"]}
        for tag in tags(properties)
        if not tag["Key"].startswith("aws:")
    ]
    return {"tags": given} if given else {}


class TaskDefinition(Resource):
    """AWS::ECS::TaskDefinition: every change registers a new revision, and the old one becomes inactive."""

    types = ("AWS::ECS::TaskDefinition",)

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Register a revision."""
        ecs = client("ecs")
        family = properties.get("Family") or internals.physical_name(stack, logical_id, length=_FAMILY_LENGTH)
        untagged = {name: value for name, value in properties.items() if name != "Tags"}
        request = to_request(ecs, "RegisterTaskDefinition", untagged)
        made = ecs.register_task_definition(**{**request, "family": family}, **_ecs_tags(properties))
        arn = made["taskDefinition"]["taskDefinitionArn"]
        return arn, {"TaskDefinitionArn": arn}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Register the next revision of the same family."""
        family = physical_id.rsplit("/", 1)[-1].rsplit(":", 1)[0]
        if {**old, "Tags": None} == {**new, "Tags": None}:
            return physical_id, {"TaskDefinitionArn": physical_id}
        return self.create("", {"Family": family, **new}, "")

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Make the revision inactive."""
        deregister = client("ecs").deregister_task_definition
        quietly(lambda: deregister(taskDefinition=physical_id), *_NOT_FOUND)


class Service(Resource):
    """AWS::ECS::Service."""

    types = ("AWS::ECS::Service",)
    replacing = frozenset(
        {"Cluster", "DeploymentController", "LaunchType", "Role", "SchedulingStrategy", "ServiceName"}
    )

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make the service."""
        ecs = client("ecs")
        name = properties.get("ServiceName") or internals.physical_name(
            stack, logical_id, length=_FAMILY_LENGTH
        )
        untagged = {key: value for key, value in properties.items() if key != "Tags"}
        request = to_request(ecs, "CreateService", untagged)
        made = ecs.create_service(
            **{"desiredCount": 1, **request, "serviceName": name}, **_ecs_tags(properties)
        )
        try:
            return self._settled(made["service"])
        except ValueError:
            # MiniStack forgets what failed while it was made; CloudFormation deletes it when it rolls back.
            self.delete(made["service"]["serviceArn"], properties)
            raise

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Roll it to the new properties."""
        ecs = client("ecs")
        changed = {name: value for name, value in new.items() if value != old.get(name) and name != "Tags"}
        request = to_request(ecs, "UpdateService", changed)
        request |= {"cluster": new.get("Cluster", "default"), "service": physical_id}
        return self._settled(ecs.update_service(**request)["service"])

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Drain and delete it."""
        cluster = properties.get("Cluster", "default")
        delete = client("ecs").delete_service
        quietly(lambda: delete(cluster=cluster, service=physical_id, force=True), *_NOT_FOUND)

    def _settled(self, service: dict[str, Any]) -> Created:
        """Wait for the deployment, as CloudFormation does: a service is complete when its tasks run.

        Raises:
            ValueError: the deployment failed, or took longer than CloudFormation's patience here.
        """
        ecs = client("ecs")
        wanted = service["deployments"][0]["id"]
        deadline = time.monotonic() + _STABLE_SECONDS
        while True:
            found = ecs.describe_services(cluster=service["clusterArn"], services=[service["serviceArn"]])
            deployments = {item["id"]: item for item in found["services"][0]["deployments"]}
            deployment = deployments.get(wanted, {})
            state, reason = deployment.get("rolloutState"), deployment.get("rolloutStateReason")
            if state == "COMPLETED":
                break
            if state != "IN_PROGRESS":
                raise ValueError(f"ECS Deployment Circuit Breaker was triggered. {reason or ''}".strip())
            if time.monotonic() > deadline:
                raise ValueError(f"the service did not become stable within {_STABLE_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        attributes: Attributes = {"Name": service["serviceName"], "ServiceArn": service["serviceArn"]}
        return str(service["serviceArn"]), attributes


class ClusterCapacityProviders(Resource):
    """AWS::ECS::ClusterCapacityProviderAssociations."""

    types = ("AWS::ECS::ClusterCapacityProviderAssociations",)
    replacing = frozenset({"Cluster"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Give the cluster its capacity providers."""
        ecs = client("ecs")
        ecs.put_cluster_capacity_providers(**to_request(ecs, "PutClusterCapacityProviders", properties))
        return str(properties["Cluster"]), {}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Give it the new ones."""
        return self.create("", new, "")

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Take them away."""
        put = client("ecs").put_cluster_capacity_providers
        nothing: dict[str, list[Any]] = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
        quietly(lambda: put(cluster=physical_id, **nothing), *_NOT_FOUND)


RESOURCES: tuple[Resource, ...] = (TaskDefinition(), Service(), ClusterCapacityProviders())
