"""Health: what the load balancer asks, and what the smoke test asks after a deployment."""

import json

import boto3
import pytest
from django.db import connection
from django.test import Client

from runtime import status
from tests.settings import STAGE


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_FRESH_FOR", -1.0)


def test_the_load_balancer_gets_ok_with_an_address_as_host_and_without_tls_and_database() -> None:
    # No mark for the database: pytest-django fails every access to it.
    response = Client().get("/status/", headers={"host": "10.0.1.23:8000"})
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response["Cache-Control"] == "no-store"


def test_other_pages_check_the_host_and_insist_on_tls() -> None:
    assert Client().get("/journals/", headers={"host": "10.0.1.23:8000"}, secure=True).status_code == 400
    redirect = Client().get("/journals/", headers={"host": "notes.example.com"})
    assert redirect.status_code == 301
    assert redirect["Location"] == "https://notes.example.com/journals/"


@pytest.mark.usefixtures("built")
def test_the_proxy_tells_that_the_visitor_came_over_tls() -> None:
    host = {"host": "notes.example.com"}
    assert Client().get("/nowhere/", headers={**host, "x-forwarded-proto": "https"}).status_code == 404
    assert Client().get("/nowhere/", headers={**host, "x-forwarded-proto": "http"}).status_code == 301


@pytest.mark.django_db
@pytest.mark.usefixtures("aws")
def test_the_deep_check_is_ok_with_database_migrations_and_queue() -> None:
    response = Client().get("/status/deep/")
    assert response.json() == {
        "status": "ok",
        "environment": "Testing",
        "revision": "unknown",
        "checks": {"database": "ok", "migrations": "ok", "queue": "ok"},
    }
    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("aws")
def test_the_deep_check_fails_while_a_migration_is_pending_and_recovers() -> None:
    deep = status.DeepStatus()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'fieldnotes'")
        assert deep.read()["checks"] == {"database": "ok", "migrations": "pending", "queue": "ok"}
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('fieldnotes', '0001_initial', now())"
        )
    assert deep.read()["status"] == "ok"


@pytest.mark.django_db
@pytest.mark.usefixtures("aws")
def test_the_deep_check_fails_without_the_queue_and_tells_no_detail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    boto3.client("sqs").delete_queue(QueueUrl=STAGE["CELERY_QUEUE_URL"])
    response = Client().get("/status/deep/")
    assert response.status_code == 503
    assert response.json()["checks"]["queue"] == "failing"
    body = json.dumps(response.json())
    for secret in ("123456789012", "127.0.0.1", STAGE["DATABASE_PASSWORD"], "celery"):
        assert secret not in body
    assert "NonExistentQueue" in caplog.text


def test_the_deep_check_is_remembered_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_FRESH_FOR", 60.0)
    deep = status.DeepStatus()
    asked = []
    for name in ("_database", "_migrations", "_queue"):
        monkeypatch.setattr(deep, name, lambda name=name: asked.append(name) or "ok")
    assert deep.read() == deep.read()
    assert asked == ["_database", "_migrations", "_queue"]
