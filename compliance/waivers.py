"""The waiver ledger: which finding is accepted where, why, by whom and until when."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from config.models import EnvironmentClass

LEDGER = Path(__file__).with_name("waivers.toml")


class WaiverError(Exception):
    """A waiver that cannot be used; the message names it and the fix."""


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Waiver(BaseModel):
    """One accepted finding on one construct.

    Args:
        rule: id of the rule, such as `AwsSolutions-IAM5`.
        path: construct path. `{stage}`, `{key}`, `{workload}`, `{account}`, `{region}`, `{tooling}`,
            `{shared_services}`, `{records}`, `{source}` and `{workload_source}` stand for each environment's values.
            There is no wildcard: a waiver covers one construct per environment and not its children.
        reason: why it is acceptable.
        owner: team that answers for it.
        expires: last day on which it holds.
        findings: which findings of a rule that gives details, such as `Resource::*`; all if empty.
        classes: environment classes it holds in; all if empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Text
    path: Text
    reason: Text
    owner: Text
    expires: date
    findings: tuple[Text, ...] = ()
    classes: tuple[EnvironmentClass, ...] = ()


def read_waivers(path: Path = LEDGER) -> tuple[Waiver, ...]:
    """Read the ledger.

    Args:
        path: the TOML file; one `[[waiver]]` per accepted finding.

    Raises:
        WaiverError: the file is no TOML, or an entry lacks a field or has one that is not known.
    """
    try:
        ledger = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        message = f"{path.name}: {error}; correct the TOML"
        raise WaiverError(message) from error
    entries = ledger.pop("waiver", [])
    if ledger or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        message = f"{path.name}: something else than [[waiver]] entries; start every entry with [[waiver]]"
        raise WaiverError(message)
    return tuple(_waiver(index, entry, path) for index, entry in enumerate(entries, start=1))


def _waiver(index: int, entry: dict[str, object], path: Path) -> Waiver:
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
