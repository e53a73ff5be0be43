"""Resource types as an application meets them: databases, tasks, secrets, zones and certificates."""

import json
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import pytest

from tests.rehearsal.conftest import PRODUCTION, SHARED, STAGING, Cloud

pytestmark = pytest.mark.rehearsal


def test_a_cluster_has_the_endpoint_and_the_secret_that_its_stack_hands_on(cloud: Cloud) -> None:
    resources = {
        "Cluster": {
            "Type": "AWS::RDS::DBCluster",
            "Properties": {
                "Engine": "aurora-postgresql",
                "EngineVersion": "17.5",
                "DatabaseName": "app",
                "MasterUsername": "owner",
                "ManageMasterUserPassword": True,
                "EnableIAMDatabaseAuthentication": True,
                "StorageEncrypted": True,
                "ServerlessV2ScalingConfiguration": {"MinCapacity": 0, "MaxCapacity": 2},
                "Tags": [{"Key": "a", "Value": "b"}],
            },
        },
        "Writer": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {
                "DBClusterIdentifier": {"Ref": "Cluster"},
                "DBInstanceClass": "db.serverless",
                "Engine": "aurora-postgresql",
            },
        },
    }
    attributes = ("Endpoint.Address", "Endpoint.Port", "MasterUserSecret.SecretArn", "DBClusterResourceId")
    outputs = {name.replace(".", ""): {"Fn::GetAtt": ["Cluster", name]} for name in attributes}

    made = cloud.deploy(resources, outputs=outputs)

    assert made.status == "CREATE_COMPLETE", made.failures
    rds = cloud.client("rds")
    cluster = rds.describe_db_clusters(DBClusterIdentifier=made.ids["Cluster"])["DBClusters"][0]
    assert made.outputs["EndpointAddress"] == cluster["Endpoint"]
    assert ip_address(cluster["Endpoint"]).is_loopback  # a name would resolve nowhere
    assert made.outputs["EndpointPort"] == str(cluster["Port"]) == "5432"
    assert made.outputs["DBClusterResourceId"] == cluster["DbClusterResourceId"]
    assert [member["DBInstanceIdentifier"] for member in cluster["DBClusterMembers"]] == [made.ids["Writer"]]
    value = cloud.client("secretsmanager").get_secret_value(
        SecretId=made.outputs["MasterUserSecretSecretArn"]
    )
    assert json.loads(value["SecretString"])["username"] == "owner"

    resources["Cluster"]["Properties"]["BackupRetentionPeriod"] = 7  # type: ignore[index]
    changed = cloud.deploy(resources, name=made.name, outputs=outputs)

    assert changed.status == "UPDATE_COMPLETE", changed.failures
    assert changed.outputs == made.outputs
    cloud.delete(made)
    assert rds.describe_db_clusters()["DBClusters"] == []


def service(image: str) -> dict[str, Any]:
    """A Fargate service with a secret."""
    return {
        "Key": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True}},
        },
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Providers": {
            "Type": "AWS::ECS::ClusterCapacityProviderAssociations",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "DefaultCapacityProviderStrategy": [],
            },
        },
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "web",
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "RuntimePlatform": {"CpuArchitecture": "ARM64"},
                "ContainerDefinitions": [
                    {"Name": "web", "Image": image, "Secrets": [{"Name": "KEY", "ValueFrom": {"Ref": "Key"}}]}
                ],
            },
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Task"},
                "DesiredCount": 0,  # its image is nowhere
                "EnableExecuteCommand": True,
                "HealthCheckGracePeriodSeconds": 30,
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}},
                "Tags": [{"Key": "a", "Value": "b"}],
            },
        },
    }


