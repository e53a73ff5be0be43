"""What run-time tools and people find in SSM, as `/<StageName>/<Name>`."""

import re

import pytest

from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize

EVERYWHERE = {
    "Network": {"VpcId", "PrivateSubnetIds", "ClusterName"}
    | {f"{name}SecurityGroupId" for name in ("Alb", "Web", "Workers", "Release", "Database")},
    "Dns": {"HostedZoneId", "Domain"},
    "Database": {"DatabaseHost", "DatabasePort", "DatabaseName", "DatabaseSecretName"},
    "Media": {"MediaBucketName"},
    "Queues": {"QueueUrl", "DeadLetterQueueUrl"},
    "StaticFiles": {"StaticBucketName", "StaticUrl", "DistributionId", "DistributionDomainName"},
    "Parameters": {"DjangoSecretKeyName", "DatabaseUserSecretName"},
    "Release": {"ReleaseTaskDefinition", "ReleaseTaskRoleArn", "ReleaseExecutionRoleArn", "ReleaseLogGroup"}
    | {"ContainerName", "ReleaseVariables", "ReleaseSecretVariables"},
    "OneOff": {"OneOffBucketName"},
    "Web": {"WebServiceName", "WebTaskDefinition", "WebTaskRoleArn", "WebExecutionRoleArn", "WebLogGroup"}
    | {"LoadBalancerDnsName"},
    "Workers": {"WorkerServiceName", "WorkerTaskDefinition", "WorkerTaskRoleArn", "WorkerLogGroup"}
    | {"BeatServiceName", "BeatTaskDefinition", "BeatTaskRoleArn", "BeatLogGroup"},
}


def _published(assembly: Assembly, stage_name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for stack in assembly.in_stage(stage_name):
        for parameter in stack.resources("AWS::SSM::Parameter"):
            prefix, name = parameter.text("Name").rsplit("/", 1)
            assert prefix == f"/{stage_name}"
            found.setdefault(stack.id, set()).add(name)
    return found


@pytest.mark.parametrize("stage_name", [documents.STAGING, documents.PRODUCTION])
def test_everything_that_is_needed_later_is_published(organization: Assembly, stage_name: str) -> None:
    assert _published(organization, stage_name) == EVERYWHERE


def test_without_workers_nothing_is_said_of_them(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.bare())
    expected = {name: names for name, names in EVERYWHERE.items() if name not in {"Queues", "Workers"}}
    assert _published(assembly, documents.STAGING) == expected
    assert f"{documents.STAGING}-Workers" not in assembly.stacks
    assert f"{documents.STAGING}-Queues" not in assembly.stacks


def test_without_beat_nothing_is_said_of_it(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.tuned())
    assert _published(assembly, documents.STAGING)["Workers"] == {
        name for name in EVERYWHERE["Workers"] if name.startswith("Worker")
    }


def test_values_are_plain_text_that_leads_somewhere(organization: Assembly) -> None:
    for parameter in organization.resources("AWS::SSM::Parameter"):
        assert parameter.get("Type") == "String"
        value = parameter.text("Value")
        assert value, parameter
        assert "is missing" not in value


def test_subnets_are_published_as_a_list(organization: Assembly) -> None:
    network = organization[f"{documents.STAGING}-Network"]
    value = network.parameter(f"/{documents.STAGING}/PrivateSubnetIds")
    assert re.fullmatch(r"(\$\{MyDjangoAppStaging-Network/VpcPrivateSubnet\w+\},?){2}", value)


def test_secrets_are_published_by_name_and_the_names_are_theirs(organization: Assembly) -> None:
    parameters = organization[f"{documents.STAGING}-Parameters"]
    names = {secret.get("Name") for secret in parameters.resources("AWS::SecretsManager::Secret")}
    assert names == {f"/{documents.STAGING}/DjangoSecretKey", f"/{documents.STAGING}/DatabaseUser"}
