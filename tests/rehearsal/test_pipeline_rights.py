"""Pipelines: each action under its role; what a role lacks fails exactly there, and is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.conftest import PRODUCTION, STAGING, TOOLING, Cloud
from tests.rehearsal.pipeline_template import (
    SYNTH,
    allow,
    build,
    project,
    stack_actions,
    stage,
    synth,
)
from tests.rehearsal.pipelines import deploy, deploy_role, error

pytestmark = pytest.mark.rehearsal

TEMPLATE = {
    "Parameters": {"Title": {"Type": "String"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Title"}}}},
    "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}}},
}


def files(title: str) -> dict[str, str]:
    return {
        "out/topic.json": json.dumps(TEMPLATE),
        "out/config.json": json.dumps({"Parameters": {"Title": title}}),
    }


def test_stacks_deploy_into_another_account_with_its_roles(cloud: Cloud, tmp_path: Path) -> None:
    roles = deploy_role(cloud)
    name = f"topic-{roles[0][-8:]}"
    source = tmp_path / "source"
    line = deploy(
        cloud,
        source,
        [synth(), stage("Deploy", *stack_actions(name, roles))],
        SYNTH,
        files=files("one"),
        assumes=roles[:1],
    )
    first = line.first()

    assert line.wait(first)["status"] == "Succeeded", {k: error(v) for k, v in line.actions(first).items()}

    deployed = line.actions(first)[f"{name}.Deploy"]
    stack = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert deployed["output"]["outputVariables"] == {"Name": stack["Outputs"][0]["OutputValue"]}
    second = line.start()
    line.wait(second)
    assert (
        line.actions(second)[f"{name}.Deploy"]["output"]["executionResult"]["externalExecutionSummary"]
        == "no changes"
    )
    line.push(files("three"), source)
    third = line.start()
    assert line.wait(third)["status"] == "Succeeded"
    (updated,) = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    assert updated["StackStatus"] == "UPDATE_COMPLETE"


def test_an_account_that_does_not_trust_tooling_fails_its_own_action_alone(
    cloud: Cloud, tmp_path: Path
) -> None:
    trusting, distrusting = deploy_role(cloud), deploy_role(cloud, account=PRODUCTION, trusts=STAGING)
    actions = [*stack_actions("trusting", trusting), *stack_actions("distrusting", distrusting)]
    line = deploy(
        cloud,
        tmp_path / "source",
        [synth(), stage("Deploy", *actions)],
        SYNTH,
        files=files("x"),
        assumes=[trusting[0], distrusting[0]],
    )
    execution = line.first()

    assert line.wait(execution)["status"] == "Failed"

    found = line.actions(execution)
    assert found["trusting.Prepare"]["status"] == "Succeeded"
    assert "trusting.Deploy" not in found
    message = error(found["distrusting.Prepare"])
    assert "Deploy/distrusting.Prepare" in message
    assert "sts:AssumeRole" in message
    assert distrusting[0] in message
    details = found["distrusting.Prepare"]["output"]["executionResult"]["errorDetails"]
    assert details["code"] == "PermissionError"


def without(resource: str, *actions: str) -> Callable[[dict[str, Any]], None]:
    """Take actions from a role's policy."""

    def change(resources: dict[str, Any]) -> None:
        (inline,) = resources[resource]["Properties"]["Policies"]
        for statement in inline["PolicyDocument"]["Statement"]:
            given = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [one for one in given if one not in actions] or ["sts:GetCallerIdentity"]

    return change


