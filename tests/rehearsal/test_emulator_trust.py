"""Trust between accounts: outputs, principals in policies, repositories and keys of another account."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.conftest import PRODUCTION, SHARED, STAGING, TOOLING, Cloud, policy

pytestmark = pytest.mark.rehearsal

GHOST = f"arn:aws:iam::{PRODUCTION}:role/not-bootstrapped"
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "hub"}}


def reading(stack: str, output: str, **where: str) -> dict[str, object]:
    """A stack's resources that read an output of another stack."""
    value = {"Fn::GetStackOutput": {"StackName": stack, "OutputName": output, **where}}
    return {"Copy": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}}


def execution_role(cloud: Cloud, account: str = STAGING, allow: tuple[str, ...] = ("*",)) -> str:
    return cloud.role(account=account, trust={"Service": "cloudformation.amazonaws.com"}, allow=list(allow))


def test_an_output_is_read_in_another_region_of_the_same_account(cloud: Cloud) -> None:
    made = cloud.deploy({"P": PARAMETER}, region="us-east-1", outputs={"Name": {"Ref": "P"}})

    reader = cloud.deploy(reading(made.name, "Name", Region="us-east-1"), role=execution_role(cloud))

    assert reader.status == "CREATE_COMPLETE", reader.failures
    value = cloud.client("ssm").get_parameter(Name=reader.ids["Copy"])["Parameter"]["Value"]
    assert value == made.outputs["Name"]


def test_an_output_is_read_in_another_account_by_the_execution_role(cloud: Cloud) -> None:
    made = cloud.deploy({"P": PARAMETER}, account=SHARED, outputs={"Name": {"Ref": "P"}})
    executing, stranger = execution_role(cloud), execution_role(cloud)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{STAGING}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"ArnLike": {"aws:PrincipalArn": executing}},
            }
        ],
    }
    shared = cloud.client("iam", SHARED)
    door = cloud.role(account=SHARED, allow=["cloudformation:DescribeStacks"])
    shared.update_assume_role_policy(RoleName=door.rsplit("/", 1)[-1], PolicyDocument=json.dumps(trust))

    reader = cloud.deploy(reading(made.name, "Name", RoleArn=door), role=executing)
    refused = cloud.deploy(reading(made.name, "Name", RoleArn=door), role=stranger)

    assert reader.status == "CREATE_COMPLETE", reader.failures
    assert "not authorized to perform: sts:AssumeRole" in refused.failures["Copy"]


def test_the_reader_role_needs_the_right_to_read(cloud: Cloud) -> None:
    made = cloud.deploy({"P": PARAMETER}, account=SHARED, outputs={"Name": {"Ref": "P"}})
    door = cloud.role(account=SHARED, trust={"AWS": f"arn:aws:iam::{STAGING}:root"}, allow=["sqs:*"])

    refused = cloud.deploy(reading(made.name, "Name", RoleArn=door), role=execution_role(cloud))

    assert "not authorized to perform: cloudformation:DescribeStacks" in refused.failures["Copy"]


@pytest.mark.parametrize(
    ("stack", "output", "message"),
    [("nowhere", "Name", "does not exist"), ("known", "Nothing", "has no output Nothing; its outputs: Name")],
)
def test_a_missing_output_is_named(cloud: Cloud, stack: str, output: str, message: str) -> None:
    made = cloud.deploy({"P": PARAMETER}, outputs={"Name": {"Ref": "P"}})

    refused = cloud.deploy(reading(made.name if stack == "known" else stack, output))

    assert message in refused.failures["Copy"]
    assert refused.status == "ROLLBACK_COMPLETE"


@pytest.mark.parametrize("trusted", [None, {"Service": "ecs.amazonaws.com"}])
def test_an_execution_role_must_exist_and_trust_cloudformation(cloud: Cloud, trusted: object) -> None:
    arn = cloud.role(trust=trusted) if trusted else f"arn:aws:iam::{STAGING}:role/nobody"

    with pytest.raises(ClientError, match="is invalid or cannot be assumed"):
        cloud.deploy({"P": PARAMETER}, role=arn)


def naming(ghost: str) -> dict[str, Any]:
    """One resource of each type whose policy is looked at."""
    document = json.loads(policy({"AWS": ghost}, "*"))
    pull = json.loads(policy({"AWS": ghost}, "ecr:BatchGetImage", resource=None))
    trust = json.loads(policy({"AWS": ghost}, "sts:AssumeRole", resource=None))
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document}},
        "Images": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryPolicyText": pull}},
        "Rules": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document},
        },
    }


