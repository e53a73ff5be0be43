"""A small pipeline as CloudFormation resources, and what a test wants to know of it."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.pipeline.launch import REPOSITORIES
from rehearsal.pipeline.repositories import Push, Repositories
from tests.rehearsal.conftest import REGION, STAGING, TOOLING, Cloud, Stack, policy

BRANCH = "main"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{TOOLING}:connection/00000000-0000-0000-0000-000000000000"
PATIENCE_SECONDS = 60.0
_KEY_ACTIONS = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
ENDED = ("Succeeded", "Failed", "Stopped", "Cancelled")


def allow(actions: Any, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def role(principal: Mapping[str, Any], *statements: Mapping[str, Any]) -> dict[str, Any]:
    """A role with one inline policy."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {
                    "PolicyName": "p",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
                }
            ],
        },
    }


def arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def service(name: str) -> dict[str, str]:
    return {"Service": f"{name}.amazonaws.com"}


def action(
    name: str,
    provider: str,
    configuration: Mapping[str, Any],
    *,
    order: int = 1,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    role_arn: Any = None,
    namespace: str | None = None,
) -> dict[str, Any]:
    """An action, as a template has it."""
    categories = {
        "CodeStarSourceConnection": "Source",
        "CodeBuild": "Build",
        "CloudFormation": "Deploy",
        "Manual": "Approval",
    }
    found: dict[str, Any] = {
        "Name": name,
        "ActionTypeId": {
            "Category": categories[provider],
            "Owner": "AWS",
            "Provider": provider,
            "Version": "1",
        },
        "Configuration": dict(configuration),
        "InputArtifacts": [{"Name": one} for one in inputs],
        "OutputArtifacts": [{"Name": one} for one in outputs],
        "RunOrder": order,
    }
    if role_arn is not None:
        found["RoleArn"] = role_arn
    if namespace is not None:
        found["Namespace"] = namespace
    return found


def build(name: str, *, order: int = 1, outputs: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """A build whose project has the action's name."""
    inputs = more.pop("inputs", ("Source",))
    return action(
        name,
        "CodeBuild",
        {"ProjectName": {"Ref": f"Project{name}"}, **more.pop("configuration", {})},
        order=order,
        inputs=inputs,
        outputs=outputs,
        role_arn=arn("BuildActionRole"),
        **more,
    )


def approval(name: str, *, order: int = 1) -> dict[str, Any]:
    return action(name, "Manual", {"CustomData": "Release it?"}, order=order)


def stage(name: str, *actions: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": name, "Actions": list(actions)}


def project(commands: Sequence[str], *, role_id: str = "BuildRole", artifacts: Any = None) -> dict[str, Any]:
    """A project that runs commands."""
    spec: dict[str, Any] = {"version": "0.2", "phases": {"build": {"commands": list(commands)}}}
    if artifacts:
        spec["artifacts"] = artifacts
    return {
        "Type": "AWS::CodeBuild::Project",
        "Properties": {
            "Artifacts": {"Type": "CODEPIPELINE"},
            "Environment": {
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "Image": "aws/codebuild/standard:7.0",
                "Type": "LINUX_CONTAINER",
            },
            "LogsConfig": {"CloudWatchLogs": {"GroupName": {"Ref": "Logs"}, "Status": "ENABLED"}},
            "ServiceRole": arn(role_id),
            "Source": {"BuildSpec": json.dumps(spec), "Type": "CODEPIPELINE"},
        },
    }


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


def resources(
    repository: str,
    stages: Sequence[Mapping[str, Any]],
    projects: Mapping[str, Mapping[str, Any]],
    *,
    assumes: Sequence[str] = (),
) -> dict[str, Any]:
    """The resources of a pipeline with its bucket, key and roles.

    Args:
        repository: what it follows.
        stages: after the source stage.
        projects: name of the build action -> its project.
        assumes: roles of other accounts that its actions have; the key's and bucket's policies let them in.
    """
    objects = {"Fn::Join": ["", [arn("Bucket"), "/*"]]}
    storage = [
        allow(
            ["s3:GetObject*", "s3:GetBucket*", "s3:List*", "s3:PutObject", "s3:DeleteObject*"],
            [arn("Bucket"), objects],
        ),
        allow(_KEY_ACTIONS, arn("Key")),
    ]
    pipeline_role = {"AWS": arn("PipelineRole")}
    source = action(
        "Source",
        "CodeStarSourceConnection",
        {
            "ConnectionArn": CONNECTION,
            "FullRepositoryId": repository,
            "BranchName": BRANCH,
            "OutputArtifactFormat": "CODEBUILD_CLONE_REF",
        },
        outputs=["Source"],
        role_arn=arn("SourceRole"),
        namespace="Code",
    )
    use = allow("codeconnections:UseConnection", CONNECTION)
    found: dict[str, Any] = {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "kms:*",
                            "Resource": "*",
                            "Principal": {"AWS": f"arn:aws:iam::{TOOLING}:root"},
                        },
                        *(
                            {
                                "Effect": "Allow",
                                "Action": _KEY_ACTIONS,
                                "Resource": "*",
                                "Principal": {"AWS": one},
                            }
                            for one in assumes
                        ),
                    ],
                }
            },
        },
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
        "PipelineRole": role(service("codepipeline"), *storage, allow("sts:AssumeRole")),
        "SourceRole": role(pipeline_role, *storage, use),
        "BuildActionRole": role(
            pipeline_role, allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"])
        ),
        "BuildRole": role(
            service("codebuild"),
            *storage,
            use,
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], arn("Logs")),
        ),
        **{f"Project{name}": one for name, one in projects.items()},
        "Pipeline": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "ArtifactStore": {
                    "Location": {"Ref": "Bucket"},
                    "Type": "S3",
                    "EncryptionKey": {"Id": arn("Key"), "Type": "KMS"},
                },
                "ExecutionMode": "QUEUED",
                "PipelineType": "V2",
                "RestartExecutionOnUpdate": True,
                "RoleArn": arn("PipelineRole"),
                "Stages": [stage("Source", source), *stages],
            },
        },
    }
    if assumes:
        found["BucketPolicy"] = {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["s3:GetObject*", "s3:GetBucket*", "s3:List*"],
                            "Resource": [arn("Bucket"), objects],
                            "Principal": {"AWS": list(assumes)},
                        }
                    ],
                },
            },
        }
    separate: dict[str, Any] = json.loads(
        json.dumps(found)
    )  # what is shared above must not be shared by tests
    return separate


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
