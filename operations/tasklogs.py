"""The log of a running task, as it grows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


class TaskLog:
    """Reads one log stream from its beginning, each line once.

    Args:
        logs: client of the account that holds the log.
        group: log group.
        stream: log stream; it may not exist yet.
    """

    def __init__(self, logs: "CloudWatchLogsClient", group: str, stream: str) -> None:
        self._logs = logs
        self._group = group
        self._stream = stream
        self._token: str | None = None

    def new_lines(self) -> Iterator[str]:
        """Yield what was written since the last call; nothing while the stream does not exist."""
        while True:
            try:
                answer = (
                    self._logs.get_log_events(
                        logGroupName=self._group, logStreamName=self._stream, startFromHead=True
                    )
                    if self._token is None
                    else self._logs.get_log_events(
                        logGroupName=self._group,
                        logStreamName=self._stream,
                        startFromHead=True,
                        nextToken=self._token,
                    )
                )
            except self._logs.exceptions.ResourceNotFoundException:
                return
            for event in answer["events"]:
                yield event["message"]
            # The end of a stream is the token that was sent; an empty page may have more behind it.
            if answer["nextForwardToken"] == self._token:
                return
            self._token = answer["nextForwardToken"]
