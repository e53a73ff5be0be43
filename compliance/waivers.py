"""The waiver ledger: which finding is accepted where, why, by whom and until when."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

LEDGER = Path(__file__).with_name("waivers.toml")


class WaiverError(Exception):
    """A waiver that cannot be used; the message names it and the fix."""


@dataclass(frozen=True)
class Waiver:
    """One accepted finding on one construct.

    Args:
        rule: id of the rule, such as `AwsSolutions-IAM5`.
        path: construct path. `{stage}`, `{key}`, `{workload}`, `{account}`, `{region}`, `{tooling}`,
            `{shared_services}`, `{source}` and `{workload_source}` stand for each environment's values. There is no
            wildcard: a waiver covers one construct per environment and not its children.
        reason: why it is acceptable.
        owner: team that answers for it.
        expires: last day on which it holds.
        findings: which findings of a rule that gives details, such as `Resource::*`; all if empty.
        classes: environment classes it holds in; all if empty.
    """

    rule: str
    path: str
    reason: str
    owner: str
    expires: date
    findings: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def read_waivers(path: Path = LEDGER) -> tuple[Waiver, ...]:
    """Read the ledger.

    Args:
        path: the TOML file; one `[[waiver]]` per accepted finding.

    Raises:
        WaiverError: an entry lacks a field, or has one that is not known.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("waiver", [])
    return tuple(_waiver(index, entry, path) for index, entry in enumerate(entries, start=1))


def _waiver(index: int, entry: dict[str, object], path: Path) -> Waiver:
    required = {"rule": str, "path": str, "reason": str, "owner": str, "expires": date}
    optional = {"findings": list, "classes": list}
    where = f"{path.name}: waiver {index} ({entry.get('rule', 'no rule')} at {entry.get('path', 'no path')})"
    problems = [f"{name} is missing" for name in required if name not in entry]
    problems += [f"{name} is not known" for name in entry if name not in required and name not in optional]
    problems += [
        f"{name} must be a {kind.__name__}, not {entry[name]!r}"
        for name, kind in {**required, **optional}.items()
        if name in entry and not isinstance(entry[name], kind)
    ]
    problems += [f"{name} is empty" for name in ("rule", "path", "reason", "owner") if entry.get(name) == ""]
    if problems:
        message = f"{where}: {'; '.join(problems)}; every waiver has {', '.join(required)}"
        raise WaiverError(message)
    values = dict(entry)
    for name in optional:
        values[name] = tuple(values.get(name, ()))  # type: ignore[call-overload]
    return Waiver(**values)  # type: ignore[arg-type]