BUCKET = {"Bucket": {"Type": "AWS::S3::Bucket"}}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Role", f'Invalid principal in policy: "AWS":"{GHOST}"'),
        (
            "Key",
            "MalformedPolicyDocumentException: Policy contains a statement with one or more invalid principals.",
        ),
        ("Images", "InvalidParameterException"),
        ("Rules", "MalformedPolicy: Invalid principal in policy"),
    ],
)
def test_a_policy_that_names_nobody_fails_its_stack(cloud: Cloud, name: str, message: str) -> None:
    refused = cloud.deploy(
        {name: naming(GHOST)[name], **(BUCKET if name == "Rules" else {})}, account=TOOLING
    )

    assert message in refused.failures[name]
    assert GHOST in refused.failures[name]


def test_a_policy_that_names_somebody_passes(cloud: Cloud) -> None:
    for principal in (cloud.role(account=PRODUCTION), f"arn:aws:iam::{PRODUCTION}:root", PRODUCTION):
        made = cloud.deploy({**naming(principal), **BUCKET}, account=TOOLING)

        assert made.status == "CREATE_COMPLETE", made.failures


def test_the_apis_refuse_a_policy_that_names_nobody_too(cloud: Cloud) -> None:
    document = policy({"AWS": GHOST}, "*")
    iam, kms = cloud.client("iam", TOOLING), cloud.client("kms", TOOLING)
    s3, ecr = cloud.client("s3", TOOLING), cloud.client("ecr", TOOLING)
    s3.create_bucket(Bucket="of-nobody", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    ecr.create_repository(repositoryName="of-nobody")
    mine = cloud.role(account=TOOLING).rsplit("/", 1)[-1]
    calls: dict[str, list[Callable[[], object]]] = {
        "MalformedPolicyDocument": [
            lambda: iam.create_role(RoleName="x", AssumeRolePolicyDocument=document),
            lambda: iam.update_assume_role_policy(RoleName=mine, PolicyDocument=document),
        ],
        "MalformedPolicyDocumentException": [lambda: kms.create_key(Policy=document)],
        "MalformedPolicy": [lambda: s3.put_bucket_policy(Bucket="of-nobody", Policy=document)],
        "InvalidParameterException": [
            lambda: ecr.set_repository_policy(repositoryName="of-nobody", policyText=document)
        ],
    }
    for code, refused in calls.items():
        for call in refused:
            with pytest.raises(ClientError) as error:
                call()
            assert error.value.response["Error"]["Code"] == code


def test_images_are_pulled_from_the_account_that_allows_it(cloud: Cloud) -> None:
    ecr = cloud.client("ecr", TOOLING)
    ecr.create_repository(repositoryName="app", imageTagMutability="IMMUTABLE")
    manifest = json.dumps({"schemaVersion": 2, "layers": []})
    pushed = ecr.put_image(repositoryName="app", imageManifest=manifest, imageTag="v1")["image"]["imageId"]
    text = policy(
        {"AWS": f"arn:aws:iam::{STAGING}:root"}, ["ecr:BatchGetImage", "ecr:DescribeImages"], resource=None
    )
    ecr.set_repository_policy(repositoryName="app", policyText=text)
    named = {"registryId": TOOLING, "repositoryName": "app"}

    for account, allowed in ((STAGING, True), (PRODUCTION, False)):
        role = cloud.session(cloud.role(account=account, allow=["ecr:*"]))
        for credentials in (role, None):
            puller = cloud.client("ecr", account, credentials=credentials)
            if allowed:
                found = puller.batch_get_image(**named, imageIds=[{"imageTag": "v1"}])["images"]
                assert found[0]["imageId"] == pushed
                assert puller.describe_images(**named)["imageDetails"][0]["imageTags"] == ["v1"]
            else:
                with pytest.raises(ClientError, match="AccessDenied"):
                    puller.describe_images(**named)
            with pytest.raises(ClientError, match="AccessDenied"):
                puller.put_image(**named, imageManifest=manifest, imageTag="v2")

    weak = cloud.session(cloud.role(account=STAGING, allow=["s3:*"]))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("ecr", STAGING, credentials=weak).describe_images(**named)


def test_a_key_of_another_account_obeys_its_policy(cloud: Cloud) -> None:
    friend, stranger = (cloud.role(account=STAGING, allow=["kms:*"]) for _ in range(2))
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{TOOLING}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    uses = {"Effect": "Allow", "Principal": {"AWS": friend}, "Action": "kms:Encrypt", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [root, uses]})
    key = cloud.client("kms", TOOLING).create_key(Policy=document)["KeyMetadata"]["Arn"]

    cloud.client("kms", STAGING, credentials=cloud.session(friend)).encrypt(KeyId=key, Plaintext=b"x")

    for credentials in (cloud.session(stranger), None):
        with pytest.raises(ClientError, match="AccessDenied"):
            cloud.client("kms", STAGING, credentials=credentials).encrypt(KeyId=key, Plaintext=b"x")


