"""Each check of what runs, seen to hold, and seen to fail once the thing that it checks is broken."""

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from config import StageRef
from rehearsal import looking, reach_checks, running_checks
from rehearsal.checks import Deployed, Found
from rehearsal.looking import parameter
from tests.rehearsal.workload import until

pytestmark = pytest.mark.rehearsal


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SETTLE_SECONDS", 0.0)


def problems(found: Found) -> str:
    return "\n".join(found[0])


@pytest.fixture
def stage(deployed: Deployed) -> StageRef:
    return next(stage for stage in deployed.stages if stage.environment.database.auto_pause_minutes)


def with_workload(deployed: Deployed, **changes: str) -> Deployed:
    stages = [
        dataclasses.replace(stage, workload=stage.workload.model_copy(update=changes))
        for stage in deployed.stages
    ]
    return dataclasses.replace(deployed, stages=stages)


def test_a_service_outside_its_bounds_is_found(deployed: Deployed, stage: StageRef) -> None:
    ecs = deployed.emulator.client("ecs", stage.account_id)
    cluster, web = (parameter(deployed, stage, name) for name in ("ClusterName", "WebServiceName"))
    assert problems(running_checks.services_run(deployed)) == ""

    ecs.update_service(cluster=cluster, service=web, desiredCount=0)
    try:
        assert f"{web} wants 0 tasks, not 1 to 2" in problems(running_checks.services_run(deployed))
    finally:
        ecs.update_service(cluster=cluster, service=web, desiredCount=1)
    until(lambda: problems(running_checks.services_run(deployed)) == "")
    until(lambda: problems(running_checks.targets_are_healthy(deployed)) == "")


def test_targets_that_fail_their_check_are_found(deployed: Deployed, stage: StageRef) -> None:
    elb = deployed.emulator.client("elbv2", stage.account_id)
    (group,) = (item["TargetGroupArn"] for item in elb.describe_target_groups()["TargetGroups"])
    assert problems(running_checks.targets_are_healthy(deployed)) == ""

    elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/no-such-page/")
    try:
        until(lambda: "targets that are unhealthy" in problems(running_checks.targets_are_healthy(deployed)))
    finally:
        elb.modify_target_group(TargetGroupArn=group, HealthCheckPath=stage.workload.health_path)
    until(lambda: problems(running_checks.targets_are_healthy(deployed)) == "")


def test_a_health_page_that_minds_its_host_is_found(deployed: Deployed) -> None:
    assert problems(running_checks.health_answers_at_its_address(deployed)) == ""
    assert "answers 400" in problems(
        running_checks.health_answers_at_its_address(with_workload(deployed, health_path="/"))
    )


def test_a_smoke_page_that_does_not_answer_is_found(deployed: Deployed) -> None:
    assert problems(running_checks.smoke_path_answers(deployed)) == ""
    assert "answers 404" in problems(
        running_checks.smoke_path_answers(with_workload(deployed, smoke_path="/no/"))
    )


@contextmanager
def connected(deployed: Deployed, stage: StageRef, secret: str) -> Iterator["psycopg2.extensions.connection"]:
    manager = deployed.emulator.client("secretsmanager", stage.account_id)
    login = json.loads(manager.get_secret_value(SecretId=parameter(deployed, stage, secret))["SecretString"])
    connection = psycopg2.connect(
        host=parameter(deployed, stage, "DatabaseHost"),
        dbname=parameter(deployed, stage, "DatabaseName"),
        user=login["username"],
        password=login["password"],
    )
    connection.autocommit = True
    with closing(connection):
        yield connection


def test_a_table_of_the_master_s_is_found(deployed: Deployed, stage: StageRef) -> None:
    assert problems(reach_checks.application_has_its_own_user(deployed)) == ""
    with connected(deployed, stage, "DatabaseSecretName") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE made_by_the_master ()")
        try:
            assert f"the tables of {stage.key} belong to" in problems(
                reach_checks.application_has_its_own_user(deployed)
            )
        finally:
            cursor.execute("DROP TABLE made_by_the_master")


def test_a_connection_that_stays_is_found(deployed: Deployed, stage: StageRef) -> None:
    until(lambda: problems(reach_checks.idle_database_may_pause(deployed)) == "")
    with connected(deployed, stage, "DatabaseUserSecretName"):
        assert f"stays connected in {stage.key}" in problems(reach_checks.idle_database_may_pause(deployed))


def test_a_health_page_that_asks_the_database_is_found(deployed: Deployed, stage: StageRef) -> None:
    elb = deployed.emulator.client("elbv2", stage.account_id)
    (group,) = (item["TargetGroupArn"] for item in elb.describe_target_groups()["TargetGroups"])
    until(lambda: problems(reach_checks.idle_database_may_pause(deployed)) == "")

    elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/status/deep/")
    try:
        told = until(lambda: problems(reach_checks.idle_database_may_pause(deployed)))
    finally:
        elb.modify_target_group(TargetGroupArn=group, HealthCheckPath=stage.workload.health_path)
    assert f"connects in {stage.key} while nobody visits" in told


def test_a_role_that_lost_its_rights_is_found(deployed: Deployed, stage: StageRef) -> None:
    iam = deployed.emulator.client("iam", stage.account_id)
    role = parameter(deployed, stage, "WebTaskRoleArn").rpartition("/")[2]
    denied = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    assert problems(reach_checks.roles_reach_their_own(deployed)) == ""
    name = f"planted-{os.getpid()}"

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(denied))
    try:
        assert f"the web role of {stage.key} could not use bucket" in problems(
            reach_checks.roles_reach_their_own(deployed)
        )
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    assert problems(reach_checks.roles_reach_their_own(deployed)) == ""
