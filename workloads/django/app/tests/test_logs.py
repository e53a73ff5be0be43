"""One JSON object a line, with the request's id, and no secrets."""

import json
import logging
import sys

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from runtime import logs
from runtime.requests import RequestIdMiddleware, identify

factory = RequestFactory()


def record(message: str = "hello", **extra: object) -> logging.LogRecord:
    return logging.getLogger("somewhere").makeRecord(
        "somewhere", logging.INFO, "f", 1, message, (), None, extra=extra
    )


def test_a_line_has_its_extra_fields_and_the_request_id() -> None:
    token = logs.request_id.set("req-12345678")
    line = json.loads(logs.JsonFormatter().format(record(pages=7, place="Ærø")))
    logs.request_id.reset(token)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "somewhere",
        "message": "hello",
        "pages": 7,
        "place": "Ærø",
        "request_id": "req-12345678",
    }


def test_an_exception_stays_on_one_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        failed = record()
        failed.exc_info = sys.exc_info()
    text = logs.JsonFormatter().format(failed)
    assert "\n" not in text
    assert "ValueError: two" in json.loads(text)["exception"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-Id": "abc-12345"}, "abc-12345"),
        (
            {"X-Amzn-Trace-Id": "Self=1-2-3;Root=1-67891233-abcdef012345678912345678"},
            "1-67891233-abcdef012345678912345678",
        ),
        ({"X-Request-Id": 'evil"\n}', "X-Amzn-Trace-Id": "Root=1-aaaaaaaa-b"}, "1-aaaaaaaa-b"),
    ],
)
def test_the_id_comes_from_the_caller_or_the_load_balancer(headers: dict[str, str], expected: str) -> None:
    assert identify(factory.get("/", headers=headers)) == expected


def test_a_request_without_a_usable_id_gets_a_new_one() -> None:
    first, second = (identify(factory.get("/", headers={"X-Request-Id": "x" * 500})) for _ in range(2))
    assert first != second
    assert len(first) == 32


def test_every_line_of_a_request_has_its_id_and_later_lines_have_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(logs.request_id.get())
        return HttpResponse()

    response = RequestIdMiddleware(view)(factory.get("/", headers={"X-Request-Id": "req-12345678"}))
    assert seen == ["req-12345678"]
    assert response["X-Request-Id"] == "req-12345678"
    assert logs.request_id.get() == ""


@pytest.mark.usefixtures("built")
def test_an_error_page_still_has_the_id() -> None:
    headers = {"host": "notes.example.com", "x-forwarded-proto": "https", "x-request-id": "req-12345678"}
    assert Client(headers=headers).get("/nowhere/")["X-Request-Id"] == "req-12345678"


def test_health_checks_that_went_well_leave_no_line() -> None:
    def access(path: str, status: str) -> logging.LogRecord:
        line = record()
        line.args = {"U": path, "s": status}
        return line

    keep = logs.HealthCheckFilter().filter
    assert not keep(access("/status/", "200"))
    assert keep(access("/status/", "503"))
    assert keep(access("/status/deep/", "200"))
    assert keep(record())
