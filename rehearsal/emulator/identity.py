"""Identity types that MiniStack has as an API and not in CloudFormation."""

from rehearsal.emulator import internals
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Created, Properties, Resource, quietly
from rehearsal.emulator.shapes import to_request


class ServiceLinkedRole(Resource):
    """AWS::IAM::ServiceLinkedRole."""

    types = ("AWS::IAM::ServiceLinkedRole",)
    replacing = frozenset({"AWSServiceName", "CustomSuffix"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Make the role; IAM refuses a second one for the same service."""
        iam = client("iam")
        made = iam.create_service_linked_role(**to_request(iam, "CreateServiceLinkedRole", properties))
        return made["Role"]["RoleName"], {"RoleName": made["Role"]["RoleName"]}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Nothing but its description can change."""
        return physical_id, {"RoleName": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it."""
        quietly(lambda: client("iam").delete_service_linked_role(RoleName=physical_id), "NoSuchEntity")


class SecretPolicy(Resource):
    """AWS::SecretsManager::ResourcePolicy."""

    types = ("AWS::SecretsManager::ResourcePolicy",)
    replacing = frozenset({"SecretId"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Put the policy on the secret."""
        manager = client("secretsmanager")
        request = to_request(manager, "PutResourcePolicy", properties)
        manager.put_resource_policy(**request)
        return str(properties["SecretId"]), {"Id": str(properties["SecretId"])}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Put the new policy."""
        return self.create("", new, "")

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Take it away."""
        manager = client("secretsmanager", region=internals.region())
        quietly(lambda: manager.delete_resource_policy(SecretId=physical_id), "ResourceNotFound")


RESOURCES: tuple[Resource, ...] = (ServiceLinkedRole(), SecretPolicy())
