"""Each operation of a migration, judged by its kind and by its SQL."""

from typing import Any

import pytest

from operations.releases.judging import judge
from operations.releases.migrations import Migrations


def _told(*operations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "app": "notes",
        "name": "0002",
        "dependencies": ["notes.0001"],
        "replaces": [],
        "atomic": True,
        "operations": list(operations),
        "deferred": [],
        "problem": None,
        **changes,
    }


def _operation(kind: str, *sql: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "description": f"do {kind}",
        "sql": list(sql),
        "reduces_to_sql": True,
        "parts": [kind],
        "facts": {},
        "tables": ["notes_note"],
        "creates": [],
        **changes,
    }


ADD = 'ALTER TABLE "notes_note" ADD COLUMN "n" integer DEFAULT 1 NOT NULL;'
DROP_DEFAULT = 'ALTER TABLE "notes_note" ALTER COLUMN "n" DROP DEFAULT;'
TYPE = 'ALTER TABLE "notes_note" ALTER COLUMN "n" TYPE varchar(200);'
UNIQUE = 'ALTER TABLE "notes_note" ADD CONSTRAINT "u" UNIQUE ("a", "b");'
CREATE = 'CREATE TABLE "notes_note" ("id" bigint NOT NULL PRIMARY KEY);'


@pytest.mark.parametrize(
    ("operation", "rules"),
    [
        (_operation("AddField", ADD, DROP_DEFAULT), {"ban-drop-default"}),
        (_operation("AddField", ADD, DROP_DEFAULT, facts={"nullable": True}), set()),
        (_operation("AddField", ADD, facts={"database_default": True}), set()),
        (_operation("AlterField", TYPE), {"changing-column-type"}),
        (_operation("AlterField", TYPE, facts={"widening": True}), set()),
        (_operation("AlterField"), set()),
        (_operation("RunPython", reduces_to_sql=False), {"run-python"}),
        (_operation("RunPython", reduces_to_sql=False, facts={"noop": True}), set()),
        (_operation("RunSQL", 'UPDATE "notes_note" SET "n" = 1;'), {"run-sql"}),
        (_operation("SeparateDatabaseAndState", parts=["RunSQL"]), {"run-sql"}),
        (_operation("OurOwn", facts={"own_class": True}), {"own-operation"}),
        (_operation("DeleteModel", 'DROP TABLE "notes_note" CASCADE;'), {"ban-drop-table"}),
        (_operation("RemoveField", 'ALTER TABLE "notes_note" DROP COLUMN "n" CASCADE;'), {"ban-drop-column"}),
    ],
)
def test_an_operation_is_judged(operation: dict[str, Any], rules: set[str]) -> None:
    (judged,) = judge(_told(operation)).operations
    assert {concern.rule for concern in judged.concerns} == rules
    assert (judged.verdict == "expand") is not bool(rules)


def test_a_new_constraint_breaks_only_what_was_there_before() -> None:
    rules = {concern.rule for concern in judge(_told(_operation("AddConstraint", UNIQUE))).all_concerns}
    assert "new-constraint" in rules
    created = _operation("CreateModel", CREATE, creates=["notes_note"])
    assert judge(_told(created, _operation("AddConstraint", UNIQUE))).verdict == "expand"


def test_sql_that_was_not_printed_and_sql_that_cannot_be_read_are_unknown() -> None:
    unprinted = judge(_told(_operation("AddField", sql=None)))
    unread = judge(_told(_operation("RunSQL", "SELEC 1;")))
    assert unprinted.sql is None
    assert unprinted.verdict == unread.verdict == "unknown"
    assert "syntax-error" in {concern.rule for concern in unread.concerns}


def test_the_sql_is_written_as_django_writes_it_and_a_migration_without_transaction_has_none() -> None:
    assert judge(_told(_operation("CreateModel", CREATE))).sql == (
        f"BEGIN;\n--\n-- do CreateModel\n--\n{CREATE}\nCOMMIT;\n"
    )
    assert "BEGIN" not in str(judge(_told(_operation("CreateModel", CREATE), atomic=False)).sql)


def test_a_table_that_comes_with_the_same_release_harms_nobody() -> None:
    first = judge(_told(_operation("CreateModel", CREATE, creates=["notes_note"]), name="0001"))
    second = judge(_told(_operation("AddField", ADD, DROP_DEFAULT)))
    found = Migrations(workload="w", digest="sha256:1", inspected=True, migrations=(first, second))
    assert [one.verdict for one in found.pending({})] == ["expand", "expand"]
    assert [one.verdict for one in found.pending({"notes": ["0001"]})] == ["contract"]
