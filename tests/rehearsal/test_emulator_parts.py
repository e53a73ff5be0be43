"""The emulator's parts that need no server, and what they need of MiniStack."""

from rehearsal.emulator import NOT_ENFORCED, RECORDED_ONLY, internals
from rehearsal.emulator.calls import client
from rehearsal.emulator.ec2_protocol import Ec2Error, serve
from rehearsal.emulator.recorded import RESOURCES
from rehearsal.emulator.shapes import to_request


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
