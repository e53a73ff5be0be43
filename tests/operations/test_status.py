"""What `lz status` shows of an environment, and its exit code."""

from collections.abc import Mapping
from typing import Any

import pytest

from operations.commands.status import show
from operations.errors import CommandError
from tests import documents
from tests.operations.support import scripted

STAGE = documents.configured(documents.sample()).find_stage("production")
A, B = (f"sha256:{letter * 64}" for letter in "ab")
SERVICES = ("Web", "Worker", "Beat")


def _ssm(*services: str, cluster: bool = True) -> Any:
    there = {f"{name}ServiceName": name.lower() for name in services} | (
        {"ClusterName": "cluster"} if cluster else {}
    )
    missing = {"ClusterName", *(f"{name}ServiceName" for name in SERVICES)} - set(there)
    answer: dict[str, Any] = {
        "Parameters": [{"Name": f"/{STAGE.stage_name}/{name}", "Value": v} for name, v in there.items()]
    }
    if missing:
        answer["InvalidParameters"] = [f"/{STAGE.stage_name}/{name}" for name in sorted(missing)]
    return scripted("ssm", ("get_parameters", None, answer))


def _service(name: str, *, running: int = 2, rollout: str = "COMPLETED") -> Mapping[str, Any]:
    deployment = {
        "status": "PRIMARY",
        "taskDefinition": f"arn:{name}",
        "rolloutState": rollout,
        "runningCount": running,
    }
    return {
        "serviceName": name,
        "serviceArn": f"arn:aws:ecs:eu-west-1:333333333333:service/cluster/{name}",
        "runningCount": running,
        "desiredCount": 2,
        "deployments": [deployment],
    }


def _ecs(*services: Mapping[str, Any], images: tuple[str, ...] = ()) -> Any:
    """ECS with these services, of which no task has failed."""
    asked = {"cluster": "cluster", "services": [service["serviceName"] for service in services]}
    definitions: list[tuple[str, Mapping[str, Any] | None, Mapping[str, Any]]] = [
        (
            "describe_task_definition",
            {"taskDefinition": service["deployments"][0]["taskDefinition"]},
            {"taskDefinition": {"containerDefinitions": [{"image": f"registry/app@{digest}"}]}},
        )
        for service, digest in zip(services, images or (A,) * len(services), strict=True)
    ]
    described = [("describe_services", asked, {"services": list(services)})] if services else []
    return scripted(
        "ecs", *described, *definitions, *[("list_tasks", None, {"taskArns": []})] * len(services)
    )


def test_all_is_well_if_every_service_runs_all_its_tasks_with_one_image(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ecs = _ecs(*(_service(name.lower()) for name in SERVICES))
    assert show(STAGE, _ssm(*SERVICES), ecs, scripted("logs")) == 0
    told = capsys.readouterr().out
    assert told.count("2 of 2") == 3
    assert "beat: no task failed within the hour" in told


@pytest.mark.parametrize(
    ("worker", "images", "told"),
    [
        ({"running": 0}, (A, A, A), "worker runs 0 of 2 tasks"),  # its deployment stays completed
        ({"rollout": "IN_PROGRESS"}, (A, A, A), "worker is not settled"),
        ({}, (A, B, A), "the services do not run the same image"),
    ],
)
def test_the_exit_code_says_what_is_not_well(
    worker: Any, images: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ecs = _ecs(_service("web"), _service("worker", **worker), _service("beat"), images=images)
    assert show(STAGE, _ssm(*SERVICES), ecs, scripted("logs")) == 1
    assert told in capsys.readouterr().out


def test_what_serves_is_shown_where_the_first_deployment_of_another_stack_has_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ecs = _ecs(_service("web"))
    assert show(STAGE, _ssm("Web"), ecs, scripted("logs")) == 1
    ecs.assert_all_asked()
    told = capsys.readouterr().out
    assert "2 of 2" in told
    assert "worker is not there" in told
    assert "beat is not there" in told
    assert f"/{STAGE.stage_name}/WorkerServiceName" in told

    assert show(STAGE, _ssm(), _ecs(), scripted("logs")) == 1
    assert "web is not there" in capsys.readouterr().out


def test_fails_where_nothing_is_deployed() -> None:
    with pytest.raises(CommandError, match="is not deployed"):
        show(STAGE, _ssm(cluster=False), scripted("ecs"), scripted("logs"))
