"""What is inside a template, or a part of one, however deep."""

from collections.abc import Iterator
from typing import Any


def walk(value: Any) -> Iterator[Any]:
    """Yield a value and everything inside it, in its order."""
    pending = [value]
    while pending:
        part = pending.pop()
        yield part
        if isinstance(part, dict):
            pending.extend(reversed(part.values()))
        elif isinstance(part, list):
            pending.extend(reversed(part))


def texts_in(value: Any) -> set[str]:
    """Return the texts inside a value, each once; keys are none.

    Args:
        value: a template, or a part of one.
    """
    found, pending = set(), [value]
    while pending:  # not by `walk`: a template has thousands of parts, and rules look at every one
        part = pending.pop()
        if isinstance(part, str):
            found.add(part)
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return found
