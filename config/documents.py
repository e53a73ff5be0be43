"""Reads JSON text forgivingly: typical slips are reported and mended, so that the rest is checked too."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config.outline import DEEPEST, line_and_column, outline
from config.problems import Finding, Place, printable, show

_MOST_MENDS = 100
_LONGEST_NUMBER = 300  # Python refuses to convert longer ones; a float of more than 308 digits is infinite


def parse(text: str) -> tuple[Any, list[Finding]]:
    """Read JSON text.

    Args:
        text: The text.

    Returns:
        The value, with what could be mended; None if nothing could be read. And the mistakes found: syntax
        errors, keys that come twice, numbers and texts that other tools would read in another way.
    """
    findings: list[Finding] = []
    value: Any = None
    mended = text
    for _ in range(_MOST_MENDS):
        try:
            value = json.loads(mended, parse_int=_integer, parse_float=_number, parse_constant=_number)
            break
        except json.JSONDecodeError as error:
            finding, better = _mend(mended, error)
            findings.append(finding)
            if better is None:
                break
            mended = better
        except RecursionError:
            findings.append(_too_deep(()))
            break
    findings += _duplicates(mended)
    return _clean(value, (), findings), findings


class _Unusable(float):
    """A number that is not finite, as it is written."""

    text: str


def _number(text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    unusable = _Unusable(number)
    unusable.text = text
    return unusable


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < _LONGEST_NUMBER else _number(digits)


@dataclass(frozen=True, slots=True)
class _Slip:
    """A typical slip: how to recognize it, what to say and what was meant."""

    pattern: re.Pattern[str]
    problem: str
    allowed: str
    fix: str
    meant: Callable[[str], str]


_CONSTANTS = {"True": "true", "False": "false", "None": "null"}
_SLIPS = (
    _Slip(
        re.compile(r"-?0[0-9]+(?![0-9.])"),
        "a number cannot start with a zero: some tools would read it as octal",
        "account ids in quotes; other numbers without leading zeros",
        "put the digits in quotes",
        lambda found: f'"{found}"',
    ),
    _Slip(
        re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/", re.DOTALL),
        "JSON has no comments",
        "keys and values alone",
        "remove the comment",
        lambda found: " " * len(found),
    ),
    _Slip(
        re.compile(r",(?=\s*[}\]])"),
        "a comma after the last entry",
        "commas between entries only",
        "remove the comma",
        lambda _: " ",
    ),
    _Slip(
        re.compile(r"'[^'\"\\\n]*'"),
        "single quotes",
        "double quotes",
        "use double quotes",
        lambda found: f'"{found[1:-1]}"',
    ),
    _Slip(
        re.compile(r"(True|False|None)\b"),
        "a word of Python, not of JSON",
        "true, false or null, in small letters",
        "write it in small letters; null in place of None",
        lambda found: _CONSTANTS[found],
    ),
)
_MISSING_COMMA = _Slip(
    re.compile(r'(?=["{\[])'),
    "a comma is missing before this",
    "a comma between two entries",
    "add a comma at the end of the entry before",
    lambda _: ",",
)


def _mend(text: str, error: json.JSONDecodeError) -> tuple[Finding, str | None]:
    """Explain a syntax error; mend it if it is clear what was meant."""
    at = error.pos
    before = len(text[:at].rstrip()) - 1
    # The decoder stops behind the start of some slips: after the zero of 01, or after a comma too many.
    candidates = [(slip, start) for slip in _SLIPS for start in (at, at - 2, before, at - 1)]
    if error.msg.startswith("Expecting ','"):
        candidates.append((_MISSING_COMMA, at))
    for slip, start in candidates:
        found = slip.pattern.match(text, start) if start >= 0 else None
        if found and (found.end() > at or start in {at, before}):
            finding = _syntax(text, start, slip.problem, slip.allowed, slip.fix, found[0])
            return finding, text[:start] + slip.meant(found[0]) + text[found.end() :]
    fix = "correct the text there; an editor that knows JSON marks the spot"
    if at >= len(text.rstrip()):
        fix = "the text ends too early: close what is open, with } or ]"
    return _syntax(text, at, error.msg[:1].lower() + error.msg[1:], "JSON (RFC 8259)", fix), None


def _syntax(text: str, offset: int, problem: str, allowed: str, fix: str, found: str = "") -> Finding:
    line, column = line_and_column(text, offset)
    found = found or text[offset : offset + 60].partition("\n")[0]
    return Finding(
        outline(text[:offset]).here,
        f"not legal JSON at line {line}, column {column}: {problem}",
        allowed,
        fix,
        printable(found) if found.strip() else "(nothing)",
        line,
    )


def _duplicates(text: str) -> list[Finding]:
    findings = []
    for place, first, second in outline(text).duplicates:
        lines = line_and_column(text, first)[0], line_and_column(text, second)[0]
        findings.append(
            Finding(
                place,
                f"the same key twice, in lines {lines[0]} and {lines[1]}; JSON tools silently drop one",
                "each key once in an object",
                "remove or rename one of them",
                show(place[-1]),
                lines[1],
            )
        )
    return findings


def _too_deep(place: Place) -> Finding:
    return Finding(
        place,
        "objects or lists are nested too deeply",
        f"at most {DEEPEST} levels",
        "write the value directly",
        "(deeply nested)",
    )


def _clean(value: Any, place: Place, findings: list[Finding]) -> Any:
    """Copy a value without what the models could not even look at: infinite numbers, half characters."""
    if len(place) >= DEEPEST and isinstance(value, dict | list):
        findings.append(_too_deep(place))
        return None
    if isinstance(value, dict):
        return {
            _clean(key, (*place, key), findings): _clean(item, (*place, key), findings)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_clean(item, (*place, index), findings) for index, item in enumerate(value)]
    if isinstance(value, _Unusable):
        fix = "write the number that you mean in plain digits"
        findings.append(Finding(place, "not a finite number", "an ordinary number", fix, value.text))
        return None
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        findings.append(
            Finding(
                place,
                "the text holds half a character (a lone surrogate)",
                "whole characters",
                "write the character itself in place of the \\ud... escape",
                show(value),
            )
        )
        return value.encode("utf-8", "replace").decode()
    return value
