"""The release records: one bucket, written and read below each environment's own name alone."""

import pytest

from compliance.policies import identity_statements, policy_of
from config import Configuration
from config.naming import Names
from tests import documents
from tests.assembly import Assembly
from tests.pipeline.actions import actions, role_of

BUCKET = "arn:aws:s3:::acme-releases-111111111111-eu-west-1"
STAGES = pytest.mark.parametrize("stage_name", [documents.STAGING, documents.PRODUCTION])


def test_records_are_private_encrypted_and_keep_their_versions(organization: Assembly) -> None:
    (bucket,) = organization["Records"].resources("AWS::S3::Bucket")
    assert f"arn:aws:s3:::{bucket.get('BucketName')}" == BUCKET
    assert bucket.get("VersioningConfiguration") == {"Status": "Enabled"}
    assert set(bucket.get("PublicAccessBlockConfiguration").values()) == {True}
    assert bucket.get("BucketEncryption", "ServerSideEncryptionConfiguration")
    denied = [each for each in policy_of(bucket) if not each.allows]
    assert "aws:SecureTransport" in str([each.condition for each in denied])
    # A record is for ever; what replaced it in `current.json` goes some day, and so do approval packets.
    rules = bucket.get("LifecycleConfiguration", "Rules")
    assert [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule] == ["packets/"]


def test_the_bucket_is_there_before_the_pipeline_writes_to_it(organization: Assembly) -> None:
    assert "Records" in organization.dependencies(organization["Pipeline"])


@STAGES
def test_a_record_step_reads_and_writes_its_own_environments_records_alone(
    organization: Assembly, stage_name: str
) -> None:
    role = role_of(organization, actions(organization, stage_name)[f"Record-{stage_name}"])
    found = {
        each.actions: (each.resources, each.condition)
        for each in identity_statements(role)
        if "acme-releases" in str(each.resources)
    }
    assert found == {
        ("s3:GetObject", "s3:PutObject"): ((f"{BUCKET}/{stage_name}/*",), {}),
        ("s3:ListBucket",): ((BUCKET,), {"StringLike": {"s3:prefix": f"{stage_name}/*"}}),
    }


def test_each_environments_rollback_role_reads_its_own_records_and_nobody_else_does(
    organization: Assembly, configuration: Configuration
) -> None:
    (bucket,) = organization["Records"].resources("AWS::S3::Bucket")
    arn = f"${{Records/{bucket.logical_id}.Arn}}"
    allowed = {
        (each.principals, each.actions, each.resources, str(each.condition))
        for each in policy_of(bucket)
        if each.allows
    }
    names, stages = Names(configuration), configuration.stages()
    roles = [names.role_arn(stage.account_id, names.rollback_role(stage.key)) for stage in stages]
    principals = [f"AWS:arn:aws:iam::{stage.account_id}:root" for stage in stages]
    expected = {
        (
            (principal,),
            ("s3:GetObject",),
            (f"{arn}/{stage.stage_name}/*",),
            str({"ArnEquals": {"aws:PrincipalArn": [role]}}),
        )
        for stage, role, principal in zip(stages, roles, principals, strict=True)
    }
    every = str({"ArnEquals": {"aws:PrincipalArn": roles}})
    assert allowed == expected | {(tuple(principals), ("s3:ListBucket",), (arn,), every)}