@pytest.mark.parametrize("account", [STAGING, TOOLING])
def test_a_role_for_a_service_is_refused_to_every_accounts_root(cloud: Cloud, account: str) -> None:
    role = cloud.role(trust={"Service": "ecs-tasks.amazonaws.com"})

    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.session(role, account=account)


def test_a_role_for_one_name_server_record_writes_no_other(cloud: Cloud) -> None:
    route53 = cloud.client("route53", SHARED)
    zone = route53.create_hosted_zone(Name="scoped.example", CallerReference="scoped")["HostedZone"]["Id"]
    role = cloud.role(account=SHARED, trust={"AWS": STAGING})
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "route53:ChangeResourceRecordSets",
                "Resource": "*",
                "Condition": {
                    "ForAllValues:StringEquals": {
                        "route53:ChangeResourceRecordSetsRecordTypes": ["NS"],
                        "route53:ChangeResourceRecordSetsActions": ["UPSERT", "DELETE"],
                        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["a.scoped.example"],
                    }
                },
            }
        ],
    }
    cloud.client("iam", SHARED).put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="OneName", PolicyDocument=json.dumps(document)
    )
    delegate = cloud.client("route53", STAGING, credentials=cloud.session(role, account=STAGING))

    def write(action: str, name: str, record_type: str, value: str) -> None:
        record = {"Name": name, "Type": record_type, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        delegate.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        )

    write("UPSERT", "A.scoped.example.", "NS", "ns-1.example")
    for action, name, record_type, value in (
        ("UPSERT", "b.scoped.example", "NS", "ns-1.example"),
        ("UPSERT", "a.scoped.example", "A", "192.0.2.1"),
        ("CREATE", "a.scoped.example", "NS", "ns-1.example"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            write(action, name, record_type, value)


def test_a_bucket_policy_lets_in_the_roles_of_other_accounts_that_it_names(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3", TOOLING), "named-roles-alone"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    named, other = (cloud.role(allow=["s3:GetObject"]) for _ in range(2))
    document = policy({"AWS": named}, "s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*")
    s3.put_bucket_policy(Bucket=bucket, Policy=document)
    s3.put_object(Bucket=bucket, Key="key", Body=b"content")

    def read(role: str) -> Any:
        client = cloud.client("s3", STAGING, credentials=cloud.session(role))
        return client.get_object(Bucket=bucket, Key="key")["Body"].read()

    assert read(named) == b"content"
    with pytest.raises(ClientError, match="AccessDenied"):
        read(other)
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("s3", STAGING).get_object(Bucket=bucket, Key="key")


@pytest.mark.parametrize(("operator", "allowed"), [("StringEquals", False), ("StringNotEquals", True)])
def test_a_bucket_belongs_to_the_account_that_made_it(cloud: Cloud, operator: str, *, allowed: bool) -> None:
    s3, bucket = cloud.client("s3", TOOLING), f"owned-by-tooling-{operator.lower()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    role = cloud.role()
    document = json.loads(policy(None, "s3:GetObject"))
    document["Statement"][0]["Condition"] = {operator: {"s3:ResourceAccount": STAGING}}
    cloud.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="p", PolicyDocument=json.dumps(document)
    )
    s3.put_bucket_policy(
        Bucket=bucket, Policy=policy({"AWS": role}, "s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*")
    )
    s3.put_object(Bucket=bucket, Key="key", Body=b"content")
    client = cloud.client("s3", STAGING, credentials=cloud.session(role))

    if allowed:
        assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == b"content"
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            client.get_object(Bucket=bucket, Key="key")


def test_a_bucket_policy_lets_another_account_list_below_one_prefix_alone(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3", TOOLING), "listed-below-one-prefix"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    role = cloud.role(allow=["s3:ListBucket"])
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{STAGING}:root"},
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{bucket}",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": role}, "StringLike": {"s3:prefix": "Staging/*"}},
    }
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    s3.put_object(Bucket=bucket, Key="Staging/record", Body=b"")
    stranger = cloud.role(allow=["s3:ListBucket"])

    def listed(reader: str, prefix: str) -> int:
        client = cloud.client("s3", credentials=cloud.session(reader))
        return int(client.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"])

    assert listed(role, "Staging/") == 1
    for reader, prefix in ((role, "Production/"), (role, ""), (stranger, "Staging/")):
        with pytest.raises(ClientError, match="AccessDenied"):
            listed(reader, prefix)
