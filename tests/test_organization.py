"""Where everything goes: accounts, regions, stages, order, and what one stack reads of another."""

import ast
import copy
import re
from pathlib import Path

import pytest

from compliance.policies import trust
from config import Configuration
from tests import documents
from tests.assembly import Assembly, Stack, walk
from tests.conftest import Synthesize

ROOT = Path(__file__).parent.parent
STACK_SOURCES = [
    *sorted(ROOT.glob("shared_services/*.py")),
    *sorted(ROOT.glob("workloads/django/*.py")),
    *sorted(ROOT.glob("pipeline/*.py")),
    *sorted(ROOT.glob("compliance/*.py")),
    ROOT / "app.py",
    ROOT / "config" / "stack.py",
]
HARD_CODED = re.compile(r"\b\d{12}\b|\b(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov)?-[a-z]+-\d\b")
STATEFUL = ["Dns", "Logs", "Database", "Media", "Queues", "StaticFiles", "Parameters"]
STATELESS = [
    "Network",
    "Edge",
    "Release",
    "OneOff",
    "Web",
    "Workers",
]  # what the one-off bucket holds lives for seconds


def test_every_stack_is_in_the_account_and_region_of_its_role(organization: Assembly) -> None:
    places = {stack.name: (stack.account, stack.region) for stack in organization.stacks.values()}
    expected = {
        "Registry": ("111111111111", "eu-west-1"),
        "Records": ("111111111111", "eu-west-1"),
        "Pipeline": ("111111111111", "eu-west-1"),
        "Pipeline-support-us-east-1": ("111111111111", "us-east-1"),
        "SharedServices-Network": ("222222222222", "eu-west-1"),
        "SharedServices-Dns": ("222222222222", "eu-west-1"),
    }
    for stage, account in ((documents.STAGING, "333333333333"), (documents.PRODUCTION, "444444444444")):
        for name in STATEFUL + STATELESS:
            expected[f"{stage}-{name}"] = (account, "us-east-1" if name == "Edge" else "eu-west-1")
    assert places == expected


@pytest.mark.parametrize("variant", ["ours", "two workloads", "third environment", "us-east-1"])
def test_every_environment_is_where_the_configuration_says(synthesize: Synthesize, variant: str) -> None:
    document = documents.VARIANTS[variant]
    assembly, configuration = synthesize(document), documents.configured(document)
    home = configuration.organization.region
    for stage in configuration.stages():
        stacks = assembly.in_stage(stage.stage_name)
        assert {stack.account for stack in stacks} == {stage.account_id}
        assert {stack.region for stack in stacks if stack.id != "Edge"} == {home}
        assert {stack.region for stack in stacks if stack.id == "Edge"} == {"us-east-1"}


