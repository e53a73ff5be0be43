"""What is wrong with a configuration, in words that a person can act on."""

import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

# Narrow enough for a split terminal, a CI log and a code review comment.
WIDTH = 78
_NARROWEST = 40
LONGEST_VALUE = 60
LONGEST_KEY = 40
_ABBREVIATED = 3  # letters that may stand for a name that begins so: prod, for production

Place = tuple[str | int, ...]
"""Where a value is in the JSON document: keys and list positions from the top."""

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, what was found, what is allowed, and how to put it right.

    Args:
        file: Name of the file, as the user would type it.
        path: Path inside the JSON document, such as `workloads.shop.environments.staging.cidr`.
        value: What was found there, shortened for display.
        problem: What is wrong, in one line.
        allowed: What would be accepted.
        fix: What to do about it.
        line: Line of the file, counted from 1, if it is known.
    """

    file: str
    path: str
    value: str
    problem: str
    allowed: str
    fix: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake as a rule sees it; the loader adds file, line and the value that was found.

    Args:
        place: Where it is.
        problem: What is wrong.
        allowed: What would be accepted.
        fix: What to do about it.
        value: What to show in place of the value itself, such as `(nothing)` or `(hidden)`.
        line: Line of the file, where the place alone does not tell.
    """

    place: Place
    problem: str
    allowed: str
    fix: str
    value: str | None = None
    line: int | None = None


def dotted(place: Place) -> str:
    """Write a place as a JSON path: `workloads.shop.commands.web[0]`."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step) and len(step) <= LONGEST_KEY:
            text += f".{step}" if text else step
        else:
            text += f"[{show(step, longest=LONGEST_KEY)}]"
    return text or "(top level)"


def show(value: object, *, longest: int = LONGEST_VALUE) -> str:
    """Write a JSON value on one line, printable and short, whatever it holds."""
    match value:
        case Mapping() if value:
            text = f"an object with {_some(value)}"
        case list() | tuple() if len(str(value)) > longest:
            text = f"a list of {len(value)}: {json.dumps(value, ensure_ascii=False)}"
        case _:
            text = json.dumps(value, ensure_ascii=False)
    return printable(text, longest=longest)


def printable(text: str, *, longest: int = LONGEST_VALUE) -> str:
    """Shorten a text and escape what a terminal would not show, or would obey."""
    text = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[: longest + 1]
    )
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _some(keys: Iterable[Any]) -> str:
    names = [str(key) for key in keys]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the name that was probably meant: the only one that begins so, or else the most similar one.

    Args:
        word: What was written.
        known: What exists.
    """
    names = {name.lower(): name for name in known}
    text = word.lower()[:LONGEST_VALUE]
    begun = [name for name in names if len(text) >= _ABBREVIATED and name.startswith(text)]
    found = begun if len(begun) == 1 else get_close_matches(text, names, n=1)
    return names[found[0]] if found else None


def did_you_mean(word: object, known: Iterable[str], *, otherwise: str) -> str:
    """Suggest the name that was probably meant.

    Args:
        word: What was written.
        known: What exists.
        otherwise: Advice when nothing is close.
    """
    meant = closest(str(word), known)
    return otherwise if meant is None else f'did you mean "{meant}"?'


def render(problems: Sequence[Problem], *, width: int = WIDTH) -> str:
    """Write problems as plain text, one paragraph each.

    Args:
        problems: The problems, in the order in which they are shown.
        width: Columns at most; unless a single word is longer.

    Returns:
        The text.
    """
    count = len(problems)
    title = f"{count} problem{'' if count == 1 else 's'} in the configuration"
    width = max(width, _NARROWEST)
    return "\n\n".join([title, *(_paragraph(problem, width) for problem in problems)])


def _paragraph(problem: Problem, width: int) -> str:
    where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    lines = [where, f"  {problem.path}"]
    for label, text in (
        ("problem", problem.problem),
        ("got", problem.value),
        ("allowed", problem.allowed),
        ("fix", problem.fix),
    ):
        lines += textwrap.wrap(
            text,
            width=width,
            initial_indent=f"    {label + ':':<9}",
            subsequent_indent=" " * 13,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


class ConfigurationError(Exception):
    """The configuration cannot be used; holds every problem that was found, not only the first.

    Args:
        problems: At least one problem.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return render(self.problems)


class UnknownStageError(ConfigurationError, LookupError):
    """A stage was asked for by a name that no stage, or more than one, has."""
