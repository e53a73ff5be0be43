"""The database: sizes from the configuration, encryption, and who may connect."""

import pytest

from tests import documents
from tests.assembly import Assembly, Resource
from tests.conftest import Synthesize


def _cluster(assembly: Assembly, stage_name: str) -> Resource:
    return assembly[f"{stage_name}-Database"].resource("AWS::RDS::DBCluster")


@pytest.fixture(params=[documents.STAGING, documents.PRODUCTION])
def cluster(organization: Assembly, request: pytest.FixtureRequest) -> Resource:
    """The cluster of each environment."""
    return _cluster(organization, request.param)


def test_staging_sleeps_and_can_be_torn_down(organization: Assembly) -> None:
    cluster = _cluster(organization, documents.STAGING)
    assert cluster.get("ServerlessV2ScalingConfiguration") == {
        "MinCapacity": 0,
        "MaxCapacity": 2,
        "SecondsUntilAutoPause": 300,
    }
    assert cluster.get("BackupRetentionPeriod") == 1
    assert cluster.get("DeletionProtection") is False


def test_production_never_sleeps_and_is_protected(organization: Assembly) -> None:
    cluster = _cluster(organization, documents.PRODUCTION)
    assert cluster.get("ServerlessV2ScalingConfiguration") == {"MinCapacity": 0.5, "MaxCapacity": 8}
    assert cluster.get("BackupRetentionPeriod") == 14
    assert cluster.get("DeletionProtection") is True


def test_sizes_follow_the_configuration(synthesize: Synthesize) -> None:
    cluster = _cluster(synthesize(documents.tuned()), documents.STAGING)
    assert cluster.get("ServerlessV2ScalingConfiguration") == {"MinCapacity": 1, "MaxCapacity": 4.5}
    assert cluster.get("BackupRetentionPeriod") == 3
    assert cluster.get("DeletionProtection") is True


@pytest.mark.parametrize(("stage_name", "instances"), [(documents.STAGING, 1), (documents.PRODUCTION, 2)])
def test_production_has_a_second_instance(organization: Assembly, stage_name: str, instances: int) -> None:
    found = organization[f"{stage_name}-Database"].resources("AWS::RDS::DBInstance")
    assert len(found) == instances
    assert {each.get("DBInstanceClass") for each in found} == {"db.serverless"}
    assert {each.get("PubliclyAccessible") for each in found} == {False}
    assert {each.get("PromotionTier") for each in found} <= {0, 1}, "scales with the writer"


def test_the_database_is_encrypted_and_speaks_tls_alone(cluster: Resource) -> None:
    assert cluster.get("StorageEncrypted") is True
    parameters = cluster.stack.resource("AWS::RDS::DBClusterParameterGroup")
    assert parameters.get("Parameters", "rds.force_ssl") == "1"
    reference = f"${{{cluster.stack.name}/{parameters.logical_id}}}"
    assert cluster.text("DBClusterParameterGroupName") == reference


def test_idle_sessions_end_where_they_would_keep_the_database_awake(organization: Assembly) -> None:
    timeouts = {
        stage: organization[f"{stage}-Database"]
        .resource("AWS::RDS::DBClusterParameterGroup")
        .get("Parameters", "idle_session_timeout")
        for stage in (documents.STAGING, documents.PRODUCTION)
    }
    assert timeouts == {documents.STAGING: "60000", documents.PRODUCTION: None}


def test_the_database_is_in_the_private_subnets_behind_its_own_group(cluster: Resource) -> None:
    (group,) = cluster.get("VpcSecurityGroupIds")
    assert "/SecurityGroupsDatabase" in cluster.stack.text(group)
    subnets = cluster.stack.resource("AWS::RDS::DBSubnetGroup").get("SubnetIds")
    assert len(subnets) == 2
    assert all("/VpcPrivateSubnet" in cluster.stack.text(subnet) for subnet in subnets)


def test_rds_itself_makes_and_rotates_the_master_password(cluster: Resource) -> None:
    assert cluster.get("ManageMasterUserPassword") is True
    assert cluster.get("MasterUsername") == "dbadmin"
    assert cluster.get("EnableIAMDatabaseAuthentication") is True
    assert not cluster.stack.resources("AWS::SecretsManager::RotationSchedule")


def test_the_log_group_is_there_before_rds_would_make_one_without_retention(cluster: Resource) -> None:
    group = cluster.stack.resource("AWS::Logs::LogGroup")
    identifier = cluster.get("DBClusterIdentifier")
    assert group.get("LogGroupName") == f"/aws/rds/cluster/{identifier}/postgresql"
    assert group.logical_id in cluster.body["DependsOn"]
    assert cluster.get("EnableCloudwatchLogsExports") == ["postgresql"]


def test_backups_carry_the_tags(cluster: Resource) -> None:
    assert cluster.get("CopyTagsToSnapshot") is True


def test_where_the_database_is_and_where_its_secret_is_are_published(cluster: Resource) -> None:
    stack, own = cluster.stack, f"${{{cluster.stack.name}/{cluster.logical_id}"
    assert stack.parameter(f"/{stack.stage}/DatabaseHost") == f"{own}.Endpoint.Address}}"
    assert stack.parameter(f"/{stack.stage}/DatabasePort") == "5432"
    assert stack.parameter(f"/{stack.stage}/DatabaseName") == "django"
    assert stack.parameter(f"/{stack.stage}/DatabaseSecretName") == f"{own}.MasterUserSecret.SecretArn}}"
