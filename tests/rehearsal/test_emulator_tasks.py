"""Environment files of tasks, and name servers of zones, as the emulator adds them to MiniStack."""

import uuid
from typing import Any

import pytest

from rehearsal.emulator import environment_files
from rehearsal.emulator.dns import own_name_servers
from tests.rehearsal.conftest import PRODUCTION, SHARED, STAGING, Cloud

ROLE = f"arn:aws:iam::{STAGING}:role/execution"
TASK = {"taskArn": f"arn:aws:ecs:eu-west-1:{STAGING}:task/cluster/0123"}
FILE = {"value": "arn:aws:s3:::bucket/one-off/x.env", "type": "s3"}


def definition(**container: Any) -> dict[str, Any]:
    return {"executionRoleArn": ROLE, "containerDefinitions": [{"name": "web", **container}]}


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is in the file."""
    found = {"PASSWORD": "a=b #c", "TAKEN": "file"}
    monkeypatch.setattr(environment_files, "read", lambda *_, **__: found)
    return found


def test_the_variables_of_a_file_reach_the_container_and_not_the_record(content: dict[str, str]) -> None:
    overrides = [{"name": "web", "command": ["true"], "environmentFiles": [FILE]}]

    (found,) = environment_files.resolved(TASK, definition(), overrides)

    assert found["command"] == ["true"]
    assert {one["name"]: one["value"] for one in found["environment"]} == content
    assert "environment" not in overrides[0]


@pytest.mark.parametrize(
    ("container", "override"),
    [
        ({"environment": [{"name": "TAKEN", "value": "definition"}]}, {}),
        ({"secrets": [{"name": "TAKEN", "valueFrom": "arn"}]}, {}),
        ({}, {"environment": [{"name": "TAKEN", "value": "request"}]}),
    ],
)
def test_what_is_set_otherwise_comes_before_a_file(
    content: dict[str, str], container: dict[str, Any], override: dict[str, Any]
) -> None:
    given = [{"name": "web", "environmentFiles": [FILE], **override}]

    (found,) = environment_files.resolved(TASK, definition(**container), given)

    assert {"name": "TAKEN", "value": "file"} not in found["environment"]


def test_files_of_the_definition_count_too(content: dict[str, str]) -> None:
    (found,) = environment_files.resolved(TASK, definition(environmentFiles=[FILE]), [])

    assert {"name": "PASSWORD", "value": "a=b #c"} in found["environment"]


def test_a_task_without_files_stays_as_it_is() -> None:
    overrides = [{"name": "web", "command": ["true"]}]

    assert environment_files.resolved(TASK, definition(), overrides) == overrides


def test_the_format_knows_comments_and_nothing_else() -> None:
    text = "# comment\nA=b\n\nNAME = kept  \nQUOTED='x'\nno variable\nEMPTY=\n"

    assert environment_files.parse(text) == {"A": "b", "NAME": " kept  ", "QUOTED": "'x'", "EMPTY": ""}


def test_a_role_that_does_not_exist_stops_the_task() -> None:
    with pytest.raises(ValueError, match="unable to assume the role"):
        environment_files.read(FILE["value"], role=ROLE, task_arn=TASK["taskArn"])


def test_each_zone_has_four_servers_of_its_own() -> None:
    seen = {
        server
        for account in (STAGING, PRODUCTION)
        for zone in ("a.example.", "b.example.")
        for server in own_name_servers(account, zone)
    }

    assert len(seen) == 16
    assert own_name_servers(STAGING, "a.example.") == own_name_servers(STAGING, "a.example.")


def test_a_zone_answers_with_its_servers_wherever_it_is_asked(cloud: Cloud) -> None:
    name = f"{uuid.uuid4().hex[:8]}.example"
    route53 = cloud.client("route53", SHARED)
    made = route53.create_hosted_zone(Name=name, CallerReference=name)
    zone_id = made["HostedZone"]["Id"]
    described = route53.get_hosted_zone(Id=zone_id)["DelegationSet"]["NameServers"]
    records = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    listed = [value["Value"] for one in records if one["Type"] == "NS" for value in one["ResourceRecords"]]
    (authority,) = [one["ResourceRecords"][0]["Value"] for one in records if one["Type"] == "SOA"]

    assert described == made["DelegationSet"]["NameServers"] == listed
    assert described == own_name_servers(SHARED, f"{name}.")
    assert authority.split()[0] == described[0]
