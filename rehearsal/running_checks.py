"""What a rehearsal proves of the tasks that run: counts, health, pages, their database user and their rights."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg2
from botocore.exceptions import ClientError

from config import StageRef
from config.naming import parameter_name
from rehearsal.checks import DENIED, Deployed, Found, Named
from rehearsal.engine.balancing import BY_NAME
from rehearsal.engine.health import matches

_SETTLE_SECONDS = 60.0  # for tasks that the scaling has just asked for
_POLL_SECONDS = 0.5
_QUIET_SECONDS = (
    1.5  # longer than the emulator's load balancer waits before it asks for the health page again
)
_TASKS_SERVICE = "ecs-tasks.amazonaws.com"
_TIMEOUT_SECONDS = 45.0  # above the application's own patience with a database that wakes up
_OK = 200


def parameter(deployed: Deployed, stage: StageRef, name: str) -> str:
    """Return what an environment published under a name.

    Raises:
        ClientError: it published nothing.
    """
    ssm = deployed.emulator.client("ssm", stage.account_id)
    return str(ssm.get_parameter(Name=parameter_name(stage.stage_name, name))["Parameter"]["Value"])


def _services(deployed: Deployed, stage: StageRef) -> Sequence[Any]:
    ecs = deployed.emulator.client("ecs", stage.account_id)
    cluster = parameter(deployed, stage, "ClusterName")
    arns = ecs.list_services(cluster=cluster)["serviceArns"]
    services: Sequence[Any] = (
        ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []
    )
    return services


def _settled(look: Callable[[], list[str]]) -> list[str]:
    """Look until there is no problem, or the time is over."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        problems = look()
        if not problems or time.monotonic() > deadline:
            return problems
        time.sleep(_POLL_SECONDS)


def services_run(deployed: Deployed) -> Found:
    """Every service runs as many tasks as it wants, and wants as many as its environment's bounds say."""
    tasks = services = 0

    def look(stage: StageRef) -> list[str]:
        nonlocal tasks, services
        found = _services(deployed, stage)
        problems = [] if found else [f"{stage.key} has no service"]
        for service in found:
            name, wanted, running = service["serviceName"], service["desiredCount"], service["runningCount"]
            primary = next(one for one in service["deployments"] if one["status"] == "PRIMARY")
            if wanted != running or primary["rolloutState"] != "COMPLETED":
                problems.append(f"{name} runs {running} of {wanted} tasks; {_why(deployed, stage, service)}")
            if name == parameter(deployed, stage, "WebServiceName"):
                size = stage.environment.web
                if not size.min_tasks <= wanted <= size.max_tasks:
                    problems.append(f"{name} wants {wanted} tasks, not {size.min_tasks} to {size.max_tasks}")
        if not problems:
            services += len(found)
            tasks += sum(service["runningCount"] for service in found)
        return problems

    problems = [line for stage in deployed.stages for line in _settled(lambda at=stage: look(at))]  # type: ignore[misc]
    return problems, f"{tasks} tasks of {services} services"


def _why(deployed: Deployed, stage: StageRef, service: Any) -> str:
    """Tell why the service's last task ended."""
    ecs = deployed.emulator.client("ecs", stage.account_id)
    cluster = service["clusterArn"]
    arns = ecs.list_tasks(cluster=cluster, serviceName=service["serviceName"], desiredStatus="STOPPED")[
        "taskArns"
    ]
    if not arns:
        return "none has ended"
    newest = max(
        ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"], key=lambda task: str(task["createdAt"])
    )
    codes = [container.get("exitCode") for container in newest["containers"]]
    return f"the last one ended with {codes}: {newest.get('stoppedReason', '')}"


def _targets(deployed: Deployed, stage: StageRef) -> Iterator[tuple[Any, Any]]:
    """Yield each target group of the environment's services with the health of one of its targets."""
    elb = deployed.emulator.client("elbv2", stage.account_id)
    for service in _services(deployed, stage):
        for balanced in service["loadBalancers"]:
            arn = balanced["targetGroupArn"]
            for target in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]:
                yield service, target


