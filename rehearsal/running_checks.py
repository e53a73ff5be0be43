"""What a rehearsal proves of the tasks that run: their number, their health and their pages."""

import http.client
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from config import StageRef
from operations.stopped_tasks import StoppedTasks
from rehearsal.checks import Deployed, Found, Named
from rehearsal.engine.balancing import BY_NAME
from rehearsal.engine.health import matches
from rehearsal.looking import parameter, settled

_TIMEOUT_SECONDS = 45.0  # above the application's own patience with a database that wakes up
_OK = 200


def _services(deployed: Deployed, stage: StageRef) -> Sequence[Any]:
    ecs = deployed.emulator.client("ecs", stage.account_id)
    cluster = parameter(deployed, stage, "ClusterName")
    arns = ecs.list_services(cluster=cluster)["serviceArns"]
    services: Sequence[Any] = (
        ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []
    )
    return services


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

    problems = settled(deployed.stages, look)
    return problems, f"{tasks} tasks of {services} services"


def _why(deployed: Deployed, stage: StageRef, service: Any) -> str:
    """Tell how the service's last task that failed has ended."""
    ecs, logs = (deployed.emulator.client(name, stage.account_id) for name in ("ecs", "logs"))
    failed = StoppedTasks(ecs, logs, service["clusterArn"]).last_failed(service["serviceArn"])
    return "\n".join(failed.told()) if failed else "none has failed"


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

    problems = settled(deployed.stages, look)
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


RUNNING: tuple[Named, ...] = (
    ("every service runs the tasks that it wants", services_run),
    ("every web task passes its load balancer's health check", targets_are_healthy),
    ("the health page answers at a task's address, as the load balancer asks", health_answers_at_its_address),
    ("the smoke test's page answers through the load balancer", smoke_path_answers),
)