def test_a_service_keeps_all_of_its_definition(cloud: Cloud) -> None:
    made = cloud.deploy(service("one"), outputs={"Key": {"Ref": "Key"}})

    assert made.status == "CREATE_COMPLETE", made.failures
    ecs = cloud.client("ecs")
    task = ecs.describe_task_definition(taskDefinition=made.ids["Task"])["taskDefinition"]
    assert task["runtimePlatform"] == {"cpuArchitecture": "ARM64"}
    assert task["containerDefinitions"][0]["secrets"] == [{"name": "KEY", "valueFrom": made.outputs["Key"]}]
    cluster = ecs.describe_clusters(clusters=[made.ids["Cluster"]])["clusters"][0]
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    running = ecs.describe_services(cluster=made.ids["Cluster"], services=[made.ids["Service"]])["services"][
        0
    ]
    assert running["serviceArn"] == made.ids["Service"]
    assert running["healthCheckGracePeriodSeconds"] == 30
    assert running["enableExecuteCommand"]
    assert [deployment["rolloutState"] for deployment in running["deployments"]] == ["COMPLETED"]

    changed = cloud.deploy(service("two"), name=made.name, outputs={"Key": {"Ref": "Key"}})

    assert changed.status == "UPDATE_COMPLETE", changed.failures
    assert changed.ids["Task"] == made.ids["Task"].replace(":1", ":2")
    old = ecs.describe_task_definition(taskDefinition=made.ids["Task"])["taskDefinition"]
    assert old["status"] == "INACTIVE"
    running = ecs.describe_services(cluster=made.ids["Cluster"], services=[made.ids["Service"]])["services"][
        0
    ]
    assert running["taskDefinition"] == changed.ids["Task"]


def test_a_generated_secret_follows_its_recipe(cloud: Cloud) -> None:
    recipe = {
        "SecretStringTemplate": '{"username": "django"}',
        "GenerateStringKey": "password",
        "PasswordLength": 40,
        "ExcludePunctuation": True,
    }
    resources: dict[str, Any] = {
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "/app/user", "GenerateSecretString": recipe},
        }
    }

    made = cloud.deploy(resources)

    assert made.ids["Secret"].startswith(f"arn:aws:secretsmanager:eu-west-1:{STAGING}:secret:/app/user-")
    manager = cloud.client("secretsmanager")
    value = json.loads(manager.get_secret_value(SecretId=made.ids["Secret"])["SecretString"])
    assert value["username"] == "django"
    assert len(value["password"]) == 40
    assert value["password"].isalnum()

    resources["Secret"]["Properties"]["Description"] = "of the application"
    assert cloud.deploy(resources, name=made.name).status == "UPDATE_COMPLETE"

    kept = manager.get_secret_value(SecretId=made.ids["Secret"])["SecretString"]
    assert json.loads(kept) == value


