"""Judges what the probe told: each operation of each migration, by its kind, by what it changes and by its SQL.

Two judges, for neither sees everything: Django's operation says what its SQL does not (that a column may be null, that
code of the project's own runs), and squawk sees in the SQL what the operation does not say (which lock it takes).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from operations.releases.migrations import Concern, Migration, Operation
from operations.releases.squawk import SYNTAX, Violation, lint

Told = Mapping[str, Any]


def _to_be_read(rule: str, what: str, seen: str = "") -> Concern:
    """Something that only a reader can judge.

    Args:
        rule: name of the rule.
        what: what it is.
        seen: where the version before sees it.
    """
    question = f"what does the version before see{seen} afterwards?"
    return Concern(rule=rule, effect="unknown", text=f"{what}; read it: {question}")


RUN_PYTHON = _to_be_read("run-python", "it runs code of the project's own", " in the data")
RUN_SQL = _to_be_read("run-sql", "it is SQL of the project's own")
OWN_OPERATION = _to_be_read("own-operation", "an operation that is not Django's")
NOT_PRINTED = Concern(
    rule="no-sql",
    effect="unknown",
    text="its SQL could not be printed, so it was not judged; read it yourself",
)
NEW_CONSTRAINT = Concern(
    rule="new-constraint",
    effect="breaks",
    text="the version before may still write rows that it refuses. First release code that keeps to it, then add it",
)
# What a new model or column brings along concerns rows that the version before does not write.
BRINGS_ITS_OWN = frozenset({"CreateModel", "AddField"})


def judge(told: Told) -> Migration:
    """Return a migration as `migrations.json` has it.

    Args:
        told: what the probe said of it.
    """
    lines = ["BEGIN;"] if told["atomic"] else []
    owner: dict[int, int] = {}
    for number, operation in enumerate(told["operations"]):
        for line in _written(operation):
            for part in line.splitlines() or [""]:
                owner[len(lines)] = number
                lines.append(part)
    for line in told["deferred"]:
        lines += line.splitlines()
    lines += ["COMMIT;"] if told["atomic"] else []
    printed = all(operation["sql"] is not None for operation in told["operations"])
    sql = "\n".join(lines) + "\n" if printed else None

    violations = lint(sql) if sql is not None else ()
    created = {table for operation in told["operations"] for table in operation["creates"]}
    operations = [
        _operation(operation, [one for one in violations if owner.get(one.line) == number], created)
        for number, operation in enumerate(told["operations"])
    ]
    # Where the SQL cannot be read, squawk says nothing about any of it.
    rest = [one.concern for one in violations if one.line not in owner or one.concern.rule == SYNTAX]
    return Migration(
        app=told["app"],
        name=told["name"],
        dependencies=tuple(told["dependencies"]),
        replaces=tuple(told["replaces"]),
        atomic=told["atomic"],
        operations=tuple(operations),
        sql=sql,
        concerns=_each_once(rest),
        problem=told["problem"],
    )


def _written(operation: Told) -> Sequence[str]:
    """Return the SQL of an operation as `sqlmigrate` writes it."""
    head = ["--", f"-- {operation['description']}", "--"]
    if not operation["reduces_to_sql"]:
        return [*head, "-- THIS OPERATION CANNOT BE WRITTEN AS SQL"]
    return [*head, *(operation["sql"] or ["-- (no-op)"])]


def _operation(told: Told, violations: Sequence[Violation], created: Collection[str]) -> Operation:
    on_new_table = bool(told["tables"]) and set(told["tables"]) <= set(created)
    concerns = [
        *_by_kind(told, on_new_table=on_new_table),
        *(
            one.concern
            for one in violations
            if one.concern.rule != SYNTAX
            and not _is_harmless(one.concern, told)
            # Without a transaction squawk does not see that the table is the migration's own.
            and not (on_new_table and one.concern.effect == "locks")
        ),
    ]
    return Operation(
        kind=told["kind"],
        description=told["description"],
        tables=tuple(told["tables"]),
        creates=tuple(told["creates"]),
        concerns=_each_once(concerns),
    )


def _by_kind(told: Told, *, on_new_table: bool) -> list[Concern]:
    facts, parts = told["facts"], set(told["parts"])
    if told["sql"] is None:
        return [NOT_PRINTED]
    found = []
    if "RunPython" in parts and not facts.get("noop"):
        found.append(RUN_PYTHON)
    if "RunSQL" in parts and not facts.get("noop"):
        found.append(RUN_SQL)
    if facts.get("own_class"):
        found.append(OWN_OPERATION)
    statements = [line.upper() for line in told["sql"] if not line.startswith("--")]
    constrains = any("ADD CONSTRAINT" in line or "CREATE UNIQUE INDEX" in line for line in statements)
    if constrains and not on_new_table and not parts & (BRINGS_ITS_OWN | {"RunSQL"}):
        found.append(NEW_CONSTRAINT)
    return found


def _is_harmless(concern: Concern, told: Told) -> bool:
    """Tell whether Django's operation says that what squawk sees does no harm."""
    facts = told["facts"]
    if concern.rule == "ban-drop-default":
        # Of a column that may be null: the version before leaves it empty.
        return bool(facts.get("nullable") or facts.get("database_default"))
    return concern.rule == "changing-column-type" and bool(facts.get("widening"))


def _each_once(concerns: Sequence[Concern]) -> tuple[Concern, ...]:
    return tuple({concern.rule: concern for concern in concerns}.values())
