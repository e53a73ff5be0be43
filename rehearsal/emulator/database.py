"""Aurora clusters and instances through the RDS API, so that their endpoints and secrets are the service's own.

MiniStack's CloudFormation only writes a record; its API also makes the secret that RDS manages.
"""

import secrets
from typing import Any

from rehearsal.emulator import internals
from rehearsal.emulator.calls import client
from rehearsal.emulator.resources import Attributes, Created, Properties, Resource, quietly, tags
from rehearsal.emulator.shapes import to_request

_NAME_LENGTH = 63  # longest identifier that RDS accepts, in characters
_NOT_FOUND = ("DBClusterNotFound", "DBInstanceNotFound")


def _renamed_tags(properties: Properties) -> Properties:
    """Properties with their tags as lists, as the RDS API takes them."""
    given = tags(properties)
    return {**{k: v for k, v in properties.items() if k != "Tags"}, **({"Tags": given} if given else {})}


class DatabaseCluster(Resource):
    """AWS::RDS::DBCluster."""

    types = ("AWS::RDS::DBCluster",)
    replacing = frozenset(
        {
            "AvailabilityZones",
            "DBClusterIdentifier",
            "DBSubnetGroupName",
            "DBSystemId",
            "DatabaseName",
            "Engine",
            "EngineMode",
            "KmsKeyId",
            "MasterUsername",
            "PubliclyAccessible",
            "SnapshotIdentifier",
            "SourceDBClusterIdentifier",
            "SourceRegion",
            "StorageEncrypted",
        }
    )

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make the cluster, and with ManageMasterUserPassword its master user's secret."""
        rds = client("rds")
        name = properties.get("DBClusterIdentifier") or internals.physical_name(
            stack, logical_id, length=_NAME_LENGTH, lower=True
        )
        request = to_request(rds, "CreateDBCluster", _with_secret_key(_renamed_tags(properties)))
        cluster = rds.create_db_cluster(**{**request, "DBClusterIdentifier": name})["DBCluster"]
        return cluster["DBClusterIdentifier"], self._attributes(cluster)

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Modify it at once."""
        rds = client("rds")
        request = to_request(rds, "ModifyDBCluster", _with_secret_key(new))
        unmodifiable = {"DBClusterIdentifier", "Tags"}
        request = {name: value for name, value in request.items() if name not in unmodifiable}
        if new.get("EngineVersion") == old.get("EngineVersion"):
            request.pop("EngineVersion", None)
        if new.get("ManageMasterUserPassword") == old.get("ManageMasterUserPassword"):
            request.pop("ManageMasterUserPassword", None)
        rds.modify_db_cluster(DBClusterIdentifier=physical_id, ApplyImmediately=True, **request)
        return physical_id, self._attributes(self._describe(physical_id))

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it; CloudFormation has taken the snapshot before, if its policy says so."""
        rds = client("rds")
        quietly(
            lambda: rds.delete_db_cluster(DBClusterIdentifier=physical_id, SkipFinalSnapshot=True),
            *_NOT_FOUND,
        )

    def _describe(self, name: str) -> dict[str, Any]:
        cluster: dict[str, Any] = client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][
            0
        ]
        return cluster

    def _attributes(self, cluster: dict[str, Any]) -> Attributes:
        secret = cluster.get("MasterUserSecret") or {}
        return {
            "DBClusterArn": cluster["DBClusterArn"],
            "DBClusterResourceId": cluster["DbClusterResourceId"],
            "Endpoint.Address": cluster["Endpoint"],
            "Endpoint.Port": str(cluster["Port"]),
            "ReadEndpoint.Address": cluster["ReaderEndpoint"],
            **({"MasterUserSecret.SecretArn": secret["SecretArn"]} if secret else {}),
        }


def _with_secret_key(properties: Properties) -> Properties:
    """Properties with the master secret's key where the API wants it."""
    key = (properties.get("MasterUserSecret") or {}).get("KmsKeyId")
    return {**properties, "MasterUserSecretKmsKeyId": key} if key else properties


class DatabaseInstance(Resource):
    """AWS::RDS::DBInstance."""

    types = ("AWS::RDS::DBInstance",)
    replacing = frozenset(
        {
            "DBClusterIdentifier",
            "DBInstanceIdentifier",
            "DBName",
            "DBSubnetGroupName",
            "Engine",
            "KmsKeyId",
            "MasterUsername",
            "StorageEncrypted",
        }
    )

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make the instance, as a member of its cluster if it names one."""
        rds = client("rds")
        if properties.get("DBClusterIdentifier"):  # MiniStack would make a member of nothing
            rds.describe_db_clusters(DBClusterIdentifier=properties["DBClusterIdentifier"])
        name = properties.get("DBInstanceIdentifier") or internals.physical_name(
            stack, logical_id, length=_NAME_LENGTH, lower=True
        )
        request = to_request(
            rds, "CreateDBInstance", _renamed_tags(properties), VPCSecurityGroups="VpcSecurityGroupIds"
        )
        instance = rds.create_db_instance(**{**request, "DBInstanceIdentifier": name})["DBInstance"]
        return instance["DBInstanceIdentifier"], self._attributes(instance)

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Modify it at once."""
        rds = client("rds")
        request = to_request(rds, "ModifyDBInstance", new, VPCSecurityGroups="VpcSecurityGroupIds")
        unmodifiable = {"DBInstanceIdentifier", "Engine", "Tags", "DBSubnetGroupName"}
        request = {name: value for name, value in request.items() if name not in unmodifiable}
        rds.modify_db_instance(DBInstanceIdentifier=physical_id, ApplyImmediately=True, **request)
        found = rds.describe_db_instances(DBInstanceIdentifier=physical_id)["DBInstances"][0]
        return physical_id, self._attributes(found)

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Delete it."""
        rds = client("rds")
        quietly(
            lambda: rds.delete_db_instance(DBInstanceIdentifier=physical_id, SkipFinalSnapshot=True),
            *_NOT_FOUND,
        )

    def _attributes(self, instance: dict[str, Any]) -> Attributes:
        endpoint = instance.get("Endpoint") or {}
        return {
            "DBInstanceArn": instance["DBInstanceArn"],
            "DbiResourceId": instance.get("DbiResourceId") or f"db-{secrets.token_hex(13).upper()}",
            "Endpoint.Address": endpoint.get("Address", ""),
            "Endpoint.Port": str(endpoint.get("Port", "")),
        }


RESOURCES: tuple[Resource, ...] = (DatabaseCluster(), DatabaseInstance())
