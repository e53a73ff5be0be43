"""Runs inside the workload's image and tells its migrations: `python - < probe.py`.

It needs the image's own Python (3.8 or newer) and Django, and nothing of this project. Whatever the project's
settings say about the default database, it is the throw-away PostgreSQL that LZ_PROBE names: a real database that is
never this one cannot be touched by it.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import traceback
from typing import Any

MARK = "LZ-MIGRATIONS "
POSTGRES = ("postgres", "postgis", "psycopg", "psqlextra")
# What belongs to the project's own server, and would be wrong for ours.
SERVER_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "service", "passfile", "pool")


class CannotInspectError(Exception):
    """The image cannot be asked; the message says why."""


def find_project() -> pathlib.Path:
    """Return the folder of manage.py: here or one level below; this folder if there is none."""
    here = pathlib.Path.cwd()
    for candidate in (here / "manage.py", *sorted(here.glob("*/manage.py"))):
        if candidate.is_file():
            return candidate.parent
    return here


def set_up(database: dict[str, Any]) -> str:
    """Load the project with the throw-away database in place of its own."""
    project = find_project()
    os.chdir(project)
    sys.path[:0] = [str(project)]
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # libpq would follow them
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        manage = project / "manage.py"
        text = manage.read_text(encoding="utf-8", errors="replace") if manage.is_file() else ""
        named = re.search(r"DJANGO_SETTINGS_MODULE[\"']\s*,\s*[\"']([\w.]+)[\"']", text)
        if named is None:
            raise CannotInspectError("neither DJANGO_SETTINGS_MODULE nor a manage.py names the settings")
        os.environ["DJANGO_SETTINGS_MODULE"] = named.group(1)
    try:
        import django
    except ImportError as error:
        raise CannotInspectError("this Python has no Django: {}".format(error)) from error
    from django.conf import settings

    for alias, entry in settings.DATABASES.items():
        engine = str(entry.get("ENGINE", ""))
        if any(name in engine for name in POSTGRES):
            options = dict(entry.get("OPTIONS") or {})
            for option in SERVER_OPTIONS:
                options.pop(option, None)
            entry.update(database, OPTIONS=options, CONN_MAX_AGE=0)
        elif alias == "default":
            raise CannotInspectError("its default database is {!r}, not PostgreSQL".format(engine))
    django.setup()
    return str(django.get_version())


def is_widening(old: Any, new: Any) -> bool:
    """Tell whether a text column only gets longer, which PostgreSQL does without touching a row."""
    from django.db import models

    texts = (models.CharField, models.TextField)
    if not (isinstance(old, texts) and isinstance(new, texts)):
        return False
    if old.null != new.null or old.unique != new.unique or old.db_index != new.db_index:
        return False
    if old.db_column != new.db_column:
        return False
    if new.max_length is None:
        return True
    return old.max_length is not None and new.max_length >= old.max_length


def facts_of(operation: Any, label: str, before: Any) -> dict[str, bool]:
    """Return what the SQL of an operation does not say."""
    kind = type(operation).__name__
    facts: dict[str, bool] = {}
    if kind in ("RunPython", "RunSQL"):
        code = getattr(operation, "code", None) or getattr(operation, "sql", None)
        facts["noop"] = code in (getattr(type(operation), "noop", None), "", [])
        facts["elidable"] = bool(operation.elidable)
    if kind == "AddField":
        field = operation.field
        facts["nullable"] = bool(field.null) or bool(field.many_to_many)
        # Django 5.0 and newer: a default that the database knows, so that the version before need not.
        default = getattr(field, "db_default", None)
        known = default is not None and getattr(default, "__name__", "") != "NOT_PROVIDED"
        facts["database_default"] = known or bool(getattr(field, "generated", False))
    if kind == "AlterField":
        old = before.models[label, operation.model_name_lower].fields.get(operation.name)
        facts["widening"] = old is not None and is_widening(old, operation.field)
    facts["own_class"] = not type(operation).__module__.startswith(
        ("django.db.migrations.", "django.contrib.")
    )
    return facts


def tables_of(operation: Any, label: str, before: Any, after: Any) -> tuple[list[str], list[str]]:
    """Return the tables that an operation works on, and those that it creates."""
    name = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", None)
    touched: set[str] = set()
    created: set[str] = set()
    for state in (before, after):
        if name is not None and (label, name) in state.models:
            model = state.apps.get_model(label, name)
            touched.add(model._meta.db_table)
    if type(operation).__name__ == "CreateModel":
        created |= touched
        model = after.apps.get_model(label, name)
        created |= {field.remote_field.through._meta.db_table for field in model._meta.local_many_to_many}
    return sorted(touched), sorted(created)


def described(operation: Any) -> str:
    """Return what Django says of an operation."""
    try:
        return str(operation.describe())
    except Exception:  # an operation of the project's own may not describe itself
        return type(operation).__name__


def parts_of(operation: Any) -> list[Any]:
    """Return the operations that reach the database: those inside of one that separates state and database."""
    inner = getattr(operation, "database_operations", None)
    return list(inner) if type(operation).__name__ == "SeparateDatabaseAndState" and inner else [operation]


def collect(migration: Any, state: Any, connection: Any) -> tuple[list[dict[str, Any]], list[str], Any]:
    """Return operations with their SQL, the SQL that comes at the end, and the state after."""
    label = migration.app_label
    found: list[dict[str, Any]] = []
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        for operation in migration.operations:
            before, mark = state.clone(), len(editor.collected_sql)
            operation.state_forwards(label, state)
            if operation.reduces_to_sql:
                operation.database_forwards(label, editor, before, state)
            touched, created = tables_of(operation, label, before, state)
            parts = parts_of(operation)
            found.append(
                {
                    "kind": type(operation).__name__,
                    "description": described(operation),
                    "sql": list(editor.collected_sql[mark:]),
                    "reduces_to_sql": bool(operation.reduces_to_sql),
                    "parts": [type(part).__name__ for part in parts],
                    "facts": facts_of(parts[0], label, before) if len(parts) == 1 else {},
                    "tables": touched,
                    "creates": created,
                }
            )
        mark = len(editor.collected_sql)
    return found, list(editor.collected_sql[mark:]), state


def without_sql(migration: Any, state: Any) -> tuple[list[dict[str, Any]], list[str], Any]:
    """Return operations without their SQL, where that could not be collected, and the state after."""
    found: list[dict[str, Any]] = [
        {
            "kind": type(operation).__name__,
            "description": described(operation),
            "sql": None,
            "reduces_to_sql": bool(operation.reduces_to_sql),
            "parts": [type(part).__name__ for part in parts_of(operation)],
            "facts": {},
            "tables": [],
            "creates": [],
        }
        for operation in migration.operations
    ]
    return found, [], migration.mutate_state(state, preserve=False)


def one_line(error: BaseException) -> str:
    """Return an error as one line."""
    return "{}: {}".format(type(error).__name__, " ".join(str(error).split()))


def inspect() -> list[dict[str, Any]]:
    """Ask for every migration, and apply it to the throw-away database: later SQL depends on what is there."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    if connection.vendor != "postgresql":
        raise CannotInspectError("its default database is {}, not PostgreSQL".format(connection.vendor))
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    executor.recorder.ensure_schema()
    state = executor._create_project_state(with_applied_migrations=False)
    broken = ""
    found: list[dict[str, Any]] = []
    for migration, _ in plan:
        problem = ""
        try:
            operations, deferred, after = collect(migration, state.clone(), connection)
        except Exception as error:  # a migration is the project's own code, and may raise anything
            problem = "its SQL cannot be printed: {}".format(one_line(error))
            operations, deferred, after = without_sql(migration, state.clone())
        if not broken:
            try:
                after = executor.apply_migration(state, migration)
            except Exception as error:  # as above; and every error of the database
                connection.close()
                broken = "{}.{}".format(migration.app_label, migration.name)
                failed = "it fails on an empty database: {}".format(one_line(error))
                problem = "; ".join(filter(None, (problem, failed)))
        elif not problem:
            problem = "printed without a database: {} before it fails on an empty one".format(broken)
        state = after
        found.append(
            {
                "app": migration.app_label,
                "name": migration.name,
                "dependencies": ["{}.{}".format(*key) for key in migration.dependencies],
                "replaces": ["{}.{}".format(*key) for key in migration.replaces],
                "atomic": bool(migration.atomic),
                "operations": operations,
                "deferred": deferred,
                "problem": problem or None,
            }
        )
    return found


def main() -> None:
    """Tell it as one line on standard output; what the project itself prints goes to standard error."""
    out = os.dup(1)
    os.dup2(2, 1)
    told: dict[str, Any] = {"inspected": False, "problem": None, "django": None, "migrations": []}
    try:
        told["django"] = set_up(json.loads(os.environ.pop("LZ_PROBE")))
        told["migrations"] = inspect()
        told["inspected"] = True
    except CannotInspectError as error:
        told["problem"] = str(error)
    except BaseException as error:  # settings may end the process
        traceback.print_exc()
        told["problem"] = "the project does not load: {}".format(one_line(error))
    with os.fdopen(out, "w", encoding="utf-8") as stream:
        stream.write("\n" + MARK + json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
