"""The limits of AWS: measured in the assembly, and told before AWS would refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.assembly import AssembledStack, read_assembly
from operations.commands.synth import _show
from operations.gate import Verdict
from operations.limits import (
    ACTIONS,
    ADVANCED_VALUE,
    BUILDS,
    BUILDS_AT_ONCE,
    BYTES,
    CONTAINERS,
    INLINE,
    INPUTS,
    KEY_POLICY,
    PARAMETER_VALUE,
    RESOURCES,
    STAGE_ACTIONS,
    STAGES,
    TRUST,
    Limit,
    Usage,
    largest,
    usages,
)
from operations.policy_size import rendered_bytes, rendered_size
from tests.assembly import Assembly

LIMIT = Limit("things", 100, "a guide", "make fewer")


def _stack(folder: Path, resources: dict[str, Any], *, stage: str = "") -> AssembledStack:
    template = {"Resources": resources}
    file = folder / "template.json"
    file.write_text(json.dumps(template), encoding="utf-8")
    return AssembledStack(
        path="Stack",
        name="Stack",
        account="1" * 12,
        region="eu-west-1",
        stage=stage,
        template_file=file,
        dependencies=(),
        template=template,
    )


def _found(stack: AssembledStack) -> dict[Limit, int]:
    return {usage.limit: usage.found for usage in largest(usages([stack]))}


def _action(name: str, provider: str, order: int, inputs: int = 1) -> dict[str, Any]:
    return {
        "Name": name,
        "ActionTypeId": {"Provider": provider},
        "RunOrder": order,
        "InputArtifacts": [{"Name": str(number)} for number in range(inputs)],
        "Configuration": {"ProjectName": {"Ref": "Project"}},
    }


def test_a_pipelines_stages_actions_and_builds_are_counted(tmp_path: Path) -> None:
    stages = [
        {"Name": "Build", "Actions": [_action("A", "CodeBuild", 1), _action("B", "CodeBuild", 1, inputs=4)]},
        {"Name": "Deploy", "Actions": [_action(f"D{n}", "CloudFormation", n) for n in range(3)]},
    ]
    stack = _stack(
        tmp_path, {"Pipeline": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"Stages": stages}}}
    )
    found = _found(stack)
    assert (found[STAGES], found[ACTIONS], found[STAGE_ACTIONS]) == (2, 5, 3)
    assert (found[BUILDS], found[BUILDS_AT_ONCE], found[INPUTS]) == (2, 2, 4)


def test_all_inline_policies_of_a_role_count_together(tmp_path: Path) -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    size = rendered_size(document)
    role = {"AssumeRolePolicyDocument": document, "Policies": [{"PolicyDocument": document}]}
    policy = {"PolicyDocument": document, "Roles": [{"Ref": "Role"}, "of-somebody-else"]}
    stack = _stack(
        tmp_path,
        {
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "One": {"Type": "AWS::IAM::Policy", "Properties": policy},
            "Two": {"Type": "AWS::IAM::Policy", "Properties": policy},
        },
    )
    found = _found(stack)
    assert (found[INLINE], found[TRUST], found[RESOURCES]) == (3 * size, size, 3)
    assert found[BYTES] == stack.template_file.stat().st_size


def test_what_many_variables_fill_is_measured(tmp_path: Path) -> None:
    """Their names are in a parameter, and they themselves in each task definition."""
    names = [f"VARIABLE_{number}" for number in range(400)]
    container = {"Name": "django", "Environment": [{"Name": name, "Value": "x" * 200} for name in names]}
    definition = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Value": ",".join(names)}}
    stack = _stack(tmp_path, {"Task": definition, "Names": parameter})
    over = {usage.limit: usage.found for usage in usages([stack]) if usage.is_over}
    assert over[PARAMETER_VALUE] == len(",".join(names))
    assert over[CONTAINERS] > 400 * 200
    assert len(over) == 2


@pytest.mark.parametrize(
    ("tier", "limit", "allowed"),
    [
        (None, PARAMETER_VALUE, 4_096),
        ("Standard", PARAMETER_VALUE, 4_096),
        ("Advanced", ADVANCED_VALUE, 8_192),
        ("Intelligent-Tiering", ADVANCED_VALUE, 8_192),
    ],
)
def test_a_parameters_value_is_measured_in_bytes(
    tmp_path: Path, tier: str | None, limit: Limit, allowed: int
) -> None:
    for characters in (allowed // 2, allowed // 2 + 1):
        properties = {"Value": "é" * characters} | ({"Tier": tier} if tier else {})
        stack = _stack(tmp_path, {"Value": {"Type": "AWS::SSM::Parameter", "Properties": properties}})
        (usage,) = [usage for usage in usages([stack]) if usage.limit == limit]
        assert (usage.found, usage.is_over) == (2 * characters, 2 * characters > allowed)


def test_a_key_policy_is_measured(tmp_path: Path) -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": "x" * 40_000}}}
    (usage,) = [usage for usage in usages([_stack(tmp_path, {"Key": key})]) if usage.limit == KEY_POLICY]
    assert usage.is_over
    assert "Stack/Key: 40,016 bytes of a key policy, 32,768 allowed" in str(usage)


@pytest.mark.parametrize(
    ("found", "near", "over"),
    [(0, False, False), (80, False, False), (81, True, False), (100, True, False), (101, False, True)],
)
def test_a_limit_is_near_from_four_fifths_and_passed_after_all_of_it(
    found: int,
    near: bool,  # noqa: FBT001 -- a parameter of the test
    over: bool,  # noqa: FBT001
) -> None:
    usage = Usage(LIMIT, "here", found)
    assert (usage.is_near, usage.is_over) == (near, over)


def test_nobody_is_warned_of_a_limit_of_five() -> None:
    assert not Usage(INPUTS, "Build/Images-1", 5).is_near
    assert Usage(INPUTS, "Build/Synth", 6).is_over


def test_synthesis_fails_beyond_a_limit_and_warns_before(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict(0, "", limits=(Usage(LIMIT, "here", 120), Usage(LIMIT, "there", 90)))
    assert not verdict.passed
    _show(verdict)
    told = capsys.readouterr().out
    assert "Larger than AWS allows: 1" in told
    assert "here: 120 things, 100 allowed (a guide)\n    fix: make fewer" in told
    assert "warning: 90% of a limit. there: 90 things" in told
    assert not Verdict(0, "", limits=(Usage(LIMIT, "there", 90),)).over


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("abc", 3),
        ({"a": [1, "b c"]}, len('{"a":[1,"b c"]}')),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::x"]]}, len("arn:aws:s3:::x")),
        ({"Fn::Sub": "arn:${AWS::Partition}"}, len("arn:${AWS::Partition}")),
    ],
)
def test_a_value_is_measured_as_cloudformation_will_write_it(value: object, size: int) -> None:
    assert rendered_size(value) == size


def test_bytes_of_a_structure_are_those_of_its_text_in_utf_8() -> None:
    assert rendered_bytes([{"a": "é"}]) == len('[{"a":"é"}]'.encode())
    assert rendered_bytes(["\ud800"]) == len('[""]') + 3  # no character, but JSON may hold it


@given(
    st.recursive(
        st.text() | st.integers() | st.fixed_dictionaries({"Ref": st.text()}),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_value_has_a_size_and_more_of_it_is_longer(value: object) -> None:
    assert rendered_size([value, value]) >= 2 * rendered_size(value)


def test_the_sample_is_far_from_every_limit(organization: Assembly) -> None:
    found = largest(usages(read_assembly(organization.directory)))
    assert len(found) >= 17
    assert not [str(usage) for usage in found if usage.is_near or usage.is_over]
