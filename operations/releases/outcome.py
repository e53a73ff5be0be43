"""What the release task said about the migrations, read from its log as it comes."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from config.models import Model
from operations.errors import CommandError

FILE = "release.json"
SUMMARY = "release_summary"  # the field of the log's last line; runtime/migrations.py of the sample project writes it
# As Django's `migrate` prints it; a project of its own may say no more than that.
_APPLYING = re.compile(r"\bApplying ([A-Za-z_]\w*)\.(\w+)\.\.\.(.*)")

SaidBy = Literal["summary", "django", "nobody"]


class FailedMigration(Model):
    """The migration that stopped the release."""

    migration: str
    atomic: bool | None = None
    error: str | None = None


class Outcome(Model):
    """How a release task ended; the content of `release.json`."""

    version: Literal[1] = 1
    environment: str
    exit_code: int
    said_by: SaidBy
    applied: Mapping[str, tuple[str, ...]] | None = None
    new: tuple[str, ...] = ()
    failed: FailedMigration | None = None


class _Summary(Model):
    applied: Mapping[str, tuple[str, ...]]
    new: tuple[str, ...]
    failed: FailedMigration | None


class Listener:
    """Reads the lines of a release task's log."""

    def __init__(self) -> None:
        self._summary: _Summary | None = None
        self._applying: dict[str, bool] = {}

    def hear(self, line: str) -> None:
        """Take a line.

        Args:
            line: as the task wrote it.
        """
        fields = _json(line)
        if SUMMARY in fields:
            try:
                self._summary = _Summary.model_validate_json(json.dumps(fields[SUMMARY]))
            except ValidationError:
                return  # something else of that name
        text = str(fields.get("message", line)) if fields else line
        for app, name, rest in _APPLYING.findall(text):
            self._applying[f"{app}.{name}"] = rest.strip().startswith(("OK", "FAKED"))

    @property
    def applied(self) -> tuple[str, ...]:
        """`app.name` of all that was said to be applied, by whatever runs were heard."""
        told = self._summary.applied if self._summary else {}
        keys = [f"{app}.{name}" for app, names in told.items() for name in names]
        return tuple(dict.fromkeys([*keys, *(key for key, done in self._applying.items() if done)]))

    def outcome(self, environment: str, exit_code: int) -> Outcome:
        """Return what became of the migrations.

        Args:
            environment: such as `my-django-app/staging`.
            exit_code: of the task.
        """
        summary = self._summary
        if summary is not None:
            return Outcome(
                environment=environment,
                exit_code=exit_code,
                said_by="summary",
                applied=summary.applied,
                new=summary.new,
                failed=summary.failed,
            )
        # " OK" may come on a line of its own: then the next migration, or a good end, says that it was applied.
        *earlier, last = list(self._applying) or [""]
        done = [*earlier, *([last] if last and (self._applying[last] or exit_code == 0) else [])]
        culprit = FailedMigration(migration=last) if last and last not in done else None
        return Outcome(
            environment=environment,
            exit_code=exit_code,
            said_by="django" if self._applying else "nobody",
            new=tuple(done),
            failed=culprit,
        )


def explain(outcome: Outcome) -> list[str]:
    """Say what a failed release left behind, and what to do.

    Args:
        outcome: of a task that failed.
    """
    lines = []
    if outcome.failed is None:
        lines.append("the release task failed, and not in a migration; its log above says why")
    else:
        lines.append(
            f"migration {outcome.failed.migration} failed: {outcome.failed.error or 'see the log above'}"
        )
        lines.append(_left_behind(outcome.failed))
    if outcome.new:
        lines.append(f"applied before that in this release, and still there: {', '.join(outcome.new)}")
    elif outcome.said_by == "nobody":
        lines.append(
            "the task did not say which migrations it applied: look with ./lz run ... showmigrations"
        )
    return [
        *lines,
        "nothing that serves was changed: the old version serves on",
        "what to do: correct the cause and push; or ./lz pipeline retry if it was a passing fault, such as a lock",
    ]


def _left_behind(failed: FailedMigration) -> str:
    if failed.atomic:
        return "it was undone: the database has nothing of it"
    if failed.atomic is None:
        return (
            "it was undone, unless it says atomic = False: then what it did before it failed is still there"
        )
    return (
        "it is NOT atomic: what it did before it failed is still there; look at the database, and make the migration "
        "able to run again"
    )


def write_outcome(outcome: Outcome, directory: Path) -> None:
    """Write `release.json`.

    Args:
        outcome: what to write.
        directory: folder for it; made if needed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / FILE).write_text(outcome.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_outcome(directory: Path) -> Outcome:
    """Read `release.json`.

    Args:
        directory: its folder.

    Raises:
        CommandError: it is missing or something else.
    """
    file = directory / FILE
    try:
        return Outcome.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        message = f"{file} is not what ./lz release --output writes: {type(error).__name__}"
        raise CommandError(message, fix="name the folder that the release step wrote") from error


def _json(line: str) -> Mapping[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
