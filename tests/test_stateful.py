"""What holds data: it keeps its identity, outlives mistakes, and lives apart from what is replaced every day."""

import copy
import json
from pathlib import Path

import pytest

from compliance.rules.data import STATEFUL
from tests import documents
from tests.assembly import Assembly

PINNED = Path(__file__).with_name("stateful_logical_ids.json")
STATELESS = (
    "AWS::CloudWatch::Alarm",
    "AWS::EC2::VPC",
    "AWS::ECS::Cluster",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
)
WHAT_A_CHANGE_MEANS = f"""
The logical ids of resources that hold data differ from {PINNED.name}.

To CloudFormation a resource with another logical id, or in another stack, is another resource: it makes a new, EMPTY
one. The old one is deleted with its data in staging; in production it stays behind (the database as a snapshot) and
nothing uses it any more. Renaming a construct, moving it into another one or renaming a stage is enough for that.

If you did not mean it, restore the construct's id. If you did, plan how the data gets across, write it into the
change log, and then correct {PINNED.name}.
"""


def test_resources_with_data_keep_their_logical_ids(organization: Assembly) -> None:
    found = {
        stack.name: ids
        for stack in organization.stacks.values()
        if (ids := {each.logical_id: each.type for each in stack.resources(*STATEFUL)})
    }
    assert found == json.loads(PINNED.read_text(encoding="utf-8")), WHAT_A_CHANGE_MEANS


def _mixed(assembly: Assembly) -> set[str]:
    """Name the stacks that hold data and also something that is replaced with every release."""
    return {
        stack.name
        for stack in assembly.stacks.values()
        if stack.resources(*STATEFUL) and stack.resources(*STATELESS)
    }


def test_what_holds_data_and_what_runs_never_share_a_stack(every_organization: Assembly) -> None:
    assert not _mixed(every_organization)


def test_the_check_of_mixed_stacks_finds_one(organization: Assembly) -> None:
    broken = copy.deepcopy(organization)
    web = broken[f"{documents.STAGING}-Web"].template["Resources"]
    web["Uploads"] = {"Type": "AWS::S3::Bucket"}
    assert _mixed(broken) == {f"{documents.STAGING}-Web"}


def _policies(assembly: Assembly, stage: str) -> dict[str, set[tuple[str, str]]]:
    """Map each type with data to what becomes of it when it leaves the template, and when it is replaced."""
    found: dict[str, set[tuple[str, str]]] = {}
    for stack in assembly.in_stage(stage):
        for resource in stack.resources(*STATEFUL):
            policies = resource.body["DeletionPolicy"], resource.body["UpdateReplacePolicy"]
            found.setdefault(resource.type.rpartition("::")[2], set()).add(policies)
    return found


def test_production_keeps_its_data(organization: Assembly) -> None:
    # Not when the creation itself is rolled back: the next try would find the name taken.
    kept = {("RetainExceptOnCreate", "Retain")}
    assert _policies(organization, documents.PRODUCTION) == {
        "Bucket": kept,
        "DBCluster": {("Snapshot", "Snapshot")},
        "DBInstance": {("Delete", "Delete")},  # the data is the cluster's
        "HostedZone": kept,
        "Queue": kept,
        "Secret": kept,
    }


def test_staging_leaves_nothing_behind(organization: Assembly) -> None:
    found = _policies(organization, documents.STAGING)
    assert set(found) == {"Bucket", "DBCluster", "DBInstance", "HostedZone", "Queue", "Secret"}
    assert all(policies == {("Delete", "Delete")} for policies in found.values())


def test_the_parent_zone_and_the_images_are_kept(organization: Assembly) -> None:
    assert _policies(organization, "SharedServices") == {"HostedZone": {("Retain", "Retain")}}
    assert _policies(organization, "")["Repository"] == {("RetainExceptOnCreate", "Retain")}


@pytest.mark.parametrize(
    ("stage", "policy"), [(documents.STAGING, "Delete"), (documents.PRODUCTION, "RetainExceptOnCreate")]
)
def test_logs_of_an_environment_are_kept_in_production_alone(
    organization: Assembly, stage: str, policy: str
) -> None:
    groups = [
        each for stack in organization.in_stage(stage) for each in stack.resources("AWS::Logs::LogGroup")
    ]
    assert len(groups) >= 6
    assert {each.body["DeletionPolicy"] for each in groups} == {policy}
