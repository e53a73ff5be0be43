"""Parts of the running organization fail, and people should hardly notice."""

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from bench.visitors import Tally, people
from rehearsal.door.sites import visit
from tests.e2e.organization import PRODUCTION, STAGING, Organization, eventually

TASKS = 50
IN_FLIGHT = 12  # clients at once, so that at most so many requests are on their way when a task dies
NOTICED_SECONDS = 3.0  # until ECS has taken a dead task out of its target group
VISIBLE_SECONDS = 20  # in place of the queue's own quarter of an hour, which a test cannot wait for
# Staging pauses after five minutes; the emulator's load balancer asks ten times as often as the template says.
PAUSE_MILLISECONDS = 30_000
IN_PRODUCTION = {"stage": "MyDjangoAppProduction", "account": PRODUCTION}

# Fifty tasks of nothing but work, some tenths of a second each: Celery's own `starmap` calls a small task often.
ENQUEUE = """
import json
from project.celery import app
small = app.signature("celery.backend_cleanup")
sent = [app.send_task("celery.starmap", kwargs={"task": small, "it": [[]] * 20000}).id for _ in range(50)]
print(json.dumps(sent))
"""


def using(organization: Organization, environment: str) -> AbstractContextManager[Tally]:
    """Let people use a site while the body runs."""
    reach = organization.open(environment)
    return people(reach["proxy"], reach["ca_file"], reach["urls"]["site"], connections=IN_FLIGHT)


def test_a_web_process_that_is_killed_is_replaced_and_costs_only_the_requests_it_held(
    organization: Organization,
) -> None:
    before = organization.tasks("WebServiceName", **IN_PRODUCTION)
    assert len(before) >= 2
    victim, address = next(iter(before.items()))

    with using(organization, "production") as tally:
        time.sleep(3)
        killed_at = time.monotonic()
        assert organization.kill(address) > 0
        replaced = eventually(
            lambda: (
                len(organization.tasks("WebServiceName", **IN_PRODUCTION)) >= len(before)
                and victim not in organization.tasks("WebServiceName", **IN_PRODUCTION)
            ),
            seconds=60,
        )
        time.sleep(3)

    assert replaced
    assert tally.statuses[200] > 100
    assert len(tally.failed_at) <= IN_FLIGHT, tally.statuses
    late = [moment - killed_at for moment in tally.failed_at if moment - killed_at > NOTICED_SECONDS]
    assert late == []


@pytest.fixture(scope="module")
def quick_redelivery(organization: Organization) -> Iterator[str]:
    """The queue, with messages of lost workers coming back soon."""
    sqs, queue = organization.client("sqs"), organization.parameter("QueueUrl")
    name = "VisibilityTimeout"
    own = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"][name]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: str(VISIBLE_SECONDS)})
    yield queue
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: own})


@dataclass(frozen=True)
class Drained:
    """Fifty tasks whose worker was killed in their middle, while nobody visited the site.

    Args:
        sent: ids of the tasks.
        midway: how many were finished when the worker was killed.
        killed: how many processes of it were.
        finished: ids of those that workers finished.
        began: when the first could be taken, in milliseconds of the epoch.
        ended: when the last was done.
    """

    sent: set[str]
    midway: int
    killed: int
    finished: set[str]
    began: int
    ended: int


@pytest.fixture(scope="module")
def drained(organization: Organization, quick_redelivery: str) -> Drained:
    done = organization.lz("run", "--rehearsal", "--env", "staging", "--", "python", "-c", ENQUEUE)
    assert done.code == 0, done.messages
    sent, began = set(json.loads(done.output.splitlines()[-1])), milliseconds()
    assert eventually(lambda: len(finished(organization, sent)) >= 5, seconds=240)
    midway = len(finished(organization, sent))
    killed = sum(organization.kill(address) for address in organization.tasks("WorkerServiceName").values())
    eventually(lambda: finished(organization, sent) == sent, seconds=300, every=2)
    eventually(lambda: milliseconds() - began > PAUSE_MILLISECONDS, seconds=60)
    return Drained(sent, midway, killed, finished(organization, sent), began, milliseconds())