@pytest.mark.parametrize(
    ("resource", "missing", "fails", "named"),
    [
        ("PipelineRole", "sts:AssumeRole", "Source", "sts:AssumeRole"),
        ("SourceRole", "codeconnections:UseConnection", "Source", "codeconnections:UseConnection"),
        ("SourceRole", "s3:PutObject", "Source", "s3:PutObject"),
        ("SourceRole", "kms:GenerateDataKey*", "Source", "kms:GenerateDataKey"),
        ("BuildActionRole", "codebuild:StartBuild", "Synth", "codebuild:StartBuild"),
        ("BuildRole", "s3:GetObject*", "Synth", "s3:GetObject"),
        ("BuildRole", "codeconnections:UseConnection", "Synth", "codeconnections:UseConnection"),
        ("BuildRole", "logs:CreateLogStream", "Synth", "logs:CreateLogStream"),
        ("BuildRole", "s3:PutObject", "Synth", "s3:PutObject"),
    ],
)
def test_a_permission_that_a_role_lacks_is_named_with_role_and_action(
    cloud: Cloud, tmp_path: Path, resource: str, missing: str, fails: str, named: str
) -> None:
    line = deploy(
        cloud, tmp_path / "source", [synth()], SYNTH, files=files("x"), change=without(resource, missing)
    )
    execution = line.first()

    assert line.wait(execution)["status"] == "Failed"

    found = line.actions(execution)
    assert list(found)[-1] == fails
    assert named in error(found[fails])
    assert line.stack.ids[resource] in error(found[fails])


def test_the_artifact_keys_policy_is_asked_too(cloud: Cloud, tmp_path: Path) -> None:
    roles = deploy_role(cloud)
    line = deploy(
        cloud,
        tmp_path / "source",
        [synth(), stage("Deploy", *stack_actions("keyless", roles))],
        SYNTH,
        files=files("x"),
        assumes=roles[:1],
        change=lambda resources: resources["Key"]["Properties"]["KeyPolicy"]["Statement"].pop(),
    )
    execution = line.first()

    assert line.wait(execution)["status"] == "Failed"

    message = error(line.actions(execution)["keyless.Prepare"])
    assert "kms:Decrypt" in message
    assert roles[0] in message


def test_the_api_is_judged_by_iam(cloud: Cloud, tmp_path: Path) -> None:
    line = deploy(cloud, tmp_path / "source", [synth()], SYNTH, files=files("x"))
    line.wait(line.first())
    reader = cloud.session(cloud.role(account=TOOLING, allow=["codepipeline:GetPipelineState"]))
    api = cloud.client("codepipeline", TOOLING, credentials=reader)

    assert api.get_pipeline_state(name=line.name)["pipelineName"] == line.name
    with pytest.raises(ClientError, match="codepipeline:StartPipelineExecution"):
        api.start_pipeline_execution(name=line.name)
    with pytest.raises(ClientError, match="PipelineNotFound"):
        line.api.get_pipeline(name="nothing")


def test_an_asset_role_that_may_not_publish_into_an_account_is_named(cloud: Cloud, tmp_path: Path) -> None:
    """The assets' build assumes each account's publishing role, as cdk-assets does."""
    allowed, refused = (cloud.role(account=STAGING, trust={"AWS": TOOLING}) for _ in range(2))
    script = (
        "import boto3, sys\n"
        "for role in sys.argv[1:]:\n"
        "    boto3.client('sts').assume_role(RoleArn=role, RoleSessionName='assets')\n"
    )
    packages = json.dumps(str(Path(boto3.__file__).parents[1]))

    def may_publish(resources: dict[str, Any]) -> None:
        (inline,) = resources["BuildRole"]["Properties"]["Policies"]
        inline["PolicyDocument"]["Statement"].append(allow("sts:AssumeRole", [allowed]))

    line = deploy(
        cloud,
        tmp_path / "source",
        [stage("Assets", build("Fine"), build("FileAssets", order=2))],
        {
            "Fine": project([f"PYTHONPATH={packages} python3 publish.py {allowed}"]),
            "FileAssets": project([f"PYTHONPATH={packages} python3 publish.py {allowed} {refused}"]),
        },
        files={"publish.py": script},
        change=may_publish,
    )
    execution = line.first()

    assert line.wait(execution)["status"] == "Failed"

    found = line.actions(execution)
    assert found["Fine"]["status"] == "Succeeded", error(found["Fine"])
    message = error(found["FileAssets"])
    assert "sts:AssumeRole" in message
    assert refused in message
    assert line.stack.ids["BuildRole"] in message
