"""A build's log: what it writes goes to CloudWatch Logs, with the rights of its service role, as CodeBuild does."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from operations.excerpts import last_lines
from rehearsal.emulator import internals_builds
from rehearsal.emulator.calls import client
from rehearsal.pipeline.errors import ActionError
from rehearsal.pipeline.roles import Credentials

_TAIL_LINES = 20
_AGENT = "[Container]"  # how the lines begin that CodeBuild itself writes
_EVERY_SECONDS = 1.0
_BATCH = 1000  # events; CloudWatch Logs takes ten thousand, and a megabyte
_LONGEST = 16_000  # characters of a line
_END_IN_TAIL = (
    240  # characters of each end of a line: an error holds few, and a traceback in one line must not push
)
# out what follows


class BuildLog:
    """The log stream of one build.

    Args:
        build_id: the build.
        project: its project.
        region: its region.
        credentials: of its service role.

    Raises:
        ActionError: the role may not make the stream.
    """

    def __init__(
        self, build_id: str, project: Mapping[str, Any], region: str, credentials: Credentials
    ) -> None:
        settings = (project.get("logsConfig") or {}).get("cloudWatchLogs") or {}
        self._logs = client("logs", region=region, credentials=credentials)
        self._group = settings.get("groupName") or f"/aws/codebuild/{project['name']}"
        prefix = settings.get("streamName")
        self._stream = "/".join(filter(None, (prefix, build_id.rpartition(":")[2])))
        self._position = 0
        self._shipped = 0.0
        self._lines: list[str] = []
        self._enabled = settings.get("status", "ENABLED") == "ENABLED"
        if not self._enabled:
            return
        try:
            if not settings.get("groupName"):
                self._make_group()
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except ClientError as error:
            message = (
                f"ACCESS_DENIED: Service role {project['serviceRole']} does not allow AWS CodeBuild to create Amazon "
                f"CloudWatch Logs log streams for build {build_id}. Error message: {error}"
            )
            raise ActionError("PermissionError", message) from error
        internals_builds.log_stream(build_id, self._group, self._stream)

    def _make_group(self) -> None:
        try:
            self._logs.create_log_group(logGroupName=self._group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise

    def ship(self, file: Path, *, last: bool = False) -> None:
        """Put what was written since the last time, at most once a second.

        Args:
            file: where the build writes.
            last: the build has ended: put all of it.
        """
        if not last and time.monotonic() - self._shipped < _EVERY_SECONDS:
            return
        self._shipped = time.monotonic()
        if not file.is_file():
            return
        with file.open("rb") as written:
            written.seek(self._position)
            content = written.read()
        whole = content if last else content[: content.rfind(b"\n") + 1]
        self._position += len(whole)
        lines = [line[:_LONGEST] for line in whole.decode(errors="replace").splitlines() if line.strip()]
        own = [_ends(line) for line in lines if not line.startswith(_AGENT)]
        self._lines = [*self._lines, *own][-2 * _TAIL_LINES :]
        now = int(time.time() * 1000)
        for start in range(0, len(lines) if self._enabled else 0, _BATCH):
            self._logs.put_log_events(
                logGroupName=self._group,
                logStreamName=self._stream,
                logEvents=[{"timestamp": now, "message": line} for line in lines[start : start + _BATCH]],
            )

    def tail(self) -> list[str]:
        """The last lines that its commands wrote, from one where something begins."""
        return last_lines(self._lines, _TAIL_LINES)


def _ends(line: str) -> str:
    """Leave the middle of a long line out."""
    if len(line) <= 2 * _END_IN_TAIL:
        return line
    return f"{line[:_END_IN_TAIL]} ... {line[-_END_IN_TAIL:]}"