def milliseconds() -> int:
    return int(time.time() * 1000)


def test_a_worker_that_is_killed_in_the_middle_loses_no_task(
    organization: Organization, drained: Drained
) -> None:
    assert len(drained.sent) == TASKS
    assert drained.killed > 0
    assert drained.midway < TASKS, "the worker was done before it could be killed"
    assert drained.finished == drained.sent
    assert dead_letters(organization) == 0


def test_a_database_that_may_pause_is_left_alone_when_nobody_visits(
    organization: Organization, drained: Drained
) -> None:
    """Health checks, beat and workers go on, for as many health checks as there are in the time until it pauses."""
    assert drained.ended - drained.began > PAUSE_MILLISECONDS
    assert connections(organization, until=drained.began), "the server's log is where it is looked for"
    assert connections(organization, since=drained.began, until=drained.ended) == []


def connections(organization: Organization, *, until: int, since: int = 0) -> list[str]:
    """What the server's log says of each connection in a span of time, in milliseconds of the epoch."""
    host = organization.parameter("DatabaseHost")
    clusters = organization.client("rds").describe_db_clusters()["DBClusters"]
    (name,) = [one["DBClusterIdentifier"] for one in clusters if one["Endpoint"] == host]
    pages = organization.client("logs").get_paginator("filter_log_events")
    span = {"startTime": since, "endTime": until, "filterPattern": '"connection authorized"'}
    found = pages.paginate(logGroupName=f"/aws/rds/cluster/{name}/postgresql", **span)
    return [event["message"] for page in found for event in page["events"]]


def finished(organization: Organization, tasks: set[str]) -> set[str]:
    """The tasks that workers say they have finished."""
    logs, group = organization.client("logs"), organization.parameter("WorkerLogGroup")
    found: set[str] = set()
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            if "succeeded in" in event["message"]:
                found.update(task for task in tasks if task in event["message"])
    return found


def dead_letters(organization: Organization) -> int:
    name = "ApproximateNumberOfMessages"
    url = organization.parameter("DeadLetterQueueUrl")
    answer = organization.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def test_the_site_recovers_from_a_restart_of_the_database_with_the_same_tasks(
    organization: Organization,
) -> None:
    rds = organization.client("rds")
    host = organization.parameter("DatabaseHost")
    cluster: Any = next(one for one in rds.describe_db_clusters()["DBClusters"] if one["Endpoint"] == host)
    writer = next(one for one in cluster["DBClusterMembers"] if one["IsClusterWriter"])
    before = organization.tasks("WebServiceName")
    started = database_started(organization)

    rds.reboot_db_instance(DBInstanceIdentifier=writer["DBInstanceIdentifier"])

    deep = "https://staging.acme.example/status/deep/"
    assert eventually(lambda: database_started(organization) not in {started, ""}, seconds=90)
    assert eventually(lambda: visit(organization.door, deep).status == 200, seconds=90)
    board = "https://staging.acme.example/"
    assert [visit(organization.door, board).status for _ in range(10)] == [200] * 10
    assert organization.tasks("WebServiceName") == before
    assert STAGING in cluster["DBClusterArn"]


def database_started(organization: Organization) -> str:
    """When the server began, as it says itself; empty while it does not answer."""
    query = "from django.db import connection as c; u = c.cursor(); u.execute('SELECT pg_postmaster_start_time()')"
    words = ["python", "manage.py", "shell", "--no-imports", "-c", f"{query}; print(u.fetchone()[0])"]
    done = organization.lz("run", "--rehearsal", "--env", "staging", "--", *words)
    return done.output.strip().splitlines()[-1] if done.code == 0 else ""
