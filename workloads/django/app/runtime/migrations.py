"""Runs the migrations, and says what became of them: for people, and as one line for the pipeline.

PostgreSQL undoes a migration that fails, as a whole; the ones before it stay, and so does what a migration with
`atomic = False` had done. Whoever reads the log has to know which of these it was.
"""

from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

SUMMARY = "release_summary"
"""Name of the field of the log line that the pipeline looks for."""


class MigrationError(Exception):
    """A migration failed; the message says what is left of it and what to do."""


class MigrationRun:
    """One run of all pending migrations.

    `summary` says afterwards what the database has, what of it is new, and what failed.
    """

    def __init__(self) -> None:
        self.summary: dict[str, Any] = {}

    def run(self, write: Any) -> None:
        """Apply what is pending; `write` is where Django's own words go."""
        plan = _plan()
        before = _applied()
        failure: Exception | None = None
        try:
            call_command("migrate", interactive=False, no_color=True, stdout=write)
        except Exception as error:
            failure = error
            connection.close()  # it may be in the middle of what failed
        after = _applied()
        new = [f"{app}.{name}" for app, name in after if (app, name) not in before]
        self.summary = {"applied": _by_app(after), "new": new, "failed": None}
        if failure is None:
            return
        culprit = next((one for one in plan if (one.app_label, one.name) not in after), None)
        if (
            culprit is None
        ):  # all are applied: something that follows them failed, such as a signal's receiver
            raise failure
        self.summary["failed"] = {
            "migration": f"{culprit.app_label}.{culprit.name}",
            "atomic": culprit.atomic,
            "error": f"{type(failure).__name__}: {' '.join(str(failure).split())}",
        }
        raise MigrationError(_explain(self.summary)) from failure


def _plan() -> list[Migration]:
    executor = MigrationExecutor(connection)
    return [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _applied() -> list[tuple[str, str]]:
    """List what the database has, in the order in which it was applied."""
    return list(MigrationRecorder(connection).applied_migrations())


def _by_app(keys: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for app, name in sorted(keys):
        found.setdefault(app, []).append(name)
    return found


def _explain(summary: dict[str, Any]) -> str:
    failed, new = summary["failed"], summary["new"]
    lines = [f"migration {failed['migration']} failed: {failed['error']}"]
    if failed["atomic"]:
        lines.append("It was undone: the database has nothing of it.")
    else:
        lines.append(
            "It is NOT atomic, so what it did before it failed is still there: look at the database, and make the"
            " migration able to run again from where it stopped."
        )
    lines.append(
        f"Applied before it in this release, and still there: {', '.join(new)}."
        if new
        else "Nothing else changed."
    )
    lines.append("The old version serves on. Correct the migration, and release again.")
    return " ".join(lines)
