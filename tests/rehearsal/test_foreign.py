"""Somebody else's project, which knows nothing of this repository: deployed, released, served, and asked."""

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from config import load
from operations.run import OneOff, overrides
from operations.task_place import PLACE_PARAMETERS, RELEASING, read_parameters, task_place
from operations.tasks import TaskRun
from rehearsal.door.sites import opener
from rehearsal.report import Report
from tests.conftest import only_once
from tests.rehearsal.conftest import STAGING
from tests.rehearsal.rehearsed import OpenRehearsal, silently

pytestmark = pytest.mark.rehearsal

CONFIG = Path(__file__).parent / "foreign" / "accounts.json"
SITE = "https://guestbook.acme.example/"
CONTENT = b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenRehearsal]:
    """The guest book's organization, up."""
    only_once(tmp_path_factory, "guest_book")
    configuration = load(CONFIG)
    made = OpenRehearsal(
        configuration, configuration.stages(), silently(), approver=None, keep=False, config_file=CONFIG
    )
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def report(rehearsal: OpenRehearsal) -> Report:
    """What its rehearsal found."""
    return rehearsal.run()


@pytest.fixture
def visitor(rehearsal: OpenRehearsal, report: Report) -> urllib.request.OpenerDirector:
    """A browser's way in, with cookies."""
    assert report.passed, report.problem
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    return opener(rehearsal.door_state, jar)


def page(visitor: urllib.request.OpenerDirector, url: str = SITE) -> str:
    with visitor.open(url, timeout=60) as answer:
        return str(answer.read().decode())


def release(rehearsal: OpenRehearsal, *command: str, **variables: str) -> tuple[int, list[str]]:
    """Run the release task, as it is or with another command or variables; give its exit code and its log."""
    emulator, lines = rehearsal.emulator, list[str]()
    values = read_parameters(
        emulator.client("ssm", STAGING), "GuestbookStaging", PLACE_PARAMETERS, published_by=RELEASING
    )
    task = TaskRun(
        emulator.client("ecs", STAGING),
        emulator.client("logs", STAGING),
        task_place(values),
        title="release task",
        started_by="test",
        say=lambda _line: None,
        show=lines.append,
        poll_seconds=0.2,
    )
    container = values["ContainerName"]
    changed = overrides(OneOff(command, variables), container=container, file_arn=None)
    if not command:
        del changed["containerOverrides"][0]["command"]
    task.start(changed)
    return task.follow(deadline_seconds=120), lines


def test_every_check_of_a_rehearsal_holds(report: Report) -> None:
    assert report.problem == ""
    assert [(check.name, check.problems) for check in report.checks if check.problems] == []
    stacks = {state.stack.name.partition("-")[2] for state in report.states}
    assert "Workers" not in stacks
    assert "Queues" not in stacks


def test_the_page_is_served_with_the_images_variables_and_its_files_come_from_the_cdn(
    visitor: urllib.request.OpenerDirector,
) -> None:
    text = page(visitor)
    assert "The visitors&#x27; book" in text
    (style,) = re.findall(r'href="([^"]+\.css)"', text)
    assert re.fullmatch(r"https://static\.guestbook\.acme\.example/entries/book\.[0-9a-f]{12}\.css", style)
    (paper,) = re.findall(r'url\("([^"]+)"\)', page(visitor, style))
    assert page(visitor, urllib.parse.urljoin(style, paper)).startswith("<svg")


def test_an_entry_with_a_file_is_kept_in_the_database_and_in_the_bucket(
    visitor: urllib.request.OpenerDirector, rehearsal: OpenRehearsal
) -> None:
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page(visitor))[0].encode()
    fields = [(b"csrfmiddlewaretoken", b"", token), (b"name", b"", b"Ada"), (b"words", b"", b"It was good")]
    parts = [*fields, (b"card", b'; filename="card.txt"', b"my card")]
    body = b"".join(CONTENT % part for part in parts) + b"--edge--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Referer": SITE}

    with visitor.open(urllib.request.Request(SITE, body, headers), timeout=60) as answer:
        assert "It was good" in answer.read().decode()

    emulator = rehearsal.emulator
    ssm = emulator.client("ssm", STAGING)
    bucket = ssm.get_parameter(Name="/GuestbookStaging/MediaBucketName")["Parameter"]["Value"]
    kept = emulator.client("s3", STAGING).get_object(Bucket=bucket, Key="cards/card.txt")["Body"].read()
    assert kept == b"my card"


def test_one_off_commands_have_the_composed_variables_too(rehearsal: OpenRehearsal, report: Report) -> None:
    code = "import os, dj_database_url as u; print(u.config()['USER'], os.environ['ALLOWED_HOSTS'])"
    done, lines = release(rehearsal, "python", "-c", code)
    assert done == 0, lines
    assert re.fullmatch(r"django guestbook\.acme\.example,127(\.\d+){3}", lines[-1])


def summary(lines: Sequence[str]) -> dict[str, object]:
    (found,) = (json.loads(line)["release_summary"] for line in lines if "release_summary" in line)
    return dict(found)


def test_a_release_that_could_not_publish_is_refused_before_it_migrates(
    rehearsal: OpenRehearsal, report: Report, tmp_path: Path
) -> None:
    tmp_path.joinpath("boto3.py").write_text("raise ImportError\n")
    code, lines = release(rehearsal, PYTHONPATH=str(tmp_path))
    assert code == 1
    assert "the image has not: add it" in lines[-1]
    assert not any("database user" in line or "release_summary" in line for line in lines), lines


def test_the_release_may_run_again_and_says_when_a_migration_fails(
    rehearsal: OpenRehearsal, report: Report
) -> None:
    again, lines = release(rehearsal)
    assert again == 0, lines
    assert summary(lines)["new"] == []
    assert any(re.fullmatch(r"static files: 0 uploaded, \d{3} there already", line) for line in lines), lines

    # The table is there and Django does not know: the next release cannot make it.
    assert release(rehearsal, "python", "manage.py", "migrate", "entries", "zero", "--fake")[0] == 0
    try:
        failed, lines = release(rehearsal)
    finally:
        assert release(rehearsal, "python", "manage.py", "migrate", "entries", "--fake")[0] == 0
    assert failed == 1
    told = summary(lines)["failed"]
    assert isinstance(told, dict)
    assert (told["migration"], told["atomic"]) == ("entries.0001_initial", True)
    assert "already exists" in told["error"]
    assert not any("static files" in line for line in lines)
