"""The configuration that SQS needs, and a schedule that lets the database sleep."""

import pytest
from django.conf import settings
from kombu.asynchronous.aws import connection as kombu_aws

from project.celery import app
from runtime import queues


def test_every_scheduled_task_runs_without_the_database() -> None:
    # No mark for the database: pytest-django fails every access to it.
    for entry in app.conf.beat_schedule.values():
        app.tasks[entry["task"]].apply(throw=True)


def test_the_schedule_is_a_file_and_there_is_no_result_backend() -> None:
    assert app.conf.beat_scheduler == "celery.beat:PersistentScheduler"
    assert app.conf.result_backend is None
    assert app.conf.task_ignore_result


def test_messages_survive_a_lost_worker_and_no_task_outlives_its_message() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert not app.conf.task_acks_on_failure_or_timeout
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < settings.VISIBILITY_TIMEOUT


def test_the_queue_is_named_and_nothing_needs_another_one() -> None:
    options = app.conf.broker_transport_options
    assert options["predefined_queues"] == {"celery": {"url": settings.QUEUE_URL}}
    assert not app.conf.worker_enable_remote_control
    assert not app.conf.worker_send_task_events
    assert app.conf.broker_url == "sqs://", "no key in the address: the task's role counts"


def test_the_worker_trusts_a_private_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kombu_aws, "get_cert_path", lambda _verify: "public")
    monkeypatch.setenv("AWS_CA_BUNDLE", "")
    queues.trust_private_ca()
    assert kombu_aws.AsyncHTTPSConnection(http_client=object()).getrequest().ca_certs == "public"
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/private-ca.pem")
    queues.trust_private_ca()
    assert kombu_aws.AsyncHTTPSConnection(http_client=object()).getrequest().ca_certs == "/etc/private-ca.pem"
