"""A workload of a few lines, pushed to the emulated registry, and tasks of it."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.images import _push
from tests.rehearsal.conftest import REGION, STAGING, TOOLING, Cloud, policy

REPOSITORY = "tests/workload"
_PATIENCE_SECONDS = 60.0

# What a build leaves, as of the sample project: TARGET/venv and TARGET/app.
_BUILD = """#!/bin/sh
set -eu
mkdir -p "$1/venv/bin"
ln -s "$PYTHON" "$1/venv/bin/python"
cp -R "$(dirname -- "$0")/.." "$1/app"
"""
_SCRIPTS = {
    "bin/build": _BUILD,
    "bin/show": "#!/bin/sh\nexec env\n",
    "bin/end": '#!/bin/sh\necho "ending with $1"\nexit "$1"\n',
    "bin/polite": "#!/bin/sh\ntrap 'echo bye; exit 7' TERM\necho ready\nwhile :; do sleep 0.05; done\n",
    "bin/stubborn": "#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho ready\nwhile :; do sleep 0.05; done\n",
    "bin/greedy": "#!/bin/sh\nexec python -c 'import time; held = b\"x\" * (200 << 20); time.sleep(60)'\n",
    "bin/credentials": """#!/bin/sh
exec python -c '
import os, urllib.request
request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
request.add_header("Authorization", os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
print(urllib.request.urlopen(request).read().decode())
print(urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task").read().decode())
'
""",
    "bin/web": """#!/bin/sh
exec python -c '
import http.server, os, time
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        well = not os.path.exists(os.environ["TMPDIR"] + "/sick") and self.path != "/missing"
        if self.path == "/sicken": open(os.environ["TMPDIR"] + "/sick", "w").close()
        if self.path == "/die": os._exit(3)
        if self.path == "/slow": time.sleep(2)
        self.send_response(200 if well else 500); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
http.server.ThreadingHTTPServer((os.environ["BIND_HOST"], 8000), Page).serve_forever()
'
""",
}


def write_source(folder: Path, **more: str) -> Path:
    """Write the workload's source into a folder."""
    for name, text in {**_SCRIPTS, "Dockerfile": "FROM scratch\n", **more}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if name.startswith("bin/") else 0o644)
    return folder


def until(look: Callable[[], Any], *, seconds: float = _PATIENCE_SECONDS) -> Any:
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def processes_of(address: str) -> list[dict[str, str]]:
    """The environments of a task's processes: all of them have its address in theirs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                lines = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            variables = dict(line.split("=", 1) for line in lines if "=" in line)
            if variables.get("BIND_HOST") == address:
                found.append(variables)
    return found


@dataclass(frozen=True)
class Ended:
    """A task that has ended."""

    task: Mapping[str, Any]
    lines: Sequence[str]

    @property
    def code(self) -> int | None:
        code: int | None = self.task["containers"][0].get("exitCode")
        return code

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.lines)


class Workload:
    """Tasks of one image in the staging account."""

    cluster = "tests"
    group = "/tests/tasks"

    def __init__(self, cloud: Cloud, source: Path) -> None:
        self.cloud = cloud
        self.ecs = cloud.client("ecs")
        ecr = cloud.client("ecr", TOOLING)
        ecr.create_repository(repositoryName=REPOSITORY)
        self.digest = _push(ecr, REPOSITORY, "source-1", source, "x86_64")
        ecr.set_repository_policy(
            repositoryName=REPOSITORY,
            policyText=policy(
                {"AWS": f"arn:aws:iam::{STAGING}:root"},
                ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
                resource=None,
            ),
        )
        self.ecs.create_cluster(clusterName=self.cluster)
        cloud.client("logs").create_log_group(logGroupName=self.group)
        ecs = {"Service": "ecs-tasks.amazonaws.com"}
        self.execution_role = cloud.role(
            trust=ecs, allow=["ecr:*", "logs:CreateLogStream", "logs:PutLogEvents"]
        )
        self.task_role = cloud.role(trust=ecs, allow=["s3:ListAllMyBuckets"])

    @property
    def image(self) -> str:
        return f"{TOOLING}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}@{self.digest}"

    def define(self, *command: str, **changes: Any) -> str:
        """Register a task definition; gives its ARN."""
        container: dict[str, Any] = {
            "name": "main",
            "image": self.image,
            "command": list(command),
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": self.group,
                    "awslogs-region": REGION,
                    "awslogs-stream-prefix": "test",
                },
            },
            "portMappings": [{"containerPort": 8000}],
            "stopTimeout": 2,
        }
        roles: dict[str, Any] = {"taskRoleArn": self.task_role, "executionRoleArn": self.execution_role}
        for name in list(changes):
            if name in ("taskRoleArn", "executionRoleArn", "runtimePlatform"):
                roles[name] = changes.pop(name)
        made = self.ecs.register_task_definition(
            family=f"t{uuid.uuid4().hex[:8]}",
            cpu="256",
            memory="512",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            **roles,
            containerDefinitions=[{**container, **changes}],
        )
        arn: str = made["taskDefinition"]["taskDefinitionArn"]
        return arn

    def start(self, definition: str, **options: Any) -> str:
        """Run a task; gives its ARN."""
        made = self.ecs.run_task(
            cluster=self.cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            **options,
        )
        arn: str = made["tasks"][0]["taskArn"]
        return arn

    def describe(self, arn: str) -> Mapping[str, Any]:
        task: Mapping[str, Any] = self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]
        return task

    def lines(self, arn: str) -> list[str]:
        """What a task wrote, as CloudWatch Logs has it."""
        logs = self.cloud.client("logs")
        stream = f"test/main/{arn.rpartition('/')[2]}"
        try:
            events = logs.get_log_events(logGroupName=self.group, logStreamName=stream, startFromHead=True)[
                "events"
            ]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]

    def run(self, *command: str, **changes: Any) -> Ended:
        """Run a command in a task to its end."""
        return self.ended(self.start(self.define(*command, **changes)))

    def ended(self, arn: str) -> Ended:
        """Wait for the end of a task."""
        task = until(lambda: (found := self.describe(arn))["lastStatus"] == "STOPPED" and found)
        time.sleep(0.4)  # the last lines
        return Ended(task, self.lines(arn))

    def serve(self, definition: str, *, count: int = 1, **settings: Any) -> str:
        """Make a service and wait until it is stable; gives its name."""
        name = f"s{uuid.uuid4().hex[:8]}"
        self.ecs.create_service(
            cluster=self.cluster,
            serviceName=name,
            taskDefinition=definition,
            desiredCount=count,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            **settings,
        )
        return name

    def service(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.ecs.describe_services(cluster=self.cluster, services=[name])[
            "services"
        ][0]
        return found

    def stable(self, name: str) -> Mapping[str, Any]:
        """Wait until a service has what it wants."""

        def look() -> Mapping[str, Any] | None:
            service = self.service(name)
            primary = next(one for one in service["deployments"] if one["status"] == "PRIMARY")
            done = primary["rolloutState"] == "COMPLETED"
            return service if done and service["runningCount"] == service["desiredCount"] else None

        service: Mapping[str, Any] = until(look)
        return service

    def tasks(self, name: str) -> list[str]:
        """ARNs of a service's running tasks."""
        found: list[str] = self.ecs.list_tasks(cluster=self.cluster, serviceName=name)["taskArns"]
        return found

    def address(self, arn: str) -> str:
        """The address of a task."""
        details = self.describe(arn)["attachments"][0]["details"]
        return str(next(item["value"] for item in details if item["name"] == "privateIPv4Address"))

    def remove(self, name: str) -> None:
        """Delete a service."""
        self.ecs.delete_service(cluster=self.cluster, service=name, force=True)

    def secret(self, value: Mapping[str, str] | str) -> str:
        """Make a secret; gives its ARN."""
        text = value if isinstance(value, str) else json.dumps(value)
        arn: str = self.cloud.client("secretsmanager").create_secret(
            Name=f"s{uuid.uuid4().hex[:8]}", SecretString=text
        )["ARN"]
        return arn
