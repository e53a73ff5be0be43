"""Aurora clusters as PostgreSQL servers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.rehearsal.conftest import Cloud, Stack
from tests.rehearsal.workload import until

pytestmark = pytest.mark.rehearsal


def cluster(**properties: Any) -> Mapping[str, Any]:
    """A cluster with two instances and parameters of its own."""
    return {
        "Parameters": {
            "Type": "AWS::RDS::DBClusterParameterGroup",
            "Properties": {
                "Family": "aurora-postgresql18",
                "Description": "d",
                "Parameters": {
                    "rds.force_ssl": "1",
                    "idle_session_timeout": "60000",
                    "log_min_duration_statement": "{TotalMemory/10}",
                    "aurora_only": "x",
                },
            },
        },
        "Cluster": {
            "Type": "AWS::RDS::DBCluster",
            "Properties": {
                "Engine": "aurora-postgresql",
                "EngineVersion": "17.5",
                "DatabaseName": "app",
                "MasterUsername": "owner",
                "ManageMasterUserPassword": True,
                "DBClusterParameterGroupName": {"Ref": "Parameters"},
                "EnableCloudwatchLogsExports": ["postgresql"],
                **properties,
            },
        },
        **{
            name: {
                "Type": "AWS::RDS::DBInstance",
                "Properties": {
                    "DBClusterIdentifier": {"Ref": "Cluster"},
                    "DBInstanceClass": "db.serverless",
                    "Engine": "aurora-postgresql",
                },
            }
            for name in ("Writer", "Reader")
        },
    }


OUTPUTS = {
    "Host": {"Fn::GetAtt": ["Cluster", "Endpoint.Address"]},
    "Secret": {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]},
}


@pytest.fixture(scope="module")
def made(cloud: Cloud) -> Iterator[Stack]:
    stack = cloud.deploy(cluster(), outputs=OUTPUTS)
    assert stack.status == "CREATE_COMPLETE", stack.failures
    yield stack
    cloud.delete(stack)


def connect(cloud: Cloud, made: Stack, **options: Any) -> Any:
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=made.outputs["Secret"])
    login = json.loads(secret["SecretString"])
    settings = {
        "host": made.outputs["Host"],
        "port": 5432,
        "dbname": "app",
        "user": login["username"],
        "password": login["password"],
        "sslmode": "verify-full",
        "sslrootcert": str(cloud.emulator.ca_file),
        **options,
    }
    connection = psycopg2.connect(**settings)
    connection.autocommit = True
    return closing(connection)


def ask(cloud: Cloud, made: Stack, statement: str) -> Any:
    with connect(cloud, made) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


def status(cloud: Cloud, made: Stack) -> str:
    found = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=made.ids["Cluster"])["DBClusters"][0]
    return str(found["Status"])


def test_the_endpoint_is_the_server_and_its_name_is_verified(cloud: Cloud, made: Stack) -> None:
    assert ip_address(made.outputs["Host"]).is_loopback

    (version, user, superuser) = ask(
        cloud,
        made,
        "SELECT current_setting('server_version_num')::int, current_user, rolsuper"
        " FROM pg_roles WHERE rolname = current_user",
    )

    assert version >= 180_000
    assert (user, superuser) == ("owner", False)


def test_the_master_user_may_make_users_and_databases_as_on_rds(cloud: Cloud, made: Stack) -> None:
    ask(cloud, made, "CREATE ROLE another LOGIN PASSWORD 'x'")
    ask(cloud, made, "GRANT CREATE ON SCHEMA public TO another")
    ask(cloud, made, "CREATE DATABASE second")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(cloud, made, "CREATE ROLE powerful SUPERUSER")


def test_a_client_without_encryption_is_refused(cloud: Cloud, made: Stack) -> None:
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        connect(cloud, made, sslmode="disable")


def test_a_wrong_password_is_refused(cloud: Cloud, made: Stack) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(cloud, made, password="wrong")


def test_without_force_ssl_a_client_may_come_without_encryption(cloud: Cloud) -> None:
    resources = dict(cluster())
    resources["Parameters"]["Properties"]["Parameters"]["rds.force_ssl"] = "0"
    stack = cloud.deploy(resources, outputs=OUTPUTS)

    with connect(cloud, stack, sslmode="disable") as connection:
        assert connection.status

    cloud.delete(stack)


def test_parameters_of_the_group_that_postgresql_knows_hold(cloud: Cloud, made: Stack) -> None:
    assert ask(cloud, made, "SHOW idle_session_timeout") == ("1min",)


def test_all_instances_are_the_cluster(cloud: Cloud, made: Stack) -> None:
    instances = cloud.client("rds").describe_db_instances()["DBInstances"]

    mine = [one for one in instances if one.get("DBClusterIdentifier") == made.ids["Cluster"]]

    assert {one["Endpoint"]["Address"] for one in mine} == {made.outputs["Host"]}
    assert [one["DBInstanceStatus"] for one in mine] == ["available", "available"]


def test_a_cluster_stops_and_starts_with_its_data_and_its_address(cloud: Cloud, made: Stack) -> None:
    rds, name = cloud.client("rds"), made.ids["Cluster"]
    ask(cloud, made, "CREATE TABLE kept AS SELECT 7 AS number")

    rds.stop_db_cluster(DBClusterIdentifier=name)

    until(lambda: status(cloud, made) == "stopped")
    with pytest.raises(psycopg2.OperationalError):
        connect(cloud, made)
    rds.start_db_cluster(DBClusterIdentifier=name)
    until(lambda: status(cloud, made) == "available")
    assert ask(cloud, made, "SELECT number FROM kept") == (7,)


def test_an_instance_reboots(cloud: Cloud, made: Stack) -> None:
    rds, name = cloud.client("rds"), made.ids["Writer"]
    before = ask(cloud, made, "SELECT pg_postmaster_start_time()")

    rds.reboot_db_instance(DBInstanceIdentifier=name)

    def rebooted() -> bool:
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return bool(found["DBInstanceStatus"] == "available")

    until(rebooted)
    assert ask(cloud, made, "SELECT pg_postmaster_start_time()") > before


def test_rotating_the_master_s_password_changes_the_server_s(cloud: Cloud, made: Stack) -> None:
    manager = cloud.client("secretsmanager")
    before = manager.get_secret_value(SecretId=made.outputs["Secret"])["SecretString"]

    cloud.client("rds").modify_db_cluster(
        DBClusterIdentifier=made.ids["Cluster"], RotateMasterUserPassword=True, ApplyImmediately=True
    )

    assert manager.get_secret_value(SecretId=made.outputs["Secret"])["SecretString"] != before
    assert ask(cloud, made, "SELECT 1") == (1,)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(cloud, made, password=json.loads(before)["password"])


def test_the_log_is_in_cloudwatch_logs_with_who_connected(cloud: Cloud, made: Stack) -> None:
    with connect(cloud, made, application_name="tell-me"):
        pass
    logs = cloud.client("logs")
    group = f"/aws/rds/cluster/{made.ids['Cluster']}/postgresql"

    def told() -> bool:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return any(
            "application_name=tell-me" in event["message"] for page in pages for event in page["events"]
        )

    until(told)


def test_a_deleted_cluster_leaves_neither_process_nor_file(cloud: Cloud) -> None:
    folder = cloud.emulator.directory / "containers"
    before = set(folder.iterdir())
    stack = cloud.deploy(cluster(), outputs=OUTPUTS)
    assert stack.status == "CREATE_COMPLETE", stack.failures
    (data,) = set(folder.iterdir()) - before
    assert running(data)

    cloud.delete(stack)

    until(lambda: not data.exists())
    assert not running(data)


def running(folder: Path) -> list[str]:
    """Processes that were started with something in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_a_stack_with_another_engine_fails_and_says_why(cloud: Cloud) -> None:
    resources = {
        "Cluster": {
            "Type": "AWS::RDS::DBCluster",
            "Properties": {
                "Engine": "aurora-mysql",
                "MasterUsername": "owner",
                "MasterUserPassword": "long-enough",
            },
        }
    }

    failed = cloud.deploy(resources)

    assert failed.status == "ROLLBACK_COMPLETE"
    assert "did not start" in failed.failures["Cluster"]