def targets_are_healthy(deployed: Deployed) -> Found:
    """Every web task is a target, and passes the load balancer's own health check."""
    seen = 0

    def look(stage: StageRef) -> list[str]:
        nonlocal seen
        found = list(_targets(deployed, stage))
        states = [target["TargetHealth"]["State"] for _, target in found]
        wanted = sum(
            service["desiredCount"] for service in _services(deployed, stage) if service["loadBalancers"]
        )
        if states.count("healthy") == len(states) == wanted:
            seen += wanted
            return []
        return [f"{stage.key} has {wanted} web tasks and targets that are {', '.join(states) or 'missing'}"]

    problems = [line for stage in deployed.stages for line in _settled(lambda at=stage: look(at))]  # type: ignore[misc]
    return problems, f"{seen} targets"


def health_answers_at_its_address(deployed: Deployed) -> Found:
    """The health page of every task answers at its address, which is the host that a load balancer asks for."""
    problems, asked = [], 0
    for stage in deployed.stages:
        path = stage.workload.health_path
        for _, target in _targets(deployed, stage):
            address, port = target["Target"]["Id"], target["Target"]["Port"]
            connection = http.client.HTTPConnection(address, port, timeout=_TIMEOUT_SECONDS)
            status, body = _get(connection, path, host=f"{address}:{port}")
            asked += 1
            if not matches(status, stage.workload.health_codes):
                problems.append(f"{address}:{port}{path} of {stage.key} answers {status}: {body}")
    return problems, f"{asked} tasks asked"


def _get(connection: http.client.HTTPConnection, path: str, *, host: str) -> tuple[int, str]:
    """Ask for a page; gives its status, 0 without an answer, and the beginning of its body."""
    with closing(connection):
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read(300).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)


def smoke_path_answers(deployed: Deployed) -> Found:
    """The page of the pipeline's smoke test answers through the load balancer's HTTPS listener."""
    problems = []
    context = ssl.create_default_context(cafile=str(deployed.emulator.ca_file))
    for stage in deployed.stages:
        balancer = _balancer(deployed, stage)
        connection = http.client.HTTPSConnection(
            "127.0.0.1", deployed.emulator.port, context=context, timeout=_TIMEOUT_SECONDS
        )
        path = f"{BY_NAME}{balancer}{stage.workload.smoke_path}"
        status, body = _get(connection, path, host=f"{stage.environment.domain}:443")
        if status != _OK:
            problems.append(f"{stage.workload.smoke_path} of {stage.key} answers {status}: {body}")
    return problems, f"{len(deployed.stages)} load balancers asked"


def _balancer(deployed: Deployed, stage: StageRef) -> str:
    """Return the name of an environment's load balancer."""
    host = parameter(deployed, stage, "LoadBalancerDnsName")
    found = deployed.emulator.client("elbv2", stage.account_id).describe_load_balancers()["LoadBalancers"]
    return str(next(one["LoadBalancerName"] for one in found if one["DNSName"] == host))


def _query(deployed: Deployed, stage: StageRef, statement: str) -> list[tuple[Any, ...]]:
    """Ask an environment's database something as its master user, whose rights are those of RDS."""
    manager = deployed.emulator.client("secretsmanager", stage.account_id)
    secret = manager.get_secret_value(SecretId=parameter(deployed, stage, "DatabaseSecretName"))
    login = json.loads(secret["SecretString"])
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
        manager = deployed.emulator.client("secretsmanager", stage.account_id)
        secret = manager.get_secret_value(SecretId=parameter(deployed, stage, "DatabaseUserSecretName"))
        user = json.loads(secret["SecretString"])["username"]
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
        manager = deployed.emulator.client("secretsmanager", stage.account_id)
        secret = manager.get_secret_value(SecretId=parameter(deployed, stage, "DatabaseUserSecretName"))
        application = json.loads(secret["SecretString"])["username"]
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

    problems = [line for stage in pausing for line in _settled(lambda at=stage: look(at))]  # type: ignore[misc]
    return problems, f"{len(pausing)} databases"


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


RUNNING: tuple[Named, ...] = (
    ("every service runs the tasks that it wants", services_run),
    ("every web task passes its load balancer's health check", targets_are_healthy),
    ("the health page answers at a task's address, as the load balancer asks", health_answers_at_its_address),
    ("the smoke test's page answers through the load balancer", smoke_path_answers),
    ("the application has a database user of its own, and no other", application_has_its_own_user),
    ("a database that may pause is left alone", idle_database_may_pause),
    ("a task's role uses its own bucket and queue, and no other environment's", roles_reach_their_own),
)
