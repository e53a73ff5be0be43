"""What the emulator is said not to do, it does not: a new version that does it must be noticed and the list shortened.

Each test is named after its sentence in `rehearsal/emulator/limits.py`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.emulator import NOT_ENFORCED, RECORDED_ONLY
from rehearsal.engine.draining import SEEN_SECONDS
from tests.rehearsal.conftest import PRODUCTION, SHARED, STAGING, TOOLING, Cloud

pytestmark = pytest.mark.rehearsal

QUEUE = {"Queue": {"Type": "AWS::SQS::Queue"}}


def said(words: str) -> bool:
    return any(words in sentence for sentence in NOT_ENFORCED)


def test_an_execution_role_needs_no_permissions(cloud: Cloud) -> None:
    powerless = cloud.role(trust={"Service": "cloudformation.amazonaws.com"})

    assert cloud.deploy(QUEUE, role=powerless).status == "CREATE_COMPLETE"
    assert said("what a stack's execution role may do")


def test_what_a_stack_makes_gets_any_role(cloud: Cloud) -> None:
    operator = cloud.session(cloud.role(allow=["cloudformation:*"]))
    resources = {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": task_with(cloud.role())}}

    cloud.client("cloudformation", STAGING, credentials=operator).create_stack(
        StackName="passing", TemplateBody=json.dumps({"Resources": resources})
    )

    assert cloud.stack("passing").status == "CREATE_COMPLETE"
    assert said("not for what a stack makes")


def task_with(role_arn: str) -> dict[str, Any]:
    return {"TaskRoleArn": role_arn, "ContainerDefinitions": [{"Name": "c", "Image": "i"}]}


def test_an_object_is_read_without_its_key(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="under-a-key", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="under-a-key", Key="o", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    reader = cloud.session(cloud.role(allow=["s3:GetObject"]))

    found = cloud.client("s3", STAGING, credentials=reader).get_object(Bucket="under-a-key", Key="o")

    assert found["Body"].read() == b"x"
    assert said("S3 does not ask KMS")


def test_a_certificate_without_a_zone_is_issued_at_once(cloud: Cloud) -> None:
    properties = {"DomainName": "nobody.example", "ValidationMethod": "DNS"}

    made = cloud.deploy({"C": {"Type": "AWS::CertificateManager::Certificate", "Properties": properties}})

    assert made.status == "CREATE_COMPLETE"
    assert said("issued at once")


def test_a_share_with_the_organization_counts_for_all(cloud: Cloud) -> None:
    organization = f"arn:aws:organizations::{TOOLING}:organization/o-abcdefghij"
    arn = {"Fn::Sub": "arn:aws:ec2:${AWS::Region}:${AWS::AccountId}:transit-gateway/${Gateway}"}
    made = cloud.deploy(
        {
            "Gateway": {"Type": "AWS::EC2::TransitGateway"},
            "Share": {
                "Type": "AWS::RAM::ResourceShare",
                "Properties": {"Name": "s", "ResourceArns": [arn], "Principals": [organization]},
            },
        },
        account=SHARED,
    )

    ec2 = cloud.client("ec2", PRODUCTION)

    assert ec2.describe_transit_gateways(TransitGatewayIds=[made.ids["Gateway"]])["TransitGateways"]
    assert said("share with the organization")


def test_a_principal_of_an_unknown_account_passes(cloud: Cloud) -> None:
    assert cloud.role(trust={"AWS": "arn:aws:iam::999999999999:role/whoever"})
    assert said("outside the rehearsal")


API_CALLS: Mapping[str, Callable[[Any], Any]] = {
    "application-autoscaling": lambda client: client.describe_scalable_targets(ServiceNamespace="ecs"),
    "ram": lambda client: client.get_resource_shares(resourceOwner="SELF"),
    "codeconnections": lambda client: client.list_connections(),
    "codestar-notifications": lambda client: client.list_notification_rules(),
    "logs": lambda client: client.describe_query_definitions(),
}


@pytest.mark.parametrize("service", API_CALLS)
def test_recorded_types_have_no_api(cloud: Cloud, service: str) -> None:
    with pytest.raises(ClientError) as error:
        API_CALLS[service](cloud.client(service))

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_template_may_hold_every_reported_type(cloud: Cloud) -> None:
    template = {name.replace(":", ""): {"Type": name} for name in RECORDED_ONLY}

    cloud.client("cloudformation").validate_template(TemplateBody=json.dumps({"Resources": template}))


def test_a_build_that_no_pipeline_starts_runs_nothing_and_succeeds(cloud: Cloud) -> None:
    codebuild = cloud.client("codebuild")
    codebuild.create_project(
        name="fails",
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {commands: [exit 1]}}"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "any", "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=cloud.role(trust={"Service": "codebuild.amazonaws.com"}),
    )

    assert codebuild.start_build(projectName="fails")["build"]["buildStatus"] == "SUCCEEDED"
    assert said("no pipeline starts")


def test_a_task_that_leaves_its_load_balancer_has_the_time_that_the_report_names() -> None:
    assert said(f"told to stop after {SEEN_SECONDS:g} s")
