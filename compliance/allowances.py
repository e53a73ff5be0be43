"""The part of the ledger about what we build with: accepted vulnerabilities, licenses and image findings."""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from compliance.waivers import LEDGER, WaiverError

LONGEST = timedelta(days=366)  # a year, also one with a 29 February in it
SOON = timedelta(days=30)

AllowanceKind = Literal["vulnerability", "license", "image-finding"]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(pattern=r"^\S+$")]


class Allowance(BaseModel):
    """One accepted vulnerability, license or finding of an image scan, in named packages.

    Args:
        kind: what is accepted: `vulnerability` of a dependency audit, `license`, or `image-finding` of the registry's
            scan.
        id: CVE, GHSA or PYSEC number, or license as it is told.
        packages: names of the packages that it is accepted in.
        reason: why it is acceptable.
        owner: team that answers for it.
        ticket: where it was decided: a number or an address.
        expires: last day on which it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: AllowanceKind
    id: Text
    packages: Annotated[tuple[Word, ...], Field(min_length=1)]
    reason: Text
    owner: Text
    ticket: Word
    expires: date

    def __str__(self) -> str:
        return f"{self.kind} {self.id} in {', '.join(self.packages)}"

    @property
    def because(self) -> str:
        """Why it is accepted, by whom and until when."""
        return f"{self.reason} ({self.owner}, {self.ticket}, until {self.expires})"

    def covers(self, kind: AllowanceKind, ids: Iterable[str], package: str) -> bool:
        """Tell whether it accepts a finding.

        Args:
            kind: of the finding.
            ids: every name that the finding has.
            package: where it was found.
        """
        names = {name.lower() for name in ids}
        return kind == self.kind and self.id.lower() in names and _same(package, self.packages)


def _same(package: str, packages: Iterable[str]) -> bool:
    """Compare names as PyPI does: case and separators make no difference (PEP 503)."""
    return _normal(package) in {_normal(name) for name in packages}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def read_allowances(path: Path = LEDGER) -> tuple[Allowance, ...]:
    """Read the `[[allowance]]` entries of the ledger; its waivers are read by `compliance.waivers`.

    Args:
        path: the TOML file.

    Raises:
        WaiverError: the file is no TOML, or an entry lacks a field or has one that is not known.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("allowance", [])
    except tomllib.TOMLDecodeError as error:
        message = f"{path.name}: {error}; correct the TOML"
        raise WaiverError(message) from error
    if not isinstance(entries, list):
        message = f"{path.name}: [allowance] in place of [[allowance]]; start every entry with [[allowance]]"
        raise WaiverError(message)
    return tuple(_allowance(index, entry, path) for index, entry in enumerate(entries, start=1))


def _allowance(index: int, entry: object, path: Path) -> Allowance:
    try:
        return Allowance.model_validate(entry)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}" for problem in error.errors()
        )
        known = ", ".join(Allowance.model_fields)
        message = f"{path.name}: allowance {index}: {problems}; every allowance has {known}"
        raise WaiverError(message) from error


def ledger_problems(allowances: Sequence[Allowance], today: date) -> tuple[str, ...]:
    """List the entries that no longer hold, or that hold for too long.

    Args:
        allowances: the entries.
        today: the day on which they must hold.
    """
    problems = []
    for allowance in allowances:
        if allowance.expires < today:
            problems.append(f"{allowance}: expired on {allowance.expires}; fix it, or decide again")
        elif allowance.expires - today > LONGEST:
            problems.append(f"{allowance}: holds until {allowance.expires}; a year is the longest")
    return tuple(problems)


def ledger_warnings(allowances: Sequence[Allowance], today: date) -> tuple[str, ...]:
    """List the entries that expire within a month.

    Args:
        allowances: the entries.
        today: the day on which they must hold.
    """
    return tuple(
        f"{allowance}: expires on {allowance.expires}, in {(allowance.expires - today).days} days"
        for allowance in allowances
        if timedelta() <= allowance.expires - today <= SOON
    )
