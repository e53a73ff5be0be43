"""Which image to return to, and what of the database stands against it: from the release records and the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.stages import StageRef
from operations.errors import CommandError
from operations.releases.outcome import Listener
from operations.releases.record import ReleaseRecord
from operations.releases.serving import DIGEST

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

SHORTEST = 8  # hexadecimal digits with which a digest may be named
SAID = ("release_summary", "Applying")  # in what lines a release task says what it has applied


@dataclass(frozen=True)
class Choice:
    """Where to go back to.

    Args:
        digest: the image.
        record: its newest record; None for the image of a release that was never recorded.
        newer: the records that came after it, the newest first.
    """

    digest: str
    record: ReleaseRecord | None
    newer: tuple[ReleaseRecord, ...]


def choose(
    stage: StageRef,
    records: Sequence[ReleaseRecord],
    running: Iterable[str],
    *,
    wanted: str | None,
    released: str,
) -> Choice:
    """Find the image to return to.

    Without a wish it is the one that was recorded before what runs; if something runs that was never recorded, the one
    that was recorded last.

    Args:
        stage: the environment.
        records: its records, the newest first.
        running: digests that run now.
        wanted: digest or the beginning of one, if somebody wishes.
        released: digest of the last release task, whether its release ended well or not.

    Raises:
        CommandError: there is no such image, or nothing to return to.
    """
    runs = set(running)
    digests = [record.images[stage.workload_name] for record in records]
    if wanted is not None:
        digest = _complete(wanted, [*digests, released])
    elif digests and runs == {digests[0]} and released not in runs:
        # ECS or CloudFormation went back already; one step further would be one too many.
        message = f"the last release of {stage.key} ({released}) does not run: the last good one does already"
        raise CommandError(message, fix="to go back further, name the image: --to sha256:...", exit_code=1)
    elif digests and runs - set(digests):  # all of it, or what ECS did not take back
        digest = digests[0]
    else:
        first = next((place for place, digest in enumerate(digests) if digest in runs), -1)
        earlier = [digest for digest in digests[first + 1 :] if digest not in runs]
        if not earlier:
            message = (
                f"{stage.key} has no recorded release before the one that runs; {len(records)} are recorded"
            )
            fix = "name an image: --to sha256:...; `git log` and the registry know them"
            raise CommandError(message, fix=fix, exit_code=1)
        digest = earlier[0]
    if digest in digests:
        place = digests.index(digest)
        return Choice(digest, records[place], tuple(records[:place]))
    if digest == released:
        return Choice(
            digest, None, ()
        )  # it is the newest there is: its migrations ran, and nothing came after it
    return Choice(digest, None, tuple(records))


def _complete(wanted: str, known: Sequence[str]) -> str:
    """Return the whole digest that somebody means.

    Raises:
        CommandError: no image, or several, begin like this.
    """
    text = wanted if wanted.startswith("sha256:") else f"sha256:{wanted}"
    if DIGEST.fullmatch(text):
        return text
    found = sorted({digest for digest in known if digest.startswith(text)})
    if len(text) - len("sha256:") < SHORTEST or len(found) != 1:
        message = f'"{wanted}" is not the digest of a recorded image'
        listed = ", ".join(dict.fromkeys(digest[: len("sha256:") + 12] for digest in known)) or "none"
        fix = f"give {SHORTEST} hexadecimal digits or more of one of these, or a whole digest: {listed}"
        raise CommandError(message, fix=fix)
    return found[0]


def dangers(choice: Choice, since: Iterable[str], *, recorded_last: ReleaseRecord | None) -> tuple[str, ...]:
    """List what the image may not be able to live with: migrations that came after it.

    Args:
        choice: where to go back to.
        since: `app.name` of what release tasks have applied after the last record.
        recorded_last: the last record.
    """
    found = []
    for record in choice.newer:
        when = f"released {record.time:%Y-%m-%d %H:%M}"
        if record.applied is None:
            found.append(f"which migrations came with what was {when} is not known")
        for migration in record.new_migrations:
            if not migration.lets_the_version_before_run:
                reasons = [f"{one.rule}: {one.text}" for one in migration.concerns if one.effect != "locks"]
                found.append(f"{migration.key} ({when}): {'; '.join(reasons) or 'it could not be judged'}")
    if choice.record is None and choice.newer:
        found.append("this image was never recorded here, so nobody knows which migrations it needs")
    applied = (recorded_last.applied if recorded_last else None) or {}
    known = {f"{app}.{name}" for app, names in applied.items() for name in names}
    is_newest = choice.record is None and not choice.newer
    unjudged = () if is_newest else sorted(set(since) - known)
    found += [
        f"{key}: applied by a release that did not end well, or by hand; never judged" for key in unjudged
    ]
    return tuple(found)


def applied_since(logs: "CloudWatchLogsClient", group: str, start: ReleaseRecord | None) -> tuple[str, ...]:
    """Read in the log of the release tasks which migrations they have applied.

    Args:
        logs: client of the workload account.
        group: log group of the release task.
        start: look at what came after this record; at everything if None.
    """
    listener = Listener()
    since: dict[str, Any] = {} if start is None else {"startTime": int(start.time.timestamp() * 1000)}
    for term in SAID:
        pattern = f'"{term}"'
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=pattern, **since
        )
        for page in pages:
            for event in page["events"]:
                listener.hear(event["message"])
    return listener.applied
