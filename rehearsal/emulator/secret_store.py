"""Secrets Manager types. `Ref` of a secret is its ARN, which MiniStack's own type gets wrong."""

import json

from rehearsal.emulator import internals
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Created, Properties, Resource, quietly, tags
from rehearsal.emulator.shapes import to_request

_NAME_LENGTH = 512  # longest name of a secret, in characters
_NOT_FOUND = "ResourceNotFound"


class Secret(Resource):
    """AWS::SecretsManager::Secret."""

    types = ("AWS::SecretsManager::Secret",)
    replacing = frozenset({"Name"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make the secret, with a generated value if the template asks for one."""
        name = properties.get("Name") or internals.physical_name(stack, logical_id, length=_NAME_LENGTH)
        manager = client("secretsmanager")
        described = {key: properties[key] for key in ("Description", "KmsKeyId") if properties.get(key)}
        own = [tag for tag in tags(properties) if not tag["Key"].startswith("aws:")]
        made = manager.create_secret(Name=name, SecretString=self._value(properties), Tags=own, **described)
        return made["ARN"], {"Id": made["ARN"]}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Change its description and key; another recipe for its value makes a new version."""
        request = {"SecretId": physical_id, "Description": new.get("Description", "")}
        if new.get("KmsKeyId"):
            request["KmsKeyId"] = new["KmsKeyId"]
        if any(new.get(member) != old.get(member) for member in ("SecretString", "GenerateSecretString")):
            request["SecretString"] = self._value(new)
        client("secretsmanager").update_secret(**request)
        return physical_id, {"Id": physical_id}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it at once, as CloudFormation does."""
        delete = client("secretsmanager").delete_secret
        quietly(lambda: delete(SecretId=physical_id, ForceDeleteWithoutRecovery=True), _NOT_FOUND)

    def _value(self, properties: Properties) -> str:
        """The secret's value, given or generated."""
        recipe = properties.get("GenerateSecretString")
        if recipe is None:
            return str(properties.get("SecretString", ""))
        manager = client("secretsmanager")
        password = str(
            manager.get_random_password(**to_request(manager, "GetRandomPassword", recipe))["RandomPassword"]
        )
        key = recipe.get("GenerateStringKey")
        if not key:
            return password
        return json.dumps({**json.loads(recipe.get("SecretStringTemplate") or "{}"), key: password})


class SecretPolicy(Resource):
    """AWS::SecretsManager::ResourcePolicy."""

    types = ("AWS::SecretsManager::ResourcePolicy",)
    replacing = frozenset({"SecretId"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Put the policy on the secret."""
        manager = client("secretsmanager")
        manager.put_resource_policy(**to_request(manager, "PutResourcePolicy", properties))
        return str(properties["SecretId"]), {"Id": str(properties["SecretId"])}

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Put the new policy."""
        return self.create("", new, "")

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Take it away."""
        delete = client("secretsmanager").delete_resource_policy
        quietly(lambda: delete(SecretId=physical_id), _NOT_FOUND)


RESOURCES: tuple[Resource, ...] = (Secret(), SecretPolicy())
