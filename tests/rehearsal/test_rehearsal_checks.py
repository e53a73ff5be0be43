"""Each check of a rehearsal, seen to hold, and seen to fail once the thing that it checks is broken."""

import dataclasses
import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from config import load
from rehearsal import checks
from rehearsal.checks import Check, Deployed
from rehearsal.emulator import Emulator
from tests.rehearsal.rehearsed import rehearse_with

pytestmark = pytest.mark.rehearsal


TRUST_OF_NOBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:role/was-never-made"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def problems(found: tuple[list[str], str]) -> str:
    return "\n".join(found[0])


def shared(deployed: Deployed) -> str:
    return deployed.configuration.accounts.shared_services


def test_a_stack_that_is_not_complete_is_named(deployed: Deployed) -> None:
    broken = dataclasses.replace(deployed.states[0], status="UPDATE_ROLLBACK_COMPLETE")
    found = checks.stacks_complete(dataclasses.replace(deployed, states=[broken, *deployed.states[1:]]))
    assert "UPDATE_ROLLBACK_COMPLETE" in problems(found)


def test_an_undelegated_and_a_foreign_name_server_record_are_found(deployed: Deployed) -> None:
    emulator = deployed.emulator
    route53 = emulator.client("route53", shared(deployed))
    zone_id = checks._zone_id(route53, deployed.configuration.organization.domain)
    stray = {
        "Name": "stray.acme.example",
        "Type": "NS",
        "TTL": 300,
        "ResourceRecords": [{"Value": "ns-1.awsdns-1.com"}],
    }
    for action, expected in (("UPSERT", "stray.acme.example is delegated"), ("DELETE", "")):
        route53.change_resource_record_sets(
            HostedZoneId=zone_id,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": stray}]},
        )
        assert expected in problems(checks.parent_zone_is_exact(deployed))
    assert problems(checks.parent_zone_is_exact(deployed)) == ""
    fewer = dataclasses.replace(deployed, stages=deployed.stages[:1])
    assert "www.acme.example is delegated and no environment's" in problems(
        checks.parent_zone_is_exact(fewer)
    )


def test_a_bootstrap_role_that_trusts_a_stranger_is_found(deployed: Deployed) -> None:
    account = deployed.stages[0].account_id
    role = deployed.names.bootstrap_role_arn(account, "deploy-role").rpartition("/")[2]
    iam = deployed.emulator.client("iam", account)
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    opened = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": checks.UNTRUSTED_ACCOUNT}, "Action": "sts:AssumeRole"}
        ],
    }
    assert problems(checks.strangers_are_refused(deployed)) == ""
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
    try:
        assert f"{checks.UNTRUSTED_ACCOUNT} could assume" in problems(checks.strangers_are_refused(deployed))
        assert account in problems(checks.tooling_is_trusted(deployed))
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    assert problems(checks.tooling_is_trusted(deployed)) == ""


def test_a_bootstrap_role_that_trusts_another_environment_is_found(deployed: Deployed) -> None:
    staging, production = (stage.account_id for stage in deployed.stages)
    role = deployed.names.bootstrap_role_arn(production, "file-publishing-role").rpartition("/")[2]
    iam = deployed.emulator.client("iam", production)
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    opened = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": staging}, "Action": "sts:AssumeRole"}],
    }
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
    try:
        assert f"{staging} could assume" in problems(checks.workloads_are_refused(deployed))
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    assert problems(checks.workloads_are_refused(deployed)) == ""


def test_a_delegation_role_that_may_write_every_record_is_found(deployed: Deployed) -> None:
    role = deployed.names.delegation_role(deployed.stages[0].key)
    iam = deployed.emulator.client("iam", shared(deployed))
    wide = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "*"}],
    }
    assert problems(checks.delegation_is_scoped(deployed)) == ""
    iam.put_role_policy(RoleName=role, PolicyName="Wide", PolicyDocument=json.dumps(wide))
    try:
        assert "could write the NS record of www.acme.example" in problems(
            checks.delegation_is_scoped(deployed)
        )
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Wide")


def test_an_environment_that_runs_another_image_is_found(deployed: Deployed) -> None:
    other = dataclasses.replace(deployed.images[0], digest=f"sha256:{'1' * 64}")
    assert problems(checks.one_digest(deployed)) == ""
    assert "MyDjangoAppStaging-release runs" in problems(
        checks.one_digest(dataclasses.replace(deployed, images=[other]))
    )


def test_a_registry_that_is_open_to_strangers_is_found(deployed: Deployed) -> None:
    ecr = deployed.emulator.client("ecr", deployed.configuration.accounts.tooling)
    repository = deployed.images[0].repository
    policy = ecr.get_repository_policy(repositoryName=repository)["policyText"]
    opened = json.loads(policy)
    opened["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{checks.UNTRUSTED_ACCOUNT}:root"},
            "Action": ["ecr:BatchGetImage"],
        }
    )
    assert problems(checks.registry_is_scoped(deployed)) == ""
    ecr.set_repository_policy(repositoryName=repository, policyText=json.dumps(opened))
    try:
        assert f"{checks.UNTRUSTED_ACCOUNT} could pull" in problems(checks.registry_is_scoped(deployed))
    finally:
        ecr.set_repository_policy(repositoryName=repository, policyText=policy)


def test_a_parameter_that_is_gone_is_found(deployed: Deployed) -> None:
    ssm = deployed.emulator.client("ssm", deployed.stages[0].account_id)
    name = "/MyDjangoAppStaging/VpcId"
    value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    assert problems(checks.parameters_are_there(deployed)) == ""
    ssm.delete_parameter(Name=name)
    try:
        assert f"{name} is missing" in problems(checks.parameters_are_there(deployed))
    finally:
        ssm.put_parameter(Name=name, Value=value, Type="String")


def test_a_check_that_cannot_run_fails_instead_of_passing(deployed: Deployed) -> None:
    class Broken(Emulator):
        def client(self, *_: object, **__: object) -> object:
            raise EndpointConnectionError(endpoint_url="https://127.0.0.1:1")

    broken = Broken(directory=deployed.emulator.directory, region="eu-west-1", accounts=())
    found: list[Check] = list(checks.run_checks(dataclasses.replace(deployed, emulator=broken)))
    assert [check.name for check in found if check.passed] == [found[0].name]  # looks at the states alone


def test_a_failing_resource_is_named_with_its_reason_and_nothing_else() -> None:
    def plant(template: dict[str, Any]) -> None:
        template["Resources"]["Planted"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": json.loads(TRUST_OF_NOBODY)},
        }

    configuration = load()
    stage = configuration.find_stage("staging")
    report = rehearse_with(configuration, [stage], f"{stage.stage_name}/Queues", plant)

    assert not report.passed
    assert [failure.resource for failure in report.failures] == ["Planted"]
    assert "AWS::IAM::Role" in str(report.failures[0])
    assert "Invalid principal in policy" in str(report.failures[0])


def test_a_release_task_that_fails_stops_the_rehearsal_with_its_log_and_before_what_serves() -> None:
    def plant(template: dict[str, Any]) -> None:
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::ECS::TaskDefinition":
                resource["Properties"]["ContainerDefinitions"][0]["Command"] = ["bin/release", "planted"]

    configuration = load()
    stage = configuration.find_stage("staging")
    report = rehearse_with(configuration, [stage], f"{stage.stage_name}/Release", plant)

    assert not report.passed
    assert "the release task of" in report.problem
    assert "exit code 2" in report.problem
    assert "invalid choice: 'planted'" in report.problem
    names = {state.stack.path.rpartition("/")[2] for state in report.states}
    assert "Release" in names
    assert "Web" not in names
