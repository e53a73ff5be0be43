"""squawk, a linter for PostgreSQL migrations: which of its rules count here, and what they mean for a release.

Its rules are documented at https://squawkhq.com/docs/rules. It knows which tables a file itself makes, and says nothing
of an index on one of those.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from operations.errors import CommandError
from operations.releases.migrations import Concern, Effect

POSTGRES_VERSION = "18"  # Aurora's; a test compares it with the template

# The version before runs while this one is released, and again after a rollback: what it cannot live with.
BREAKS: Mapping[str, str] = {
    "adding-not-nullable-field": "the version before may still write NULL, and every row is read while the table is "
    "locked. First let the code write a value and fill the rows; in a later release add a CHECK that is NOT VALID, "
    "validate it, and then say NOT NULL",
    "adding-required-field": "the version before inserts rows without it. Make it nullable, or give it a db_default",
    "ban-drop-column": "the version before still reads and writes it. First release code that does not use it, then "
    "remove it in a later release",
    "ban-drop-database": "nothing is left to go back to",
    "ban-drop-default": "the version before inserts rows without the column, and the database gives it no value. Give "
    "the field a db_default, or make it nullable",
    "ban-drop-function": "the version before may still call it",
    "ban-drop-schema": "the version before may still use what is in it",
    "ban-drop-sequence": "the version before may still use it",
    "ban-drop-table": "the version before still uses it. First release code that does not, then drop it in a later "
    "release",
    "ban-drop-type": "the version before may still use it",
    "ban-drop-view": "the version before may still read it",
    "ban-truncate-cascade": "it empties other tables, too",
    "changing-column-type": "the version before writes the old type, and the table is locked while all of it may be "
    "rewritten. Add a new column, fill it, and change over in a later release",
    "renaming-column": "the version before uses the old name. Add the new column beside it (or keep db_column) and "
    "remove the old one in a later release",
    "renaming-object": "the version before uses the old name",
    "renaming-table": "the version before uses the old name. Keep db_table, or change over in several releases",
}
# It works for both versions, but one of them waits meanwhile: long, on a big table.
LOCKS: Mapping[str, str] = {
    "adding-field-with-default": "the whole table is rewritten under a lock",
    "adding-foreign-key-constraint": "writes to both tables wait while every row is checked. On a big table add it "
    "NOT VALID and validate it in a later migration",
    "adding-serial-primary-key-field": "the whole table is rewritten under a lock",
    "ban-concurrent-index-creation-in-transaction": "PostgreSQL refuses it in a transaction: set atomic = False",
    "constraint-missing-not-valid": "writes wait while every row is checked. On a big table use "
    "AddConstraintNotValid and, in a later migration, ValidateConstraint",
    "disallowed-unique-constraint": "reads and writes wait while its index is built. On a big table build a unique "
    "index CONCURRENTLY first",
    "require-concurrent-index-creation": "writes wait while the index is built. On a big table use "
    "AddIndexConcurrently in a migration with atomic = False",
    "require-concurrent-index-deletion": "reads and writes wait until it has its lock. On a busy table use "
    "RemoveIndexConcurrently in a migration with atomic = False",
    "require-concurrent-partition-detach": "reads and writes wait until it has its lock",
    "require-concurrent-reindex": "writes wait while the index is built again",
}
SYNTAX = "syntax-error"


@dataclass(frozen=True)
class Violation:
    """What squawk says about a line.

    Args:
        line: of the SQL, from zero.
        concern: what it means.
    """

    line: int
    concern: Concern


def lint(sql: str) -> tuple[Violation, ...]:
    """Return what squawk says about a migration's SQL, as far as it matters for a release.

    Args:
        sql: the whole of it.

    Raises:
        CommandError: squawk is not installed or failed.
    """
    with tempfile.TemporaryDirectory(prefix="lz-squawk-") as folder:  # no settings of anybody's are in it
        file = Path(folder) / "migration.sql"
        file.write_text(sql, encoding="utf-8")
        program = Path(sys.executable).with_name("squawk")
        try:
            done = subprocess.run(
                [program, "--reporter", "json", "--pg-version", POSTGRES_VERSION, file.name],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            found = json.loads(done.stdout)
        except (OSError, ValueError) as error:
            message = f"{program} could not be used: {error}"
            raise CommandError(
                message, fix="install what the lock file names: remove .venv and run ./lz"
            ) from error
    return tuple(
        Violation(each["line"], concern)
        for each in found
        if (concern := _concern(each["rule_name"], each["message"])) is not None
    )


def _concern(rule: str, message: str) -> Concern | None:
    meanings: tuple[tuple[Effect, Mapping[str, str]], ...] = (("breaks", BREAKS), ("locks", LOCKS))
    for effect, texts in meanings:
        if rule in texts:
            return Concern(rule=rule, effect=effect, text=texts[rule])
    if rule == SYNTAX:
        text = f"squawk cannot read its SQL ({message}), so nothing of it was judged; read it yourself"
        return Concern(rule=rule, effect="unknown", text=text)
    return None
