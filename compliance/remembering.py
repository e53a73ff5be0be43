"""What is computed once from templates that do not change any more."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Made = TypeVar("Made")


class Remembering:
    """Computes some things once, from when its templates are settled on.

    Rules ask the same again and again: what is of a type, which policies a role has, where a route leads. Before that,
    and in a copy, everything is computed anew, for templates may still change.
    """

    def __init__(self) -> None:
        self._memory: dict[Hashable, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_memory": None}

    def forget(self) -> None:
        """Settle on the templates as they are now."""
        self._memory = {}

    def once(self, what: Hashable, make: Callable[[], Made]) -> Made:
        """Return what was made before, or make it.

        Args:
            what: names it.
            make: makes it.
        """
        if self._memory is None:
            return make()
        if what not in self._memory:
            self._memory[what] = make()
        found: Made = self._memory[what]
        return found
