"""A dict that several threads share: whoever goes through it goes through what it held at one moment."""

from collections.abc import Iterator
from typing import Any, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

_GONE: Any = object()


class SteadyDict(dict[Key, Value]):
    """A dict whose iteration does not fail when another thread adds or removes something meanwhile.

    Each single operation of a dict is safe by itself, a way through it is not: it raises RuntimeError. `list()` around
    `items()` is no remedy. It makes a tuple for each item, so the collector may run in the middle, and with it
    finalizers, and in them another thread. Taking the keys alone makes nothing that the collector counts.

    Views are lists here. `dict(this)` and `{**this}` are for the caller to avoid: both look each key up after they have
    taken all keys, and raise KeyError for one that has gone. `copy` does not.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[Key]:
        """Go through the keys."""
        return iter(self.keys())

    def keys(self) -> list[Key]:  # type: ignore[override]
        """The keys, as a list."""
        return list(super().keys())

    def items(self) -> list[tuple[Key, Value]]:  # type: ignore[override]
        """Keys and values, as a list; without those that went meanwhile."""
        get = super().get
        return [(key, value) for key in self.keys() if (value := get(key, _GONE)) is not _GONE]

    def values(self) -> list[Value]:  # type: ignore[override]
        """The values, as a list."""
        return list(super().values())

    def copy(self) -> dict[Key, Value]:
        """Copy it into a dict of the usual kind."""
        return dict(self.items())
