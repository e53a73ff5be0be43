"""The long task: its progress in the database, and what happens when it is delivered twice or fails."""

import urllib.request
from datetime import timedelta

import boto3
import pytest
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from fieldnotes import tasks
from fieldnotes.models import Journal, Note
from fieldnotes.tasks import bind_journal
from tests.settings import STAGE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("aws", "built")]

HOST = {"host": "notes.example.com", "x-forwarded-proto": "https"}


@pytest.fixture
def browser() -> Client:
    return Client(headers=HOST)


@pytest.fixture(autouse=True)
def _notes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "SECONDS_PER_PAGE", 0.0)
    for number in range(3):
        text = "A long line of words. " * 50 + "\n\nAnd another paragraph."
        Note.objects.create(
            title=f"Note {number}", place="Here", text=text, author="Ada", published=number < 2
        )


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the task where it is asked for, as a worker would."""
    monkeypatch.setattr(bind_journal, "delay", lambda *args: bind_journal.apply(args, throw=True))


@pytest.mark.usefixtures("eager")
def test_binds_the_published_notes_while_the_page_sees_every_step(
    browser: Client, django_capture_on_commit_callbacks: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    update = Journal.update

    def spy(journal: Journal, **values: object) -> None:
        update(journal, **values)
        state = browser.get(f"/journals/{journal.pk}/state/").json()
        seen.append((state["status"], state["done"], state["total"], state["percent"], state["active"]))

    monkeypatch.setattr(Journal, "update", spy)
    with django_capture_on_commit_callbacks(execute=True):
        started = browser.post("/journals/new/")
    assert seen == [
        ("running", 0, 3, 0, True),
        ("running", 1, 3, 33, True),
        ("running", 2, 3, 66, True),
        ("running", 3, 3, 100, True),
        ("done", 3, 3, 100, False),
    ]
    page = browser.get(started["Location"])
    assert b"Bound" in page.content
    assert b'value="100"' in page.content
    signed = browser.get(f"{started['Location']}file/")["Location"]
    with urllib.request.urlopen(signed) as pdf:  # noqa: S310
        assert pdf.read().startswith(b"%PDF")


def test_a_request_only_queues_the_task(browser: Client, django_capture_on_commit_callbacks: object) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/journals/new/")
    assert Journal.objects.get().status == "queued"
    count = boto3.client("sqs").get_queue_attributes(
        QueueUrl=STAGE["CELERY_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert count["Attributes"]["ApproximateNumberOfMessages"] == "1"


def test_a_second_click_shows_the_journal_that_is_being_bound(browser: Client) -> None:
    first, second = (browser.post("/journals/new/")["Location"] for _ in range(2))
    assert first == second
    assert Journal.objects.count() == 1


def test_a_journal_that_lost_its_worker_for_good_makes_room(browser: Client) -> None:
    lost = Journal.objects.create(status="running", updated_at=timezone.now() - timedelta(hours=2))
    browser.post("/journals/new/")
    lost.refresh_from_db()
    assert lost.status == "failed"
    assert Journal.objects.filter(status="queued").count() == 1


def test_a_message_that_comes_twice_binds_once() -> None:
    journal = Journal.objects.create()
    for _ in range(2):
        bind_journal(str(journal.pk))
    journal.refresh_from_db()
    assert (journal.status, journal.attempts) == ("done", 1)


def test_a_message_of_a_lost_worker_starts_anew() -> None:
    journal = Journal.objects.create(status="running", pages_done=2, pages_total=3, attempts=1)
    bind_journal(str(journal.pk))
    journal.refresh_from_db()
    assert (journal.status, journal.attempts, journal.pages_done) == ("done", 2, 3)


def test_a_failure_is_shown_and_raised_and_may_be_tried_again(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.objects.create()

    def jam(*_: object, **__: object) -> None:
        raise RuntimeError("no paper")

    with monkeypatch.context() as patch:
        patch.setattr(tasks.bookbinding, "pages", jam)
        with pytest.raises(RuntimeError, match="no paper"):
            bind_journal(str(journal.pk))
    assert b"Something went wrong" in browser.get(f"/journals/{journal.pk}/").content
    newer = Journal.objects.create()
    bind_journal(str(journal.pk))  # delivered again, but the visitor started another one
    journal.refresh_from_db()
    assert journal.status == "failed"
    bind_journal(str(newer.pk))
    bind_journal(str(journal.pk))
    journal.refresh_from_db()
    assert journal.status == "done"


def test_a_journal_that_is_gone_is_no_error() -> None:
    bind_journal("00000000-0000-0000-0000-000000000000")


def test_a_queue_out_of_reach_is_said_to_the_visitor(
    browser: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    def unreachable(*_: object) -> None:
        raise OperationalError("no route to host")

    monkeypatch.setattr(bind_journal, "delay", unreachable)
    monkeypatch.setattr("fieldnotes.views.transaction.on_commit", lambda send: send())
    page = browser.post("/journals/new/", follow=True)
    assert b"The queue could not be reached" in page.content
    assert Journal.objects.get().status == "failed"


def test_a_file_that_is_not_there_yet_is_not_found(browser: Client) -> None:
    journal = Journal.objects.create()
    assert browser.get(f"/journals/{journal.pk}/file/").status_code == 404
    assert browser.get("/journals/").status_code == 200
