"""The template of a small pipeline: its actions, projects, roles, bucket and key."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.rehearsal.conftest import REGION, TOOLING

BRANCH = "main"
CONNECTION = f"arn:aws:codeconnections:{REGION}:{TOOLING}:connection/00000000-0000-0000-0000-000000000000"
_KEY_ACTIONS = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]


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


def stack_actions(name: str, roles: tuple[str, str], *, order: int = 1) -> list[dict[str, Any]]:
    """A change set and its execution, as the CDK makes them."""
    deploys, executes = roles
    common = {"StackName": name, "ChangeSetName": "PipelineChange"}
    return [
        action(
            f"{name}.Prepare",
            "CloudFormation",
            {
                **common,
                "ActionMode": "CHANGE_SET_REPLACE",
                "RoleArn": executes,
                "Capabilities": "CAPABILITY_NAMED_IAM,CAPABILITY_AUTO_EXPAND",
                "TemplatePath": "Templates::topic.json",
                "TemplateConfiguration": "Templates::config.json",
            },
            order=order,
            inputs=["Templates"],
            role_arn=deploys,
        ),
        action(
            f"{name}.Deploy",
            "CloudFormation",
            {**common, "ActionMode": "CHANGE_SET_EXECUTE"},
            order=order + 1,
            role_arn=deploys,
            namespace="Stack",
        ),
    ]


def synth(**more: Any) -> dict[str, Any]:
    return stage("Build", build("Synth", outputs=["Templates"], **more))


SYNTH = {"Synth": project(["true"], artifacts={"base-directory": "out", "files": "**/*"})}
