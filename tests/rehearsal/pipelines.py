"""A small deployed pipeline, and what a test wants to know of it."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from config import load
from operations.pipeline_access import PipelineAccess
from rehearsal.approver import Approver
from rehearsal.pipeline.launch import REPOSITORIES
from rehearsal.pipeline.repositories import Push, Repositories
from rehearsal.pipeline_run import PipelineRun
from rehearsal.progress import Progress
from tests.rehearsal.conftest import REGION, STAGING, TOOLING, Cloud, Stack, policy
from tests.rehearsal.pipeline_template import BRANCH, allow, resources, service

PATIENCE_SECONDS = 60.0
ENDED = ("Succeeded", "Failed", "Stopped", "Cancelled")


@dataclass
class Line:
    """A deployed pipeline.

    Args:
        cloud: the emulator.
        stack: its stack, whose resources can be changed.
        repository: what it follows.
    """

    cloud: Cloud
    stack: Stack
    resources: dict[str, Any]
    repository: str
    api: Any = field(init=False)

    def __post_init__(self) -> None:
        self.api = self.cloud.client("codepipeline", TOOLING)

    @property
    def name(self) -> str:
        return self.stack.ids["Pipeline"]

    def start(self) -> str:
        execution: str = self.api.start_pipeline_execution(name=self.name)["pipelineExecutionId"]
        return execution

    def first(self) -> str:
        """The execution that its creation started."""
        listed = self.api.list_pipeline_executions(pipelineName=self.name)["pipelineExecutionSummaries"]
        execution: str = listed[-1]["pipelineExecutionId"]
        return execution

    def execution(self, execution_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.api.get_pipeline_execution(
            pipelineName=self.name, pipelineExecutionId=execution_id
        )["pipelineExecution"]
        return found

    def wait(self, execution_id: str, *statuses: str) -> Mapping[str, Any]:
        """Wait until an execution has one of these statuses; has ended if none are given."""
        wanted = statuses or ENDED
        found: Mapping[str, Any] = eventually(
            lambda: self.execution(execution_id), lambda one: one["status"] in wanted
        )
        return found

    def actions(self, execution_id: str) -> dict[str, Mapping[str, Any]]:
        """The last run of each action, by name, in the order in which they began."""
        listed = self.api.list_action_executions(
            pipelineName=self.name, filter={"pipelineExecutionId": execution_id}
        )["actionExecutionDetails"]
        return {one["actionName"]: one for one in reversed(listed)}

    def stages(self) -> dict[str, Mapping[str, Any]]:
        state = self.api.get_pipeline_state(name=self.name)
        return {one["stageName"]: one for one in state["stageStates"]}

    def token(self, stage_name: str, action_name: str) -> str:
        """Wait for an approval, and give its token."""

        def look() -> str:
            for one in self.stages()[stage_name]["actionStates"]:
                if one["actionName"] == action_name:
                    return str(one.get("latestExecution", {}).get("token", ""))
            return ""

        found: str = eventually(look, bool)
        return found

    def answer(self, stage_name: str, action_name: str, status: str = "Approved") -> None:
        self.api.put_approval_result(
            pipelineName=self.name,
            stageName=stage_name,
            actionName=action_name,
            result={"summary": f"{status} by a test", "status": status},
            token=self.token(stage_name, action_name),
        )

    def push(self, files: Mapping[str, str], folder: Path) -> Push:
        """Push files to what it follows; a run has to be started."""
        return push(self.cloud, self.repository, files, folder)

    def update(self) -> Stack:
        """Deploy its stack again, with what was changed in `resources`."""
        return self.cloud.deploy(self.resources, account=TOOLING, name=self.stack.name)


def error(detail: Mapping[str, Any]) -> str:
    """The error of an action."""
    found: str = detail["output"]["executionResult"].get("errorDetails", {}).get("message", "")
    return found


def push(cloud: Cloud, repository: str, files: Mapping[str, str], folder: Path) -> Push:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Repositories(cloud.emulator.directory / REPOSITORIES).push(repository, BRANCH, folder)


def eventually(look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def deploy(
    cloud: Cloud,
    folder: Path,
    stages: Sequence[Mapping[str, Any]],
    projects: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    files: Mapping[str, str] | None = None,
    assumes: Sequence[str] = (),
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Line:
    """Push a source and deploy a pipeline that follows it; its creation starts it."""
    repository = f"acme/{uuid.uuid4().hex[:8]}"
    push(cloud, repository, files or {"README": "hello"}, folder)
    made = resources(repository, stages, projects or {}, assumes=assumes)
    if change is not None:
        change(made)
    stack = cloud.deploy(made, account=TOOLING)
    assert stack.status == "CREATE_COMPLETE", stack.failures
    return Line(cloud, stack, made, repository)


def deploy_role(cloud: Cloud, *, account: str = STAGING, trusts: str = TOOLING) -> tuple[str, str]:
    """Make a deploy role and an execution role, as a bootstrapped account has them."""
    iam = cloud.client("iam", account)
    suffix = uuid.uuid4().hex[:8]
    executes, deploys = f"exec-{suffix}", f"deploy-{suffix}"
    iam.create_role(
        RoleName=executes,
        AssumeRolePolicyDocument=policy(service("cloudformation"), "sts:AssumeRole", resource=None),
    )
    execution_arn = f"arn:aws:iam::{account}:role/{executes}"
    iam.create_role(
        RoleName=deploys,
        AssumeRolePolicyDocument=policy(
            {"AWS": f"arn:aws:iam::{trusts}:root"}, "sts:AssumeRole", resource=None
        ),
    )
    statements = [
        allow(["cloudformation:*ChangeSet", "cloudformation:Describe*", "cloudformation:*Stack"]),
        allow("iam:PassRole", execution_arn),
        allow(["s3:GetObject*", "s3:GetBucket*", "s3:List*"]),
        # As the bootstrap template has it: S3 alone decrypts for the role.
        {
            **allow(["kms:Decrypt", "kms:DescribeKey"]),
            "Condition": {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
        },
    ]
    iam.put_role_policy(
        RoleName=deploys,
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    return f"arn:aws:iam::{account}:role/{deploys}", execution_arn


def following(line: Line, entered: list[str], marker: Path | None = None) -> PipelineRun:
    """Follow a pipeline; entering the name servers makes the marker."""
    progress = Progress(Console(file=StringIO()))

    def enter(name_servers: Sequence[str]) -> None:
        entered.extend(name_servers)
        if marker is not None:
            marker.touch()

    return PipelineRun(
        access(line),
        progress=progress,
        approver=Approver("auto", progress, Console(file=StringIO())),
        enter=enter,
    )


def access(line: Line) -> PipelineAccess:
    return PipelineAccess(line.api, line.name, load(), rehearsed=True)
