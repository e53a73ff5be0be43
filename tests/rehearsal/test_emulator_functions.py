"""Custom resources: their functions run for real, answer over TLS, and may not leave a stack waiting."""

from typing import Any

import pytest

from tests.rehearsal.conftest import STAGING, Cloud

pytestmark = pytest.mark.rehearsal

# Both ask STS who they are, through the emulator, and answer CloudFormation as the CDK's own functions do.
NODE = """
const https = require('node:https');
const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts');
exports.handler = async (event) => {
  const identity = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  const body = JSON.stringify({
    Status: 'SUCCESS', PhysicalResourceId: 'node', StackId: event.StackId, RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId, Data: { Arn: identity.Arn },
  });
  await new Promise((resolve, reject) => {
    const request = https.request(event.ResponseURL, { method: 'PUT' }, resolve);
    request.on('error', reject);
    request.end(body);
  });
};
"""
PYTHON = """
import json, urllib.request
import boto3

def handler(event, context):
    body = {
        "Status": "SUCCESS", "PhysicalResourceId": "python", "StackId": event["StackId"],
        "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Arn": boto3.client("sts").get_caller_identity()["Arn"]},
    }
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(body).encode(), method="PUT")
    urllib.request.urlopen(request)
"""
BROKEN = "def handler(event, context):\n    raise RuntimeError('out of order')\n"
UNSTARTABLE = "exports.handler = require('no-such-module');"


def custom_resource(cloud: Cloud, runtime: str, code: str) -> dict[str, Any]:
    function = {
        "Handler": "index.handler",
        "Runtime": runtime,
        "Role": cloud.role(trust={"Service": "lambda.amazonaws.com"}),
        "Code": {"ZipFile": code},
    }
    token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
    return {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Asked": {"Type": "Custom::Asked", "Properties": token},
    }


@pytest.mark.parametrize(
    ("runtime", "code", "name"), [("nodejs22.x", NODE, "node"), ("python3.13", PYTHON, "python")]
)
def test_a_function_works_as_its_role_and_answers(cloud: Cloud, runtime: str, code: str, name: str) -> None:
    made = cloud.deploy(
        custom_resource(cloud, runtime, code), outputs={"Arn": {"Fn::GetAtt": ["Asked", "Arn"]}}
    )

    assert made.status == "CREATE_COMPLETE", made.failures
    assert made.ids["Asked"] == name
    assert made.outputs["Arn"].startswith(f"arn:aws:sts::{STAGING}:assumed-role/")


@pytest.mark.parametrize(
    ("runtime", "code", "reason"),
    [("python3.13", BROKEN, "out of order"), ("nodejs22.x", UNSTARTABLE, "no-such-module")],
)
def test_a_function_that_fails_fails_its_stack_at_once(
    cloud: Cloud, runtime: str, code: str, reason: str
) -> None:
    failed = cloud.deploy(custom_resource(cloud, runtime, code))

    assert failed.status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
    assert reason in failed.failures["Asked"]
