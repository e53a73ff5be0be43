"""Finds out where things are in JSON text, so that a message can name the line."""

import json
import re
from dataclasses import dataclass, field

from config.problems import Place

DEEPEST = 30
"""Levels of nesting that are looked at; the configuration has nine."""

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


@dataclass(slots=True)
class _Frame:
    """An object or list that is open at some point of the text."""

    is_object: bool
    step: str | int | None = None
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Outline:
    """Where things are in a text, as far as it can be read; any text will do, also half a document.

    Args:
        offsets: Place -> position of its key, or of the value in a list.
        duplicates: Places of keys that come again, with the positions of both.
    """

    offsets: dict[Place, int] = field(default_factory=dict)
    duplicates: list[tuple[Place, int, int]] = field(default_factory=list)
    _frames: list[_Frame] = field(default_factory=list)
    _expects_key: bool = False

    @property
    def here(self) -> Place:
        """The place that was reached."""
        return tuple(frame.step for frame in self._frames[: DEEPEST + 1] if frame.step is not None)

    def read(self, word: str, offset: int) -> None:
        """Take the next token."""
        frame = self._frames[-1] if self._frames else None
        if frame and frame.is_object and self._expects_key and word[0] == '"':
            self._read_key(frame, word, offset)
        elif word == ",":
            if frame and isinstance(frame.step, int):
                frame.step += 1
            self._expects_key = frame is not None and frame.is_object
        elif word in "}]":
            del self._frames[-1:]
            self._expects_key = False
        elif word != ":":
            if len(self._frames) <= DEEPEST:
                self.offsets.setdefault(self.here, offset)
            if word in "{[":
                self._expects_key = word == "{"
                self._frames.append(_Frame(self._expects_key, None if self._expects_key else 0))

    def _read_key(self, frame: _Frame, word: str, offset: int) -> None:
        key = frame.step = _unquoted(word)
        self._expects_key = False
        if len(self._frames) > DEEPEST:
            return
        if key in frame.seen:
            self.duplicates.append((self.here, frame.seen[key], offset))
        frame.seen.setdefault(key, offset)
        self.offsets[self.here] = offset


def outline(text: str) -> Outline:
    """Scan text for keys and list entries."""
    result = Outline()
    for token in _TOKEN.finditer(text):
        result.read(token[0], token.start())
    return result


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of a position, both counted from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def _unquoted(word: str) -> str:
    try:
        return str(json.loads(word))
    except json.JSONDecodeError:
        return word[1:-1]
