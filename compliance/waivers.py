"""The waiver ledger: which finding is accepted where, why, by whom, where that was decided and until when."""

import tomllib
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from config.models import EnvironmentClass

LEDGER = Path(__file__).with_name("waivers.toml")


class WaiverError(Exception):
    """A waiver that cannot be used; the message names it and the fix."""


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(pattern=r"^\S+$")]


class Waiver(BaseModel):
    """One accepted finding on one construct. An entry of the file may list several rules and paths: each with each.

    Args:
        rule: id of the rule, such as `AwsSolutions-IAM5`.
        path: construct path. `{stage}`, `{key}`, `{workload}`, `{account}`, `{region}`, `{tooling}`,
            `{shared_services}`, `{records}`, `{source}`, `{workload_source}`, `{image_step}` and
            `{delegation_policy}` stand for each environment's values. There is no wildcard, and a waiver covers one
            construct and not its children.
        reason: why it is acceptable.
        owner: team that answers for it.
        ticket: where it was decided: a number or an address.
        expires: last day on which it holds.
        findings: which findings of a rule that gives details, such as `Resource::*`; all if empty.
        classes: environment classes it holds in; all if empty.
        optional: it is about a part that a configuration may leave out; it need not cover anything where its rule
            has nothing to judge.
        rechecked_by: id of a rule of ours that looks at the resource where this one fails to; the waiver holds only
            while that rule is content with it, and only for what this one could not judge.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Text
    path: Text
    reason: Text
    owner: Text
    ticket: Word
    expires: date
    findings: tuple[Text, ...] = ()
    classes: tuple[EnvironmentClass, ...] = ()
    optional: bool = False
    rechecked_by: Text | None = None

    def __str__(self) -> str:
        return f"{self.rule} at {self.path}"


def read_waivers(path: Path = LEDGER) -> tuple[Waiver, ...]:
    """Read the ledger.

    Args:
        path: the TOML file; one `[[waiver]]` per decision.

    Raises:
        WaiverError: the file is no TOML, or an entry lacks a field or has one that is not known.
    """
    try:
        ledger = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        message = f"{path.name}: {error}; correct the TOML"
        raise WaiverError(message) from error
    ledger.pop("allowance", None)  # of what we build with: compliance/allowances.py
    entries = ledger.pop("waiver", [])
    if ledger or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        message = f"{path.name}: something else than [[waiver]] entries; start every entry with [[waiver]]"
        raise WaiverError(message)
    return tuple(
        _waiver(index, single, path)
        for index, entry in enumerate(entries, start=1)
        for single in _singles(entry)
    )


def _singles(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Spell out an entry that lists several rules or paths; what is no list stays as it is."""
    lists = {key: value for key in ("rule", "path") if isinstance(value := entry.get(key), list) and value}
    for values in product(*lists.values()):
        yield entry | dict(zip(lists, values, strict=True))


def _waiver(index: int, entry: dict[str, Any], path: Path) -> Waiver:
    try:
        return Waiver.model_validate(entry)
    except ValidationError as error:
        where = (
            f"{path.name}: waiver {index} ({entry.get('rule', 'no rule')} at {entry.get('path', 'no path')})"
        )
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}" for problem in error.errors()
        )
        required = ", ".join(name for name, field in Waiver.model_fields.items() if field.is_required())
        message = f"{where}: {problems}; every waiver has {required}"
        raise WaiverError(message) from error
