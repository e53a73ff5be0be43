"""What the rules read: a document with all defaults, without the values that are wrong by themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.problems import Place


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of one workload, as far as it is valid.

    Args:
        workload: Name of the workload.
        name: Name of the environment.
        place: Where it is.
        data: Its keys and values.
    """

    workload: str
    name: str
    place: Place
    data: dict[str, Any]

    @property
    def key(self) -> str:
        """The name a person types: `my-django-app/staging`."""
        return f"{self.workload}/{self.name}"

    @property
    def is_production(self) -> bool:
        """Whether it is of class production."""
        return self.data.get("class") == "production"


@dataclass(frozen=True, slots=True)
class View:
    """A document whose values are valid by themselves: a rule looks only at how they combine.

    Args:
        data: The document.
        written: The document as written, without defaults.
        project_root: Folder in which the paths of workloads must exist; None leaves files alone.
    """

    data: Any
    written: Any
    project_root: Path | None

    def get(self, *place: str | int) -> Any:
        """Return the value at a place, or None if it is not there, or was wrong."""
        return _at(self.data, place)

    def is_written(self, *place: str | int) -> bool:
        """Whether the user wrote a value, rather than left it to its default."""
        return _at(self.written, place) is not None

    def accounts(self) -> dict[str, str]:
        """List the workload accounts: name -> id."""
        return self.get("accounts", "workloads") or {}

    def account_names(self) -> list[str]:
        """List the names of the workload accounts, with those whose id is wrong: that is told where they are."""
        return list(_at(self.written, ("accounts", "workloads")) or self.accounts())

    def workloads(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """List the workloads."""
        for name, workload in (self.get("workloads") or {}).items():
            if isinstance(workload, dict):
                yield name, workload

    def environments(self) -> Iterator[Environment]:
        """List the environments of all workloads."""
        for workload_name, workload in self.workloads():
            for name, data in (workload.get("environments") or {}).items():
                if isinstance(data, dict):
                    yield Environment(
                        workload_name, name, ("workloads", workload_name, "environments", name), data
                    )


def _at(value: Any, place: Place) -> Any:
    for step in place:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value
