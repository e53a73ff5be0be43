"""The start scripts as containers run them: real gunicorn, real worker, real beat, real signals."""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.db import connections

from development.postgres import Postgres, free_port
from fieldnotes.models import Journal, Note
from project.celery import app
from tests.conftest import eventually, superuser
from tests.settings import STAGE, WORK

Start = Callable[..., subprocess.Popen[bytes]]
HEADERS = {"Host": "notes.example.com", "X-Forwarded-Proto": "https", "X-Request-Id": "live-12345678"}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws")]


def lines(log: Path) -> list[dict[str, Any]]:
    """Every line of a container's output is a JSON object, but for Celery's last words."""
    said = [line for line in log.read_text().splitlines() if line and not line.startswith("worker: ")]
    return [json.loads(line) for line in said]


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def get(port: int, path: str, *, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    address = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(address, headers={**HEADERS, **headers}, method=method)
    try:
        with urllib.request.build_opener(_StayHere).open(request, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers
    except (urllib.error.URLError, ConnectionError):
        return 0, b"", {}


def connected() -> int:
    """Return how many connections the application holds right now."""
    with superuser() as root:
        [count] = root.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'fieldnotes' AND pid <> pg_backend_pid()"
        ).fetchone()
        return int(count)


def test_web_serves_logs_keeps_no_connection_survives_the_database_and_ends_gracefully(
    built: Path, start: Start, postgres: Postgres, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    web = start(str(built / "bin/web"), cwd=built, log=log, PORT=str(port), BIND_HOST="127.0.0.1")
    assert eventually(lambda: get(port, "/status/", Host="10.0.0.7")[0] == 200)
    connections.close_all()
    assert connected() == 0

    status, page, headers = get(port, "/?secret=no")
    assert status == 200
    assert b"What people saw" in page
    assert headers["X-Request-Id"] == "live-12345678"
    assert connected() == 0, "nothing keeps a database from pausing"

    postgres.stop()
    assert get(port, "/status/", Host="10.0.0.7")[0] == 200
    assert get(port, "/")[0] == 500
    status, body, _ = get(port, "/status/deep/")
    assert status == 503
    assert json.loads(body)["checks"] == {"database": "failing", "migrations": "failing", "queue": "ok"}
    postgres.start()
    assert get(port, "/")[0] == 200

    web.send_signal(signal.SIGTERM)
    assert web.wait(timeout=10) == 0
    access = [line for line in lines(log) if line["logger"] == "gunicorn.access"]
    assert {"path": "/", "status": 200, "method": "GET", "request_id": "live-12345678"}.items() <= access[
        0
    ].items()
    assert "/status/" not in {line["path"] for line in access}
    assert "secret=no" not in log.read_text()
    assert any(
        "OperationalError" in line.get("exception", "") for line in lines(log) if line["level"] == "ERROR"
    )
    assert STAGE["DATABASE_PASSWORD"] not in log.read_text()


def waiting(queue: str = "celery") -> dict[str, str]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = STAGE["CELERY_QUEUE_URL"].replace("/celery", f"/{queue}")
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return {"visible": found[names[0]], "hidden": found[names[1]]}


EMPTY = {"visible": "0", "hidden": "0"}


def test_a_click_becomes_a_task_that_a_stopping_worker_finishes(
    built: Path, start: Start, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "worker"
    start(str(built / "bin/web"), cwd=built, PORT=str(port), BIND_HOST="127.0.0.1")
    worker = start(str(built / "bin/worker"), cwd=built, log=log, CELERY_SOFT_SHUTDOWN_SECONDS="2")
    assert eventually(lambda: get(port, "/status/")[0] == 200)

    _, page, headers = get(port, "/journals/")
    form = {
        "X-CSRFToken": page.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0],
        "Cookie": headers["Set-Cookie"].split(";")[0],
        "Referer": "https://notes.example.com/journals/",
    }
    assert get(port, "/journals/new/", method="POST", **form)[0] == 302
    assert eventually(lambda: Journal.objects.filter(pages_done__gt=0).exists()), log.read_text()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0

    assert Journal.objects.get().status == "done"
    assert waiting() == EMPTY, "the message is acknowledged"
    bound = next(line for line in lines(log) if line["message"] == "journal bound")
    assert bound["request_id"] == "live-12345678", "the id of the request that asked for it"
    connections.close_all()
    assert connected() == 0


def test_a_stopping_worker_gives_back_what_it_cannot_finish(
    built: Path, start: Start, tmp_path: Path
) -> None:
    for number in range(5):
        Note.objects.create(title=f"Note {number}", place="Here", text="Text", author="Ada", published=True)
    journal, log = Journal.objects.create(), tmp_path / "worker"
    worker = start(str(built / "bin/worker"), cwd=built, log=log, CELERY_SOFT_SHUTDOWN_SECONDS="1")
    app.send_task("fieldnotes.tasks.bind_journal", args=[str(journal.pk)])
    assert eventually(lambda: Journal.objects.filter(pages_done__gt=0).exists()), log.read_text()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=20) == 0
    journal.refresh_from_db()
    assert journal.status == "running", "neither finished nor failed"
    assert sum(map(int, waiting().values())) == 1, "seconds later another worker gets the message"


def test_a_failing_task_rests_in_the_dead_letter_queue_and_others_go_on(
    built: Path, start: Start, tmp_path: Path
) -> None:
    boto3.client("sqs").set_queue_attributes(
        QueueUrl=STAGE["CELERY_QUEUE_URL"], Attributes={"VisibilityTimeout": "1"}
    )
    log = tmp_path / "worker"
    start(str(built / "bin/worker"), cwd=built, log=log, CELERY_SOFT_SHUTDOWN_SECONDS="0")
    app.send_task("fieldnotes.tasks.bind_journal", args=["no uuid"])
    app.send_task("runtime.queues.report_latency")
    assert eventually(lambda: waiting("dead")["visible"] == "1", seconds=25), log.read_text()
    assert waiting() == EMPTY
    failures = [line for line in lines(log) if "is not a valid UUID" in line.get("exception", "")]
    assert len(failures) == 2, "as often as the queue lets it be received"
    latency = next(line for line in lines(log) if line["message"] == "queue latency")
    assert 0 < latency["queue_latency_seconds"] < 20


def test_beat_runs_without_the_database_and_keeps_its_schedule_in_a_file(
    built: Path, start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "beat"
    connections.close_all()
    beat = start(str(built / "bin/beat"), cwd=built, log=log)
    assert eventually(lambda: list(WORK.glob("celerybeat-schedule*")))
    assert eventually(lambda: any(line["message"] == "beat: Starting..." for line in lines(log)))
    assert connected() == 0
    beat.send_signal(signal.SIGTERM)
    assert beat.wait(timeout=10) == 0