def test_stages_come_in_the_order_in_which_they_deploy(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    assert assembly.stages == [
        "SharedServices",
        "MyDjangoAppStaging",
        "ShopStaging",
        "MyDjangoAppProduction",
        "ShopProduction",
    ]


def test_in_the_cdn_region_nothing_crosses_regions(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.in_region("us-east-1"))
    assert {stack.region for stack in assembly.stacks.values()} == {"us-east-1"}
    assert "Pipeline-support-us-east-1" not in assembly.stacks


def test_tooling_and_shared_services_and_stateful_production_stacks_cannot_be_deleted_by_accident(
    organization: Assembly,
) -> None:
    unprotected = {stack.name for stack in organization.stacks.values() if not stack.termination_protection}
    stateless = {f"{documents.PRODUCTION}-{name}" for name in STATELESS}
    staging = {stack.name for stack in organization.in_stage(documents.STAGING)}
    assert unprotected == stateless | staging


def _dangling_outputs(assembly: Assembly) -> list[str]:
    """List what stacks read of each other and would not find, or not be allowed to read."""
    problems = []
    for stack, read in _stack_outputs(assembly):
        what = f"{stack.name} reads {read['OutputName']} of {read['StackName']}"
        producer = assembly.stacks.get(read["StackName"])
        if producer is None:
            problems.append(f"{what}: there is no such stack")
            continue
        if read["OutputName"] not in producer.outputs:
            problems.append(f"{what}: it has no such output")
        if read.get("Region", stack.region) != producer.region:
            problems.append(f"{what} in {read.get('Region')}, but it is in {producer.region}")
        if producer.account != stack.account or "RoleArn" in read:
            problems += [
                f"{what}: {problem}" for problem in _reader_problems(stack, producer, read.get("RoleArn"))
            ]
    return problems


def _stack_outputs(assembly: Assembly) -> list[tuple[Stack, dict[str, str]]]:
    return [
        (stack, value["Fn::GetStackOutput"])
        for stack in assembly.stacks.values()
        for value in walk(stack.template)
        if isinstance(value, dict) and "Fn::GetStackOutput" in value
    ]


def _reader_problems(consumer: Stack, producer: Stack, role_arn: str | None) -> list[str]:
    if role_arn is None:
        return ["another account's, without a role"]
    account, _, role_name = role_arn.removeprefix("arn:aws:iam::").partition(":role/")
    if account != producer.account:
        return [f"{role_arn} is not in its account"]
    roles = [role for role in producer.resources("AWS::IAM::Role") if role.get("RoleName") == role_name]
    if not roles:
        return [f"the stack has no role {role_name}"]
    admitted = {principal for statement in trust(roles[0]) for principal in statement.principals}
    if f"AWS:arn:aws:iam::{consumer.account}:root" not in admitted:
        return [f"{role_name} does not trust {consumer.account}"]
    return []


def test_every_output_that_a_stack_reads_exists_and_may_be_read(every_organization: Assembly) -> None:
    assert len(_stack_outputs(every_organization)) > 20
    assert not _dangling_outputs(every_organization)


@pytest.mark.parametrize("fault", ["stack", "output", "role", "trust"])
def test_the_check_of_outputs_finds_each_fault(organization: Assembly, fault: str) -> None:
    broken = copy.deepcopy(organization)
    network = broken["SharedServices-Network"]
    reader = next(
        body
        for body in network.template["Resources"].values()
        if "outputs-reader" in str(body.get("Properties"))
    )
    if fault == "stack":
        del broken.stacks["SharedServices-Network"]
    elif fault == "output":
        del network.outputs["TransitGatewayId"]
    elif fault == "role":
        reader["Properties"]["RoleName"] = "another"
    else:
        reader["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"].pop()
    assert _dangling_outputs(broken)


def _late_producers(assembly: Assembly) -> list[str]:
    return [
        f"{stack.name} reads {read['StackName']} and does not wait for it"
        for stack, read in _stack_outputs(assembly)
        if assembly[read["StackName"]].stage == stack.stage
        and read["StackName"] not in assembly.dependencies(stack)
    ]


def test_every_stack_waits_for_the_stacks_of_its_stage_that_it_reads(every_organization: Assembly) -> None:
    assert not _late_producers(every_organization)


def test_the_check_of_waiting_finds_a_dependency_that_is_missing(organization: Assembly) -> None:
    broken = copy.deepcopy(organization)
    broken[f"{documents.STAGING}-Database"].dependencies = ()
    assert _late_producers(broken)


def test_every_stage_deploys_after_the_stages_that_it_reads(every_organization: Assembly) -> None:
    order = ["", *every_organization.stages]
    for stack, read in _stack_outputs(every_organization):
        assert order.index(every_organization[read["StackName"]].stage) <= order.index(stack.stage)


def test_release_waits_for_everything_that_its_task_uses(organization: Assembly) -> None:
    release = organization[f"{documents.STAGING}-Release"]
    names = {name.removeprefix(f"{documents.STAGING}-") for name in organization.dependencies(release)}
    assert names == {
        "Network",
        "Dns",
        "Logs",
        "Edge",
        "Database",
        "Media",
        "Queues",
        "StaticFiles",
        "Parameters",
    }


@pytest.mark.parametrize("name", ["Web", "Workers"])
def test_what_serves_waits_for_the_release(organization: Assembly, name: str) -> None:
    stack = organization[f"{documents.PRODUCTION}-{name}"]
    assert f"{documents.PRODUCTION}-Release" in organization.dependencies(stack)


def test_no_stack_exports_or_imports_a_value(every_organization: Assembly) -> None:
    for stack in every_organization.stacks.values():
        assert not any(
            isinstance(value, dict) and "Fn::ImportValue" in value for value in walk(stack.template)
        )
        assert not any("Export" in output for output in stack.outputs.values()), stack.name


@pytest.mark.parametrize("source", STACK_SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_account_and_no_region_is_written_into_a_stack(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    literals = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
    assert not [literal for literal in literals if HARD_CODED.search(literal)]


def test_the_scan_for_accounts_and_regions_finds_both() -> None:
    assert HARD_CODED.search("arn:aws:iam::123456789012:role/x")
    assert HARD_CODED.search("aws://eu-west-1")
    assert not HARD_CODED.search("us-west")


def test_a_new_environment_changes_no_logical_id_of_the_others(
    organization: Assembly, synthesize: Synthesize
) -> None:
    bigger = synthesize(documents.with_third_environment())
    assert set(bigger.stages) - set(organization.stages) == {"MyDjangoAppPreview"}
    for name, stack in organization.stacks.items():
        missing = set(stack.template["Resources"]) - set(bigger[name].template["Resources"])
        assert not missing, f"{name} loses {missing}"
        if stack.stage == documents.STAGING:
            assert stack.template == bigger[name].template


def test_configured_names_fit_what_aws_allows(configuration: Configuration, organization: Assembly) -> None:
    assert len(configuration.stages()) == len(organization.stages) - 1
    for role in organization.resources("AWS::IAM::Role"):
        assert len(role.get("RoleName", default="")) <= 64, role
