"""Identity types that MiniStack has as an API and not in CloudFormation."""

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


RESOURCES: tuple[Resource, ...] = (ServiceLinkedRole(),)
