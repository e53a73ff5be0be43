"""Reading what is deployed, with a bootstrapped account's look-up role, as the packet's step does."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from config import Configuration
from config.naming import Names
from operations.errors import CommandError
from operations.packet.deployed import READING, deployed_stacks
from tests import documents
from tests.rehearsal.conftest import PRODUCTION, REGION, TOOLING, Cloud, policy

pytestmark = pytest.mark.rehearsal

QUALIFIER = "packet1"  # a role of our own, whatever else is in the emulator
PREFIX = "PacketShopProduction-"
QUEUE = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}}}


@pytest.fixture(scope="module")
def names() -> Names:
    configuration: Configuration = documents.configured(
        documents.changed({"organization.qualifier": QUALIFIER})
    )
    return Names(configuration)


@pytest.fixture(scope="module")
def look_up(cloud: Cloud, names: Names) -> str:
    """The look-up role as `cdk bootstrap` makes it, and two stacks of the environment."""
    arn = names.bootstrap_role_arn(PRODUCTION, "lookup-role", REGION)
    iam, name = cloud.client("iam", PRODUCTION), arn.rpartition("/")[2]
    iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=policy(
            {"AWS": f"arn:aws:iam::{TOOLING}:root"}, "sts:AssumeRole", resource=None
        ),
    )
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    for stack in ("Queues", "Former"):
        cloud.deploy(QUEUE, account=PRODUCTION, name=f"{PREFIX}{stack}")
    cloud.deploy(QUEUE, account=PRODUCTION, name="SomebodyElse")
    return arn


def _session(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, *, may_assume: str) -> boto3.Session:
    role = cloud.role(account=TOOLING)
    cloud.client("iam", TOOLING).put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="p",
        PolicyDocument=policy(None, "sts:AssumeRole", resource=may_assume),
    )
    given = cloud.session(role)
    for name, value in cloud.emulator.environment(TOOLING).items():
        monkeypatch.setenv(name, value)
    return boto3.Session(
        region_name=REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def _read(session: boto3.Session, names: Names) -> dict[str, Any]:
    found = deployed_stacks(session, names, account=PRODUCTION, regions=[REGION], prefix=PREFIX)
    return {stack.name: (stack.state, stack.template.get("Resources")) for stack in found}


def test_every_stack_of_the_environment_is_read_as_it_was_deployed(
    cloud: Cloud, names: Names, look_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = _session(cloud, monkeypatch, may_assume=look_up)
    assert _read(session, names) == {
        f"{PREFIX}Former": ("CREATE_COMPLETE", QUEUE),
        f"{PREFIX}Queues": ("CREATE_COMPLETE", QUEUE),
    }
    cloud.client("cloudformation", PRODUCTION).delete_stack(StackName=f"{PREFIX}Former")
    changed = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}}
    cloud.deploy(changed, account=PRODUCTION, name=f"{PREFIX}Queues")
    assert _read(session, names) == {f"{PREFIX}Queues": ("UPDATE_COMPLETE", changed)}


def test_who_may_not_assume_the_look_up_role_is_told_which(
    cloud: Cloud, names: Names, look_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = _session(cloud, monkeypatch, may_assume=look_up.replace("lookup", "deploy"))
    with pytest.raises(CommandError, match=f"may not assume {look_up}"):
        _read(session, names)


def test_the_look_up_role_reads_templates_and_writes_none(cloud: Cloud, look_up: str) -> None:
    sts = cloud.client("sts", TOOLING)
    given = sts.assume_role(RoleArn=look_up, RoleSessionName="test", Policy=json.dumps(READING))[
        "Credentials"
    ]
    reader = boto3.Session(
        region_name=REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    client: Any = reader.client(
        "cloudformation",
        endpoint_url=cloud.emulator.environment(TOOLING)["AWS_ENDPOINT_URL"],
        verify=cloud.emulator.environment(TOOLING)["AWS_CA_BUNDLE"],
    )
    assert client.get_template(StackName=f"{PREFIX}Queues")["TemplateBody"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_stack(StackName=f"{PREFIX}Queues")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_stack(StackName=f"{PREFIX}New", TemplateBody=json.dumps({"Resources": QUEUE}))
