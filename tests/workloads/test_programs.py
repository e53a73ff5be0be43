"""Projects that are not ours: composed variables, the landing zone's own release, no uploads."""

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping

import pytest

from config.workload import Commands
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.workloads.tasks import container, permissions, secrets, variables
from workloads.django.programs import entry_point, release_command

URL = (
    "postgresql://{DATABASE_USER}:{DATABASE_PASSWORD}@{DATABASE_HOST}:{DATABASE_PORT}/{DATABASE_NAME}"
    "?sslmode=require"
)
PROCESSES = ["Release", "Web", "Worker"]


@pytest.fixture(scope="module")
def foreign(synthesize: Synthesize) -> Assembly:
    """An organization whose workload keeps to names of its own, has no uploads and brings no release."""
    return synthesize(
        documents.changed(
            {
                "workload.media": False,
                "workload.health_codes": "200,301",
                "workload.commands": {"release": None, "python": "/opt/venv/bin/python"},
                "workload.injected_variables": {
                    "DATABASE_PASSWORD": "POSTGRES_PASSWORD",
                    "DATABASE_MASTER_USER": "OWNER",
                },
                "workload.composed_variables": {
                    "DATABASE_URL": URL,
                    "SITE_URL": "https://{DJANGO_ALLOWED_HOSTS}/{DATABASE_NAME}",
                },
            }
        )
    )


@pytest.mark.parametrize("process", PROCESSES)
def test_a_variable_with_a_secret_in_it_is_composed_by_the_container(foreign: Assembly, process: str) -> None:
    found = container(foreign, documents.STAGING, process)
    python, flag, text, *pairs, end = found["EntryPoint"]
    assert (python, flag, end) == ("/opt/venv/bin/python", "-c", "--")
    assert "execvp" in text
    assert pairs == [f"DATABASE_URL={URL.replace('{DATABASE_PASSWORD}', '{POSTGRES_PASSWORD}')}"]
    names = {
        **variables(foreign, documents.STAGING, process),
        **secrets(foreign, documents.STAGING, process),
    }
    assert "DATABASE_URL" not in names
    assert {"DATABASE_USER", "POSTGRES_PASSWORD", "DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME"} <= set(
        names
    )


@pytest.mark.parametrize("process", PROCESSES)
def test_a_variable_without_a_secret_is_in_the_template(foreign: Assembly, process: str) -> None:
    found = variables(foreign, documents.STAGING, process)
    assert found["SITE_URL"] == f"https://staging.acme.example/{found['DATABASE_NAME']}"


@pytest.mark.parametrize("process", PROCESSES)
def test_what_composes_nothing_keeps_the_entry_point_of_its_image(
    organization: Assembly, process: str
) -> None:
    assert "EntryPoint" not in container(organization, documents.STAGING, process)


@pytest.mark.parametrize("process", PROCESSES)
def test_without_uploads_there_is_no_bucket_and_nobody_hears_of_one(foreign: Assembly, process: str) -> None:
    assert [stack.id for stack in foreign.in_stage(documents.STAGING) if stack.id == "Media"] == []
    assert "MEDIA_BUCKET" not in variables(foreign, documents.STAGING, process)
    allowed = json.dumps([each.body for each in permissions(foreign, documents.STAGING, process)])
    assert ("s3:" in allowed) == (process == "Release")  # its static files


def test_a_release_of_the_landing_zones_own_knows_the_names_of_the_project(foreign: Assembly) -> None:
    python, *manage, text = container(foreign, documents.STAGING, "Release")["Command"]
    assert python == "/opt/venv/bin/python"
    assert manage == ["manage.py", "shell", "-v", "0", "-c"]
    assert text.endswith("\nmain('OWNER', 'DATABASE_MASTER_PASSWORD', 'STATIC_BUCKET')\n")
    compile(text, "release", "exec")


def test_one_off_commands_may_not_replace_a_composed_variable(foreign: Assembly) -> None:
    (parameter,) = (
        each
        for each in foreign[f"{documents.STAGING}-Release"].resources("AWS::SSM::Parameter")
        if each.text("Name").endswith("/ReleaseSecretVariables")
    )
    assert "DATABASE_URL" in parameter.text("Value").split(",")


def test_the_load_balancer_takes_the_configured_codes(foreign: Assembly) -> None:
    (group,) = foreign[f"{documents.STAGING}-Web"].resources("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group.get("Matcher") == {"HttpCode": "200,301"}


def test_a_release_of_the_projects_own_stays_as_it_is() -> None:
    assert release_command(Commands(release=("make", "release")), {}) == ["make", "release"]


# --- the program that composes, run for real ---


def start(composed: Mapping[str, str], *command: str, **given: str) -> subprocess.CompletedProcess[str]:
    first = entry_point(Commands(python=sys.executable), composed)
    assert first is not None
    return subprocess.run(
        [*first, *command],
        env={"PATH": "/usr/bin:/bin", **given},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_finds_its_variables_composed_and_its_arguments_whole() -> None:
    done = start(
        {"DATABASE_URL": "postgresql://{USER}:{PASSWORD}@{HOST}/x?sslmode=require", "BOTH": "{HOST},{USER}"},
        *("sh", "-c", 'echo "$DATABASE_URL $BOTH $1"', "sh", "a  b"),
        USER="django",
        PASSWORD="p@/ss:1",
        HOST="db.example",
    )
    url = "postgresql://django:p%40%2Fss%3A1@db.example/x?sslmode=require"
    assert (done.returncode, done.stdout) == (0, f"{url} db.example,django a  b\n")


def test_an_address_within_an_address_is_not_quoted() -> None:
    done = start({"X": "see://{URL}"}, "printenv", "X", URL="https://static.example/")
    assert done.stdout == "see://https://static.example/\n"


def test_the_command_takes_the_place_of_the_program_and_its_code_is_the_containers() -> None:
    process = start({"X": "{A}"}, "sh", "-c", 'echo "$$ $(cut -d" " -f4 /proc/$$/stat)"; exit 7', A="a")
    assert process.returncode == 7
    own, parent = process.stdout.split()
    assert own != parent  # the shell's parent is this test: nothing stands between them
    assert int(parent) == os.getpid()


def test_a_part_that_is_not_set_ends_the_container_with_its_name() -> None:
    done = start({"X": "{PASSWORD}"}, "true")
    assert done.returncode == 1
    assert done.stderr == "a variable cannot be composed: PASSWORD is not set\n"


@pytest.mark.parametrize(("command", "code"), [("no-such-program", 127), ("/", 126)])
def test_a_command_that_cannot_be_run_ends_as_in_a_shell(command: str, code: int) -> None:
    done = start({"X": "{A}"}, command, A="a")
    assert done.returncode == code
    assert done.stderr.startswith(f"{command}: ")


@pytest.fixture
def metadata() -> Iterator[str]:
    """The metadata endpoint of ECS, as far as it is asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            networks = [{"NetworkMode": "awsvpc", "IPv4Addresses": ["10.1.2.3"]}]
            self.wfile.write(json.dumps({"Networks": networks}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v4/token"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_task_may_know_its_own_address(metadata: str) -> None:
    done = start(
        {"ALLOWED_HOSTS": "{DOMAIN},{TASK_ADDRESS}"},
        *("printenv", "ALLOWED_HOSTS"),
        DOMAIN="shop.acme.example",
        ECS_CONTAINER_METADATA_URI_V4=metadata,
        http_proxy="http://127.0.0.1:9",
    )
    assert done.stdout == "shop.acme.example,10.1.2.3\n", done.stderr
