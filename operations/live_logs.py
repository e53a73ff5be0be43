"""What the running tasks of services write: their last lines, and what comes after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from operations.stopped_tasks import harmless
from operations.task_streams import log_options, log_stream

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient

_SHORT_ID = 8  # characters of a task's id: enough to tell an environment's tasks apart
_PAGES = 5  # of one log in one look: who writes faster than it is read must not silence the others
_SILENT_LOOKS = 3  # after which the log of a task that has ended is left


@dataclass(frozen=True)
class Line:
    """One line that a task wrote.

    Args:
        moment: when, in milliseconds since 1970 (CloudWatch Logs API Reference, OutputLogEvent).
        process: `web`, `worker` or `beat`.
        task: the beginning of its task's id.
        text: made fit for a terminal; the usual forms of passwords are hidden.
    """

    moment: int
    process: str
    task: str
    text: str

    def told(self) -> str:
        """It with its time in UTC and where it comes from."""
        time = datetime.fromtimestamp(self.moment / 1000, UTC)
        return f"{time:%Y-%m-%d %H:%M:%S} {self.process} {self.task}  {self.text}"


class LiveLogs:
    """Reads the logs of services' running tasks, each line once.

    Args:
        ecs: client of the workload account.
        logs: client of the workload account.
        cluster: name of the cluster.
        services: process type -> name of its service.
    """

    def __init__(
        self, ecs: "ECSClient", logs: "CloudWatchLogsClient", cluster: str, services: Mapping[str, str]
    ) -> None:
        self._ecs = ecs
        self._logs = logs
        self._cluster = cluster
        self._services = services
        self._running: set[str] = set()  # ARNs of tasks
        self._streams: dict[str, list[_Stream]] = {}  # ARN of the task -> where its containers write
        self._options: dict[str, Mapping[str, Mapping[str, str]]] = {}

    @property
    def processes(self) -> Sequence[str]:
        """The process types whose tasks are read."""
        return tuple(self._services)

    def last(self, number: int) -> Sequence[Line]:
        """Return the last lines of the tasks that were found, the oldest first.

        Args:
            number: of lines of each task's container, at most.
        """
        return self._in_order(line for stream in self._known() for line in stream.last(number))

    def new(self) -> Sequence[Line]:
        """Return what was written since, the oldest first; of a log that grows fast only as much as one look allows."""
        found = self._in_order(line for stream in self._known() for line in stream.new())
        for arn in [arn for arn in self._streams if arn not in self._running]:
            if all(stream.silent_looks >= _SILENT_LOOKS for stream in self._streams[arn]):
                del self._streams[arn]
        return found

    def find_tasks(self) -> Sequence[str]:
        """Find the tasks that run now; those that are new are read from their beginning.

        Returns:
            Processes of which no task runs. What ended is still read for a while: it may have last words.
        """
        self._running.clear()
        return [process for process, service in self._services.items() if not self._find(process, service)]

    def _find(self, process: str, service: str) -> bool:
        found = False
        pages = self._ecs.get_paginator("list_tasks").paginate(cluster=self._cluster, serviceName=service)
        for page in pages:
            found = found or bool(page["taskArns"])
            self._running.update(page["taskArns"])
            unknown = [arn for arn in page["taskArns"] if arn not in self._streams]
            if unknown:
                for task in self._ecs.describe_tasks(cluster=self._cluster, tasks=unknown)["tasks"]:
                    self._streams[task["taskArn"]] = list(self._streams_of(process, task))
        return found

    def _streams_of(self, process: str, task: Mapping[str, Any]) -> Iterator["_Stream"]:
        arn, definition = task["taskArn"], task["taskDefinitionArn"]
        if definition not in self._options:
            self._options[definition] = log_options(self._ecs, definition)
        for container, options in self._options[definition].items():
            place = log_stream(options, container, arn)
            if place is not None:
                yield _Stream(self._logs, place, process, arn.rpartition("/")[2][:_SHORT_ID])

    def _known(self) -> Iterator["_Stream"]:
        for streams in self._streams.values():
            yield from streams

    @staticmethod
    def _in_order(lines: Iterator[Line]) -> Sequence[Line]:
        return sorted(lines, key=lambda line: line.moment)  # lines of one task keep their order


class _Stream:
    """The log of one container.

    Args:
        logs: client of the workload account.
        place: log group and stream; the stream is there once something was written.
        process: `web`, `worker` or `beat`.
        task: the beginning of its task's id.

    Attributes:
        silent_looks: how often in a row there was nothing new.
    """

    def __init__(self, logs: "CloudWatchLogsClient", place: tuple[str, str], process: str, task: str) -> None:
        self._logs = logs
        self._place = place
        self._process = process
        self._task = task
        self._token = ""
        self._moment = 0
        self.silent_looks = 0

    def last(self, number: int) -> Iterator[Line]:
        """Give its last lines.

        Args:
            number: of events, at most.
        """
        found: list[Any] = []
        forward, token = "", ""
        while len(found) < number:
            page = self._page(limit=number - len(found), startFromHead=False, **_going_on(token))
            if page is None:
                break
            forward = forward or page["nextForwardToken"]
            found = [*page["events"], *found]
            if (
                page["nextBackwardToken"] == token
            ):  # the beginning; a page before it may be empty all the same
                break
            token = page["nextBackwardToken"]
        self._token = forward
        yield from self._lines(found)

    def new(self) -> Iterator[Line]:
        """Give what was written since."""
        found = 0
        for _ in range(_PAGES):
            before = self._token
            # A token that goes forward wants this said again (CloudWatch Logs API Reference, GetLogEvents).
            page = self._page(startFromHead=True, **_going_on(before))
            if page is None:
                break
            self._token = page["nextForwardToken"]
            found += len(page["events"])
            yield from self._lines(page["events"])
            if self._token == before:  # the end of the stream is the token that was sent
                break
        self.silent_looks = 0 if found else self.silent_looks + 1

    def _page(self, **how: Any) -> Any:
        """Read a page; None while there is no such stream."""
        group, stream = self._place
        try:
            return self._logs.get_log_events(logGroupName=group, logStreamName=stream, **how)
        except self._logs.exceptions.ResourceNotFoundException:
            return None
        except self._logs.exceptions.InvalidParameterException:
            if "nextToken" not in how:
                raise
            # Tokens last for a day, and a silent log gives the same one all the time.
            del how["nextToken"]
            since: dict[str, Any] = {"startTime": self._moment + 1} if self._moment else {}
            return self._logs.get_log_events(logGroupName=group, logStreamName=stream, **how, **since)

    def _lines(self, events: Sequence[Any]) -> Iterator[Line]:
        for event in events:
            self._moment = max(self._moment, event["timestamp"])
            for text in event["message"].splitlines():
                if text.strip():
                    yield Line(event["timestamp"], self._process, self._task, harmless(text))


def _going_on(token: str) -> dict[str, str]:
    return {"nextToken": token} if token else {}
