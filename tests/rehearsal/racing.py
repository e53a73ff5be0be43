"""Reads MiniStack's state while other threads change it: `python -m tests.rehearsal.racing [as-it-is]`.

A process of its own, because it changes MiniStack for good, and lets threads take turns at every chance. Prints how
often each way of reading failed, as JSON; `as-it-is` leaves MiniStack without the emulator's changes.
"""

import itertools
import json
import sys
import threading
import time
from collections.abc import Callable

from ministack.services import cloudwatch_logs, ecs, s3

from rehearsal.emulator import internals_iam, internals_threads
from rehearsal.emulator.internals import scope

SECONDS = 0.4  # for each; without the emulator's changes all fail within the first tenth
KEPT = 300  # what is in each store from the beginning; a release leaves about as many sessions
REGION = "eu-west-1"
ACCOUNTS = ("111111111111", "222222222222", "333333333333")
Step = Callable[[str], object]


def sessions() -> tuple[Step, Step]:
    """Roles for actions and tasks, beside requests to STS."""
    numbers = itertools.count()

    def assume(account: str) -> None:
        internals_iam.role_session(f"arn:aws:iam::{account}:role/r", f"s{next(numbers)}")

    for _ in range(KEPT):
        assume(ACCOUNTS[0])
    return assume, assume


def buckets() -> tuple[Step, Step]:
    """Whose a bucket is, while stacks make others."""
    for number in range(KEPT):
        with scope(ACCOUNTS[0], REGION):
            s3._buckets[f"kept-{number}"] = {}

    def change(account: str) -> None:
        s3._buckets[f"of-{account}"] = {}
        del s3._buckets[f"of-{account}"]

    return lambda _: s3._bucket_owner_account("nobodys"), change


def log_streams() -> tuple[Step, Step]:
    """What a log group holds, while tasks begin and each has a stream of its own."""
    for account in ACCOUNTS:
        with scope(account, REGION):
            cloudwatch_logs._create_log_group({"logGroupName": "/app"})
            for number in range(KEPT):
                cloudwatch_logs._create_log_stream({"logGroupName": "/app", "logStreamName": f"{number}"})
    group = {"logGroupName": "/app"}

    def change(_account: str) -> None:
        cloudwatch_logs._create_log_stream({**group, "logStreamName": "new"})
        cloudwatch_logs._delete_log_stream({**group, "logStreamName": "new"})

    return lambda _: cloudwatch_logs._describe_log_groups({}), change


def task_records() -> tuple[Step, Step]:
    """What a service's record says, while its tasks come and go."""
    record: dict[str, object] = {f"member{number}": {} for number in range(KEPT)}

    def change(account: str) -> None:
        if record.pop(account, None) is None:
            record[account] = {}

    return lambda _: ecs._sanitize(record), change


def failures(read: Step, change: Step) -> int:
    """Read in this thread, while two for each account change."""
    end = time.monotonic() + SECONDS

    def keep_changing(account: str) -> None:
        with scope(account, REGION):
            while time.monotonic() < end:
                change(account)

    # Those that change may walk as well, and fail as those that read; one of them does not end the others.
    failed = []
    threading.excepthook = lambda given: failed.append(str(given.exc_value))
    threads = [threading.Thread(target=keep_changing, args=(account,)) for account in ACCOUNTS]
    for thread in threads:
        thread.start()
    with scope(ACCOUNTS[0], REGION):
        while time.monotonic() < end:
            try:
                read(ACCOUNTS[0])
            except RuntimeError as error:
                failed.append(str(error))
    for thread in threads:
        thread.join()
    return len(failed)


def main() -> None:
    """Try all of them."""
    if sys.argv[1:] != ["as-it-is"]:
        internals_threads.keep_stores_steady()
    sys.setswitchinterval(1e-6)
    json.dump(
        {race.__name__: failures(*race()) for race in (sessions, buckets, log_streams, task_records)},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
