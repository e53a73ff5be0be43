"""Finds what differs inside a value, so that nobody compares two pages of JSON by eye."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NAMES = ("Name", "Key", "Id", "Sid")
"""What tells the entries of a list apart, where all have it: environment variables, tags, rules."""

Leaf = tuple[str, Any, Any]
"""Where it is, its value before, and after; None stands for nothing."""


def leaves(before: Any, after: Any, place: str = "") -> Iterator[Leaf]:
    """Yield each part that differs, as small as it can be told.

    Args:
        before: a value of a template.
        after: another.
        place: where it is.
    """
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not _is_call(before, after):
        for key in dict.fromkeys([*before, *after]):
            yield from leaves(before.get(key), after.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(before, after, place)
    else:
        yield place, before, after


def _is_call(*values: Mapping[str, Any]) -> bool:
    """Whether any of them is a function of CloudFormation, which is one value however it is written."""
    return any(len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")) for value in values)


def _in_lists(before: Sequence[Any], after: Sequence[Any], place: str) -> Iterator[Leaf]:
    name = next((name for name in NAMES if all(_has(one, name) for one in (*before, *after))), None)
    if name is not None:
        old, new = {one[name]: one for one in before}, {one[name]: one for one in after}
        if len(old) == len(before) and len(new) == len(after):
            for key in dict.fromkeys([*old, *new]):
                yield from leaves(old.get(key), new.get(key), f"{place}[{key}]")
            return
    if len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from leaves(one, other, f"{place}[{index}]")
        return
    gone, come = [one for one in before if one not in after], [one for one in after if one not in before]
    if len(gone) + len(come) == abs(len(before) - len(after)):  # entries came or went, none changed
        yield from ((f"{place}[]", one, None) for one in gone)
        yield from ((f"{place}[]", None, one) for one in come)
    else:
        yield place, before, after


def _has(value: Any, name: str) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get(name), str)
