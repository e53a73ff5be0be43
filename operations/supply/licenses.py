"""Which licenses are allowed, and what packages mean by what they say."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from license_expression import AND, OR, ExpressionError, get_spdx_licensing

import compliance

FILE = Path(compliance.__file__).with_name("licenses.toml")
_CLASSIFIER = "License :: "


class Policy:
    """The list of allowed licenses.

    Args:
        allowed: SPDX identifiers.
        aliases: what packages write in place of one, in lower case -> the identifier.
    """

    def __init__(self, allowed: Iterable[str], aliases: Mapping[str, str]) -> None:
        self._allowed = frozenset(allowed)
        self._aliases = aliases
        self._spdx = get_spdx_licensing()

    def license(self, expression: str, text: str, classifiers: Iterable[str]) -> str:
        """Return an SPDX expression for what a Python package says, or its own words if nobody knows them.

        Args:
            expression: its `License-Expression` (PEP 639).
            text: its older `License`, often a whole license text.
            classifiers: its classifiers of PyPI.
        """
        if expression:
            return expression
        told = text.strip().splitlines()[0].strip() if text.strip() else ""
        known = self._known(told)
        if known:
            return known
        last = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith(_CLASSIFIER)]
        named = [self._known(one) or one for one in last if one != "OSI Approved"]
        # Several classifiers do not say whether one may choose, so all must be allowed.
        return " AND ".join(sorted(set(named))) or told

    def allows(self, license_: str) -> bool:
        """Tell whether a license is on the list: one part of an OR, every part of an AND.

        Args:
            license_: SPDX expression.
        """
        try:
            return bool(license_) and self._allows(self._spdx.parse(license_))
        except ExpressionError:
            return False

    def _allows(self, parsed: Any) -> bool:
        if isinstance(parsed, OR):
            return any(self._allows(part) for part in parsed.args)
        if isinstance(parsed, AND):
            return all(self._allows(part) for part in parsed.args)
        return str(parsed) in self._allowed  # an exception (WITH) makes another license of it

    def _known(self, text: str) -> str:
        alias = self._aliases.get(text.lower())
        if alias is not None or not text:
            return alias or ""
        try:
            self._spdx.parse(text, validate=True)
        except ExpressionError:
            return ""
        return text


def read_policy(file: Path = FILE) -> Policy:
    """Read the list.

    Args:
        file: the TOML file.
    """
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    return Policy(read["allowed"], read["aliases"])