def zone(name: str) -> Mapping[str, Any]:
    return {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": name}}}


def certificate(name: str, zone_id: Any) -> Mapping[str, Any]:
    options = [{"DomainName": name, "HostedZoneId": zone_id}]
    return {
        "Certificate": {
            "Type": "AWS::CertificateManager::Certificate",
            "Properties": {"DomainName": name, "ValidationMethod": "DNS", "DomainValidationOptions": options},
        }
    }


def test_a_certificate_waits_for_its_zones_delegation(cloud: Cloud) -> None:
    parent = cloud.deploy(zone("acme.example"), account=SHARED)
    servers = {"Servers": {"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}}
    child = cloud.deploy(zone("www.acme.example"), account=PRODUCTION, outputs=servers)
    delegation_set = cloud.client("route53", PRODUCTION).get_hosted_zone(Id=child.ids["Zone"])[
        "DelegationSet"
    ]
    assert child.outputs["Servers"].split(",") == [s.rstrip(".") for s in delegation_set["NameServers"]]

    early = cloud.deploy(certificate("www.acme.example", child.ids["Zone"]), account=PRODUCTION)

    assert "acme.example in account 222222222222 has no NS record" in early.failures["Certificate"]
    record = {
        "Record": {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {
                "HostedZoneId": parent.ids["Zone"],
                "Name": "www.acme.example",
                "Type": "NS",
                "TTL": "300",
                "ResourceRecords": child.outputs["Servers"].split(","),
            },
        }
    }
    assert cloud.deploy(record, account=SHARED).status == "CREATE_COMPLETE"

    # The content network's certificate is in another region; zones have none.
    issued = cloud.deploy(
        certificate("static.www.acme.example", child.ids["Zone"]), account=PRODUCTION, region="us-east-1"
    )

    assert issued.status == "CREATE_COMPLETE", issued.failures
    acm = cloud.client("acm", PRODUCTION, region="us-east-1")
    described = acm.describe_certificate(CertificateArn=issued.ids["Certificate"])["Certificate"]
    assert described["Status"] == "ISSUED"
    records = cloud.client("route53", PRODUCTION).list_resource_record_sets(HostedZoneId=child.ids["Zone"])
    assert any("acm-validations.aws" in str(item) for item in records["ResourceRecordSets"])


def test_a_certificate_in_a_zone_that_does_not_exist_fails(cloud: Cloud) -> None:
    refused = cloud.deploy(certificate("x.example", "Z0000000000000"))

    assert "there is no hosted zone Z0000000000000" in refused.failures["Certificate"]


def test_a_failed_stack_says_which_resource_and_why(cloud: Cloud) -> None:
    resources = {
        "Good": {"Type": "AWS::SQS::Queue"},
        "Late": {
            "Type": "AWS::RDS::DBInstance",
            "DependsOn": "Good",
            "Properties": {
                "Engine": "aurora-postgresql",
                "DBInstanceClass": "db.serverless",
                "DBClusterIdentifier": "no",
            },
        },
    }

    failed = cloud.deploy(resources)

    assert failed.status == "ROLLBACK_COMPLETE"
    assert list(failed.failures) == ["Late"]
    assert "DBClusterNotFound" in failed.failures["Late"]


RECORDED: Mapping[str, Mapping[str, Any]] = {
    "Target": {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "ResourceId": "table/t",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
            "ServiceNamespace": "dynamodb",
            "MinCapacity": 1,
            "MaxCapacity": 2,
        },
    },
    "Policy": {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {"PolicyName": "p", "PolicyType": "StepScaling", "ScalingTargetId": {"Ref": "Target"}},
    },
    "Alarm": {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "AlarmActions": [{"Ref": "Policy"}],
            "Metrics": [{"Id": "e", "Expression": "1 + 1", "ReturnData": True}],
        },
    },
    "Connection": {
        "Type": "AWS::CodeConnections::Connection",
        "Properties": {"ConnectionName": "c", "ProviderType": "GitHub"},
    },
}


def test_recorded_types_have_ids_and_attributes(cloud: Cloud) -> None:
    outputs = {
        "Arn": {"Fn::GetAtt": ["Connection", "ConnectionArn"]},
        "Alarm": {"Fn::GetAtt": ["Alarm", "Arn"]},
    }

    made = cloud.deploy(RECORDED, outputs=outputs)

    assert made.status == "CREATE_COMPLETE", made.failures
    assert made.ids["Target"] == "table/t|dynamodb:table:ReadCapacityUnits|dynamodb"
    assert made.ids["Policy"].endswith(":resource/dynamodb/table/t:policyName/p")
    assert made.outputs["Arn"] == made.ids["Connection"]
    assert made.outputs["Alarm"].endswith(made.ids["Alarm"])
    tagged = {**RECORDED["Connection"]["Properties"], "Tags": [{"Key": "k", "Value": "v"}]}
    changed = cloud.deploy(
        {**RECORDED, "Connection": {**RECORDED["Connection"], "Properties": tagged}},
        name=made.name,
        outputs=outputs,
    )
    assert changed.ids == made.ids
    cloud.delete(made)


def test_a_service_linked_role_is_known_to_iam(cloud: Cloud) -> None:
    made = cloud.deploy(
        {
            "Role": {
                "Type": "AWS::IAM::ServiceLinkedRole",
                "Properties": {"AWSServiceName": "ecs.amazonaws.com"},
            }
        }
    )

    assert made.status == "CREATE_COMPLETE", made.failures
    cloud.client("iam").get_role(RoleName=made.ids["Role"])
