"""`migrations.json`: what the image build found out about the migrations of the image, beside `image.json`."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from config.models import Model
from operations.errors import CommandError

FILE = "migrations.json"

Verdict = Literal["expand", "contract", "unknown"]
Effect = Literal["breaks", "locks", "unknown"]


class Concern(Model):
    """A reason why an operation is not a mere expansion."""

    rule: str = Field(description="Name of the rule, such as `drop-column` or a rule of squawk's.")
    effect: Effect = Field(
        description="breaks: the version before cannot work with the result. locks: it works, but waits meanwhile. "
        "unknown: it is code or SQL of the project's own, which nobody here can judge."
    )
    text: str = Field(description="What happens, and what to do instead, for a person.")


class Operation(Model):
    """One operation of a migration."""

    kind: str = Field(description="Class of the operation, such as `AddField`.")
    description: str = Field(description="As Django describes it.")
    tables: tuple[str, ...] = Field(default=(), description="Tables that it works on, where Django says so.")
    creates: tuple[str, ...] = Field(default=(), description="Those of them that it makes.")
    concerns: tuple[Concern, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """`contract` if it breaks or locks, `unknown` if it cannot be judged, `expand` otherwise."""
        return verdict(self.concerns)


class Migration(Model):
    """One migration of the image."""

    app: str
    name: str
    dependencies: tuple[str, ...] = Field(default=(), description="As `app.name`.")
    replaces: tuple[str, ...] = Field(default=(), description="As `app.name`; of a squashed migration.")
    atomic: bool = Field(default=True, description="Whether PostgreSQL undoes it as a whole if it fails.")
    operations: tuple[Operation, ...] = ()
    sql: str | None = Field(
        default=None, description="As `sqlmigrate` prints it for PostgreSQL; None if it cannot be printed."
    )
    concerns: tuple[Concern, ...] = Field(
        default=(), description="What the SQL as a whole says, besides the operations'."
    )
    problem: str | None = Field(
        default=None, description="Why its SQL is missing, or why it failed on an empty database."
    )

    @property
    def key(self) -> str:
        """`app.name`."""
        return f"{self.app}.{self.name}"

    @property
    def all_concerns(self) -> tuple[Concern, ...]:
        """Those of its operations and of its SQL, each once."""
        found = [concern for operation in self.operations for concern in operation.concerns]
        return tuple(dict.fromkeys([*found, *self.concerns]))

    @property
    def verdict(self) -> Verdict:
        """The verdict of the whole migration."""
        return verdict(self.all_concerns)


class Migrations(Model):
    """All migrations of an image, in an order in which they can be applied; the content of `migrations.json`."""

    version: Literal[1] = 1
    workload: str
    digest: str = Field(description="Of the image.")
    inspected: bool = Field(description="Whether the image could be asked; if not, nothing else is known.")
    problem: str | None = Field(default=None, description="Why it could not be asked.")
    django: str | None = Field(default=None, description="Version of Django in the image.")
    migrations: tuple[Migration, ...] = ()

    def pending(self, applied: Mapping[str, Sequence[str]]) -> tuple[Migration, ...]:
        """List what a database does not have yet, judged as what it would be there.

        A table that comes with the same release is known to nothing that serves: changing it again breaks and locks
        nobody.

        Args:
            applied: app -> names of the migrations that it has.
        """
        there = {f"{app}.{name}" for app, names in applied.items() for name in names}
        found = [
            migration
            for migration in self.migrations
            if migration.key not in there
            # A squashed migration counts as applied where all that it replaces is.
            and not (migration.replaces and there.issuperset(migration.replaces))
        ]
        new = {table for migration in found for each in migration.operations for table in each.creates}
        return tuple(_on_new_tables(migration, new) for migration in found)


def _on_new_tables(migration: Migration, new: Collection[str]) -> Migration:
    """Return a migration without the concerns about tables that nothing uses yet."""
    operations = tuple(
        operation.model_copy(
            update={"concerns": tuple(one for one in operation.concerns if one.effect == "unknown")}
        )
        if operation.tables and set(operation.tables) <= set(new)
        else operation
        for operation in migration.operations
    )
    return migration.model_copy(update={"operations": operations})


def verdict(concerns: Sequence[Concern]) -> Verdict:
    """Return the verdict that follows from concerns."""
    effects = {concern.effect for concern in concerns}
    if effects & {"breaks", "locks"}:
        return "contract"
    return "unknown" if effects else "expand"


def read_migrations(file: Path) -> Migrations:
    """Read a `migrations.json`.

    Args:
        file: the file.

    Raises:
        CommandError: it is missing or is something else.
    """
    try:
        return Migrations.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        message = f"{file} is missing"
        raise CommandError(message, fix="build the image again: ./lz image writes it") from None
    except ValidationError as error:
        message = f"{file} is not what ./lz image writes: {error.errors()[0]['msg']}"
        raise CommandError(message, fix="delete it and build the image again") from error
