"""What a rehearsal proves of what the tasks reach: as whom they use their database, and whose buckets and queues."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
from botocore.exceptions import ClientError

from config import StageRef
from rehearsal.checks import DENIED, Deployed, Found, Named
from rehearsal.looking import parameter, secret, settled

_QUIET_SECONDS = (
    1.5  # longer than the emulator's load balancer waits before it asks for the health page again
)
_TASKS_SERVICE = "ecs-tasks.amazonaws.com"


def _query(deployed: Deployed, stage: StageRef, statement: str) -> list[tuple[Any, ...]]:
    """Ask an environment's database something as its master user, whose rights are those of RDS."""
    login = secret(deployed, stage, "DatabaseSecretName")
    connection = psycopg2.connect(
        host=parameter(deployed, stage, "DatabaseHost"),
        port=int(parameter(deployed, stage, "DatabasePort")),
        dbname=parameter(deployed, stage, "DatabaseName"),
        user=login["username"],
        password=login["password"],
        sslmode="verify-full",
        sslrootcert=str(deployed.emulator.ca_file),
    )
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def application_has_its_own_user(deployed: Deployed) -> Found:
    """Tables belong to the application's user, who is no superuser; the server's log says who connected as what."""
    problems, connections = [], 0
    for stage in deployed.stages:
        user = secret(deployed, stage, "DatabaseUserSecretName")["username"]
        owners = _query(
            deployed,
            stage,
            "SELECT tableowner, rolsuper, count(*) FROM pg_tables JOIN pg_roles ON rolname = tableowner"
            " WHERE schemaname = 'public' GROUP BY 1, 2",
        )
        if [(owner, rolsuper) for owner, rolsuper, _ in owners] != [(user, False)]:
            problems.append(f"the tables of {stage.key} belong to {owners or 'nobody'}, not to {user}")
        found = _connected(deployed, stage)
        connections += len(found)
        strangers = {name for name, program in found if program.startswith("django") and name != user}
        if strangers or user not in {name for name, _ in found}:
            problems.append(f"the application of {stage.key} connected as {sorted(strangers) or 'nobody'}")
    return problems, f"{connections} connections in the servers' logs"


def _connected(deployed: Deployed, stage: StageRef, since: float = 0.0) -> list[tuple[str, str]]:
    """Return user and program of each connection in the database's log, which RDS exports to CloudWatch Logs.

    Args:
        deployed: the organization.
        stage: the environment.
        since: seconds of the epoch.
    """
    logs = deployed.emulator.client("logs", stage.account_id)
    rds = deployed.emulator.client("rds", stage.account_id)
    host = parameter(deployed, stage, "DatabaseHost")
    clusters = [item for item in rds.describe_db_clusters()["DBClusters"] if item["Endpoint"] == host]
    found = []
    for cluster in clusters:
        group = f"/aws/rds/cluster/{cluster['DBClusterIdentifier']}/postgresql"
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern='"connection authorized"', startTime=int(since * 1000)
        )
        for event in (event for page in pages for event in page["events"]):
            fields = dict(word.split("=", 1) for word in event["message"].split() if "=" in word)
            found.append((fields.get("user", ""), fields.get("application_name", "")))
    return found


def idle_database_may_pause(deployed: Deployed) -> Found:
    """Where the database pauses itself, nobody keeps a connection, and nobody makes one while no visitor comes."""
    pausing = [stage for stage in deployed.stages if stage.environment.database.auto_pause_minutes]

    def look(stage: StageRef) -> list[str]:
        application = secret(deployed, stage, "DatabaseUserSecretName")["username"]
        rows = _query(
            deployed,
            stage,
            "SELECT usename, application_name FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )
        staying = [f"{user} ({program}) stays connected in {stage.key}" for user, program in rows]
        began = time.time()
        time.sleep(_QUIET_SECONDS)
        awake = {user for user, _ in _connected(deployed, stage, began) if user == application}
        path = stage.workload.health_path
        return staying + [
            f"{user} connects in {stage.key} while nobody visits: its database never pauses. Let the health page"
            f" {path}, the workers and beat do without it, or set database.min_capacity above 0"
            for user in awake
        ]

    return settled(pausing, look), f"{len(pausing)} databases"


def roles_reach_their_own(deployed: Deployed) -> Found:
    """With each environment's web role: its own bucket and queue answer, those of every other one refuse."""
    problems, tried = [], 0
    for stage in deployed.stages:
        role = parameter(deployed, stage, "WebTaskRoleArn")
        credentials = deployed.emulator.service_session(role, _TASKS_SERVICE)
        for other in deployed.stages:
            for what, did in _attempts(deployed, stage, other, credentials):
                tried += 1
                if did != (other.key == stage.key):
                    problems.append(
                        f"the web role of {stage.key} {'could' if did else 'could not'} use {what}"
                    )
    return problems, f"{tried} uses tried"


def _attempts(
    deployed: Deployed, stage: StageRef, other: StageRef, credentials: Any
) -> Iterator[tuple[str, bool]]:
    """Try an environment's media bucket and queue with the rights of another one."""
    if other.workload.media:
        s3 = deployed.emulator.client("s3", stage.account_id, credentials=credentials)
        bucket = parameter(deployed, other, "MediaBucketName")
        key = f"rehearsal-check/{stage.stage_name}"
        yield (
            f"bucket {bucket}",
            _allowed(lambda: s3.put_object(Bucket=bucket, Key=key, Body=b""))
            and _allowed(lambda: s3.delete_object(Bucket=bucket, Key=key)),
        )
    if other.workload.commands.worker is not None:
        sqs = deployed.emulator.client("sqs", stage.account_id, credentials=credentials)
        url = parameter(deployed, other, "QueueUrl")
        yield (
            f"queue {url}",
            _allowed(lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])),
        )


def _allowed(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in (*DENIED, "AWS.SimpleQueueService.NonExistentQueue"):
            return False
        raise
    return True


REACH: tuple[Named, ...] = (
    ("the application has a database user of its own, and no other", application_has_its_own_user),
    ("a database that may pause is left alone", idle_database_may_pause),
    ("a task's role uses its own bucket and queue, and no other environment's", roles_reach_their_own),
)
