"""What every container has in common: its image's processor, its variables, its secrets, its rights."""

import re

import pytest

from config.variables import INJECTED_VARIABLES
from tests import documents
from tests.assembly import Assembly
from tests.workloads.tasks import PROCESSES, container, definition, permissions, secrets, variables

STAGES = [documents.STAGING, documents.PRODUCTION]
RELEASE_ONLY = {"STATIC_BUCKET", "DATABASE_MASTER_USER", "DATABASE_MASTER_PASSWORD"}
CHANNELS = ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel")
EXEC = tuple(f"ssmmessages:{name}" for name in CHANNELS)

pytestmark = pytest.mark.parametrize("process", PROCESSES)


@pytest.fixture(params=STAGES)
def stage_name(request: pytest.FixtureRequest) -> str:
    """The name of each stage."""
    return str(request.param)


def test_tasks_run_on_the_configured_processor(organization: Assembly, stage_name: str, process: str) -> None:
    task = definition(organization, stage_name, process)
    assert task.get("RuntimePlatform") == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert task.get("RequiresCompatibilities") == ["FARGATE"]


@pytest.mark.parametrize(
    ("stage", "sizes"),
    [
        (
            documents.STAGING,
            {"Release": (512, 1024), "Web": (256, 512), "Worker": (256, 512), "Beat": (256, 512)},
        ),
        (
            documents.PRODUCTION,
            {"Release": (512, 1024), "Web": (512, 1024), "Worker": (512, 1024), "Beat": (256, 512)},
        ),
    ],
)
def test_tasks_have_the_configured_size(
    organization: Assembly, stage: str, sizes: dict[str, tuple[int, int]], process: str
) -> None:
    task = definition(organization, stage, process)
    assert (int(task.get("Cpu")), int(task.get("Memory"))) == sizes[process]


def test_containers_get_exactly_the_variables_of_the_manual(
    organization: Assembly, stage_name: str, process: str
) -> None:
    found = {**variables(organization, stage_name, process), **secrets(organization, stage_name, process)}
    expected = set(INJECTED_VARIABLES) - (RELEASE_ONLY if process != "Release" else set())
    assert set(found) == expected


def test_what_the_manual_calls_secret_is_a_reference_and_nothing_else_is(
    organization: Assembly, stage_name: str, process: str
) -> None:
    secret = {name for name, meaning in INJECTED_VARIABLES.items() if meaning.endswith("(secret)")}
    assert set(secrets(organization, stage_name, process)) == secret - (
        RELEASE_ONLY if process != "Release" else set()
    )


def test_variables_describe_the_environment(organization: Assembly, stage_name: str, process: str) -> None:
    domain, name = {
        documents.STAGING: ("staging.acme.example", "staging"),
        documents.PRODUCTION: ("www.acme.example", "production"),
    }[stage_name]
    found = variables(organization, stage_name, process)
    assert found["DJANGO_ENVIRONMENT"] == name
    assert found["DJANGO_ALLOWED_HOSTS"] == domain
    assert found["DJANGO_CSRF_TRUSTED_ORIGINS"] == f"https://{domain}"
    assert found["STATIC_URL"] == f"https://static.{domain}/"
    assert found["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert found["DATABASE_HOST"].startswith(f"${{{stage_name}-Database/Cluster")
    assert found["MEDIA_BUCKET"].startswith(f"${{{stage_name}-Media/Bucket")
    assert found["CELERY_QUEUE_URL"].startswith(f"${{{stage_name}-Queues/Queue")


def test_containers_log_without_ever_blocking(organization: Assembly, stage_name: str, process: str) -> None:
    task = definition(organization, stage_name, process)
    log = container(organization, stage_name, process)["LogConfiguration"]
    assert log["LogDriver"] == "awslogs"
    assert log["Options"]["mode"] == "non-blocking"
    group = task.stack.text(log["Options"]["awslogs-group"])
    assert re.fullmatch(rf"\$\{{{task.stack.name}/{process}Logs\w+\}}", group)


def test_signals_reach_the_process_and_it_has_time_to_finish(
    organization: Assembly, stage_name: str, process: str
) -> None:
    body = container(organization, stage_name, process)
    assert body["LinuxParameters"]["InitProcessEnabled"] is True
    assert body["StopTimeout"] == (40 if process == "Web" else 120)


def test_no_task_role_allows_an_action_by_a_wildcard(
    organization: Assembly, stage_name: str, process: str
) -> None:
    for role in ("Task", "Execution"):
        for statement in permissions(organization, stage_name, process, role):
            assert not [action for action in statement.actions if "*" in action], statement.body


def test_the_only_rights_on_everything_are_those_without_a_resource_level(
    organization: Assembly, stage_name: str, process: str
) -> None:
    def everywhere(role: str) -> list[tuple[str, ...]]:
        found = permissions(organization, stage_name, process, role)
        return [statement.actions for statement in found if "*" in statement.resources]

    assert everywhere("Execution") == [("ecr:GetAuthorizationToken",)]
    assert everywhere("Task") == ([] if process == "Release" else [EXEC])


def test_only_the_own_secrets_and_the_own_image_may_be_fetched(
    organization: Assembly, stage_name: str, process: str
) -> None:
    for statement in permissions(organization, stage_name, process, "Execution"):
        if statement.actions == ("ecr:GetAuthorizationToken",):
            continue
        for resource in statement.resources:
            own = resource.startswith(f"${{{stage_name}-")
            assert own or resource == "arn:aws:ecr:eu-west-1:111111111111:repository/acme/my-django-app"


def test_tasks_use_what_their_process_needs(organization: Assembly, stage_name: str, process: str) -> None:
    found = {
        (action, resource.partition("/")[2].partition(".")[0][:-8] + resource.partition("}")[2])
        for statement in permissions(organization, stage_name, process)
        if "*" not in statement.resources
        for action in statement.actions
        for resource in statement.resources
    }
    stacks = {
        resource.partition("/")[0].rpartition("-")[2]
        for statement in permissions(organization, stage_name, process)
        for resource in statement.resources
        if resource != "*"
    }
    send = {(f"sqs:{action}", "Queue") for action in ("SendMessage", "GetQueueAttributes", "GetQueueUrl")}
    consume = {
        (f"sqs:{name}", "Queue") for name in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
    }
    uploads = {(f"s3:{action}", "Bucket/*") for action in ("GetObject", "PutObject", "DeleteObject")}
    expected = send | uploads | {("s3:ListBucket", "Bucket")} | (consume if process == "Worker" else set())
    assert found == expected
    assert stacks == {"Media", "Queues"} | ({"StaticFiles"} if process == "Release" else set())


def test_static_files_are_written_by_the_release_alone_and_never_deleted(
    organization: Assembly, stage_name: str, process: str
) -> None:
    actions = {
        action
        for statement in permissions(organization, stage_name, process)
        if any("-StaticFiles/" in resource for resource in statement.resources)
        for action in statement.actions
        if "-StaticFiles/" in str([each for each in statement.resources if each.endswith("/*")])
    }
    assert actions == ({"s3:GetObject", "s3:PutObject"} if process == "Release" else set())
