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
from tests.kept import PRODUCTION, STAGING, Kept, eventually

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


def using(kept: Kept, environment: str) -> AbstractContextManager[Tally]:
    """Let people use a site while the body runs."""
    reach = kept.open(environment)
    return people(reach["proxy"], reach["ca_file"], reach["urls"]["site"], connections=IN_FLIGHT)


def test_a_web_process_that_is_killed_is_replaced_and_costs_only_the_requests_it_held(
    kept: Kept,
) -> None:
    before = kept.tasks("WebServiceName", **IN_PRODUCTION)
    assert len(before) >= 2
    victim, address = next(iter(before.items()))

    with using(kept, "production") as tally:
        time.sleep(3)
        killed_at = time.monotonic()
        assert kept.kill(address) > 0
        replaced = eventually(
            lambda: (
                len(kept.tasks("WebServiceName", **IN_PRODUCTION)) >= len(before)
                and victim not in kept.tasks("WebServiceName", **IN_PRODUCTION)
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
def quick_redelivery(kept: Kept) -> Iterator[str]:
    """The queue, with messages of lost workers coming back soon."""
    sqs, queue = kept.client("sqs"), kept.parameter("QueueUrl")
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
def drained(kept: Kept, quick_redelivery: str) -> Drained:
    done = kept.lz("run", "--rehearsal", "--env", "staging", "--", "python", "-c", ENQUEUE)
    assert done.code == 0, done.messages
    sent, began = set(json.loads(done.output.splitlines()[-1])), milliseconds()
    assert eventually(lambda: len(finished(kept, sent)) >= 5, seconds=240)
    midway = len(finished(kept, sent))
    killed = sum(kept.kill(address) for address in kept.tasks("WorkerServiceName").values())
    eventually(lambda: finished(kept, sent) == sent, seconds=300, every=2)
    eventually(lambda: milliseconds() - began > PAUSE_MILLISECONDS, seconds=60)
    return Drained(sent, midway, killed, finished(kept, sent), began, milliseconds())


def milliseconds() -> int:
    return int(time.time() * 1000)


def test_a_worker_that_is_killed_in_the_middle_loses_no_task(kept: Kept, drained: Drained) -> None:
    assert len(drained.sent) == TASKS
    assert drained.killed > 0
    assert drained.midway < TASKS, "the worker was done before it could be killed"
    assert drained.finished == drained.sent
    assert dead_letters(kept) == 0


def test_a_database_that_may_pause_is_left_alone_when_nobody_visits(kept: Kept, drained: Drained) -> None:
    """Health checks, beat and workers go on, for as many health checks as there are in the time until it pauses."""
    assert drained.ended - drained.began > PAUSE_MILLISECONDS
    assert connections(kept, until=drained.began), "the server's log is where it is looked for"
    assert connections(kept, since=drained.began, until=drained.ended) == []


def connections(kept: Kept, *, until: int, since: int = 0) -> list[str]:
    """What the server's log says of each connection in a span of time, in milliseconds of the epoch."""
    host = kept.parameter("DatabaseHost")
    clusters = kept.client("rds").describe_db_clusters()["DBClusters"]
    (name,) = [one["DBClusterIdentifier"] for one in clusters if one["Endpoint"] == host]
    pages = kept.client("logs").get_paginator("filter_log_events")
    span = {"startTime": since, "endTime": until, "filterPattern": '"connection authorized"'}
    found = pages.paginate(logGroupName=f"/aws/rds/cluster/{name}/postgresql", **span)
    return [event["message"] for page in found for event in page["events"]]


def finished(kept: Kept, tasks: set[str]) -> set[str]:
    """The tasks that workers say they have finished."""
    logs, group = kept.client("logs"), kept.parameter("WorkerLogGroup")
    found: set[str] = set()
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            if "succeeded in" in event["message"]:
                found.update(task for task in tasks if task in event["message"])
    return found


def dead_letters(kept: Kept) -> int:
    name = "ApproximateNumberOfMessages"
    url = kept.parameter("DeadLetterQueueUrl")
    answer = kept.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def test_the_site_recovers_from_a_restart_of_the_database_with_the_same_tasks(
    kept: Kept,
) -> None:
    rds = kept.client("rds")
    host = kept.parameter("DatabaseHost")
    cluster: Any = next(one for one in rds.describe_db_clusters()["DBClusters"] if one["Endpoint"] == host)
    writer = next(one for one in cluster["DBClusterMembers"] if one["IsClusterWriter"])
    before = kept.tasks("WebServiceName")
    started = database_started(kept)

    rds.reboot_db_instance(DBInstanceIdentifier=writer["DBInstanceIdentifier"])

    deep = "https://staging.acme.example/status/deep/"
    assert eventually(lambda: database_started(kept) not in {started, ""}, seconds=90)
    assert eventually(lambda: visit(kept.door, deep).status == 200, seconds=90)
    board = "https://staging.acme.example/"
    assert [visit(kept.door, board).status for _ in range(10)] == [200] * 10
    assert kept.tasks("WebServiceName") == before
    assert STAGING in cluster["DBClusterArn"]


def database_started(kept: Kept) -> str:
    """When the server began, as it says itself; empty while it does not answer."""
    query = "from django.db import connection as c; u = c.cursor(); u.execute('SELECT pg_postmaster_start_time()')"
    words = ["python", "manage.py", "shell", "--no-imports", "-c", f"{query}; print(u.fetchone()[0])"]
    done = kept.lz("run", "--rehearsal", "--env", "staging", "--", *words)
    return done.output.strip().splitlines()[-1] if done.code == 0 else ""
