"""The emulator's parts that need no server, and what they need of MiniStack."""

import subprocess
import time
from collections.abc import Iterator

import botocore.session
import pytest
from ministack.core import lambda_runtime

from rehearsal.emulator import NOT_ENFORCED, RECORDED_ONLY, internals, internals_services
from rehearsal.emulator.calls import client
from rehearsal.emulator.ec2_protocol import Ec2Error, serve
from rehearsal.emulator.recorded import RESOURCES
from rehearsal.emulator.shapes import to_request
from rehearsal.models import session


def test_ministack_still_has_the_internals_that_we_use() -> None:
    assert internals.missing() == [], (
        "a new version of MiniStack moved these: see rehearsal/emulator/internals.py"
    )


def test_an_internal_that_moved_is_named(monkeypatch: object) -> None:
    used = {
        **internals.USED,
        "ministack.app": (*internals.USED["ministack.app"], "gone"),
        "ministack.no": ("x",),
    }
    original, internals.USED = internals.USED, used
    try:
        assert internals.missing() == ["ministack.app.gone", "ministack.no"]
    finally:
        internals.USED = original


def test_every_recorded_type_is_reported() -> None:
    recorded = {name for resource in RESOURCES for name in resource.types}

    assert recorded <= set(RECORDED_ONLY)
    assert all(sentence and not sentence.endswith(".") for sentence in RECORDED_ONLY.values())
    assert all(sentence.endswith(".") for sentence in NOT_ENFORCED)


def test_properties_become_a_request() -> None:
    ecs = client("ecs", region="eu-west-1")
    container = {
        "Name": "web",
        "Essential": "true",
        "PortMappings": [{"ContainerPort": "8000"}],
        "Secrets": [{"Name": "KEY", "ValueFrom": "arn"}],
        "DockerLabels": {"Some.Label": "x"},
        "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "g"}},
    }

    request = to_request(
        ecs, "RegisterTaskDefinition", {"Cpu": 256, "ContainerDefinitions": [container], "Unknown": 1}
    )

    assert request == {
        "cpu": "256",
        "containerDefinitions": [
            {
                "name": "web",
                "essential": True,
                "portMappings": [{"containerPort": 8000}],
                "secrets": [{"name": "KEY", "valueFrom": "arn"}],
                "dockerLabels": {"Some.Label": "x"},
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}},
            }
        ],
    }


def test_an_ec2_action_reads_and_writes_the_wire_format() -> None:
    seen = []

    def action(request: dict[str, object]) -> dict[str, object]:
        seen.append(request)
        return {
            "TransitGateways": [{"TransitGatewayId": "tgw-1", "Options": {"AmazonSideAsn": 1}, "Tags": []}]
        }

    status, _, body = serve("DescribeTransitGateways", action)(
        {
            "Action": ["DescribeTransitGateways"],
            "TransitGatewayIds.1": ["tgw-1"],
            "Filter.1.Name": ["state"],
            "Filter.1.Value.1": ["a&b"],
        }
    )

    assert status == 200
    assert seen == [{"TransitGatewayIds": ["tgw-1"], "Filters": [{"Name": "state", "Values": ["a&b"]}]}]
    assert b"<transitGatewaySet><item><transitGatewayId>tgw-1</transitGatewayId>" in body


def test_an_ec2_action_answers_with_its_error() -> None:
    def action(_request: dict[str, object]) -> dict[str, object]:
        raise Ec2Error("InvalidTransitGatewayID.NotFound", "<gone>")

    status, _, body = serve("DescribeTransitGateways", action)({})

    assert status == 400
    assert b"<Code>InvalidTransitGatewayID.NotFound</Code><Message>&lt;gone&gt;</Message>" in body


@pytest.fixture
def functions() -> Iterator[dict[str, lambda_runtime.Worker]]:
    """Functions with a process each, as MiniStack keeps them: one in use, one just used, one idle."""
    made = {}
    for name in ("working", "fresh", "idle"):
        worker = lambda_runtime.Worker(name, {}, b"")
        worker._proc = subprocess.Popen(["sleep", "60"])
        lambda_runtime._workers[name] = [worker]
        made[name] = worker
    made["working"].in_use = True
    for name in ("working", "idle"):
        made[name].last_used = time.time() - 60
    yield made
    lambda_runtime.kill_workers(made.values())
    for name in made:
        lambda_runtime._workers.pop(name, None)


def test_a_function_that_nobody_calls_leaves_no_process(functions: dict[str, lambda_runtime.Worker]) -> None:
    process = functions["idle"]._proc

    internals_services.end_idle_functions(30)

    assert process.poll() is not None
    assert "idle" not in lambda_runtime._workers
    assert functions["working"]._proc.poll() is None
    assert functions["fresh"]._proc.poll() is None


@pytest.mark.parametrize("service", ["s3", "ec2", "acm"])
def test_models_without_their_documentation_say_the_same(service: str) -> None:
    whole, lean = (made.get_service_model(service) for made in (botocore.session.Session(), session()))

    assert lean.operation_names == whole.operation_names
    assert lean.shape_names == whole.shape_names
    assert lean.documentation == "" != whole.documentation
    assert {one.name for one in lean.client_context_parameters} == {
        one.name for one in whole.client_context_parameters
    }
    assert client(service, region="eu-west-1").meta.service_model.service_name == service
