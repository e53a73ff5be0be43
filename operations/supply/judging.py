"""Holds what was found against the lists: what is allowed, what is not, and what nobody looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from compliance.allowances import Allowance, AllowanceKind, ledger_problems, ledger_warnings
from operations.supply.audit import Audit
from operations.supply.components import Inventory, normal
from operations.supply.licenses import Policy


@dataclass(frozen=True)
class Finding:
    """One vulnerability or license that is not simply fine.

    Args:
        kind: which of the two.
        id: number of the vulnerability, or the license; empty if the license is not known.
        package: name and version.
        where: names of the inventories that have it.
        about: what it is, or what the package says.
        fix: what to do.
        allowance: what accepts it, as text with owner, ticket and day; empty if nothing does.
    """

    kind: AllowanceKind
    id: str
    package: str
    where: tuple[str, ...]
    about: str
    fix: str
    allowance: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Args:
        inventories: what was looked at.
        findings: what was found, accepted or not.
        unaudited: what no tool looked at, and why.
        problems: what is wrong with the ledger.
        warnings: what will soon be.
    """

    inventories: tuple[Inventory, ...]
    findings: tuple[Finding, ...]
    unaudited: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that nobody accepted."""
        return tuple(finding for finding in self.findings if not finding.allowance)

    def passed(self, *, audit_required: bool) -> bool:
        """Tell whether a release may go on.

        Args:
            audit_required: what could not be audited counts as a finding.
        """
        return not (self.open or self.problems or (audit_required and self.unaudited))


def judge(
    inventories: Sequence[Inventory],
    audits: Sequence[Audit],
    *,
    policy: Policy,
    allowances: Sequence[Allowance],
    today: date,
) -> Outcome:
    """Judge what was found.

    Args:
        inventories: what was looked at.
        audits: what the tools said.
        policy: the list of licenses.
        allowances: the ledger.
        today: the day on which the ledger must hold.
    """
    valid = [one for one in allowances if one.expires >= today]
    used: set[Allowance] = set()
    findings = [
        *_vulnerabilities(inventories, audits, valid, used),
        *_licenses(inventories, policy, valid, used),
    ]
    unaudited = tuple(f"{audit.tool}: {reason}" for audit in audits for reason in audit.unaudited)
    dead = [one for one in valid if one not in used and _could_be_used(one, audited=not unaudited)]
    return Outcome(
        inventories=tuple(inventories),
        findings=tuple(findings),
        unaudited=unaudited,
        problems=(
            *ledger_problems(allowances, today),
            *(f"{one}: nothing has it; remove the entry" for one in dead),
        ),
        warnings=ledger_warnings(allowances, today),
    )


def _could_be_used(allowance: Allowance, *, audited: bool) -> bool:
    """Tell whether an entry that covers nothing is dead: not if what it is about was not looked at."""
    return allowance.kind == "license" or (allowance.kind == "vulnerability" and audited)


def _vulnerabilities(
    inventories: Sequence[Inventory],
    audits: Sequence[Audit],
    allowances: Sequence[Allowance],
    used: set[Allowance],
) -> Iterable[Finding]:
    holders: dict[tuple[str, str], list[str]] = {}
    for inventory in inventories:
        for part in inventory.components:
            holders.setdefault((part.ecosystem, normal(part.name)), []).append(inventory.name)
    for audit in audits:
        for known in audit.vulnerabilities:
            where = tuple(dict.fromkeys(holders.get((known.ecosystem, normal(known.package)), ())))
            yield Finding(
                kind="vulnerability",
                id=known.id,
                package=f"{known.package} {known.version}",
                where=where,
                about=" ".join(filter(None, [known.severity, known.title, *known.aliases])),
                fix=known.fix,
                allowance=_accepted("vulnerability", known.ids, known.package, allowances, used),
            )


def _licenses(
    inventories: Sequence[Inventory], policy: Policy, allowances: Sequence[Allowance], used: set[Allowance]
) -> Iterable[Finding]:
    refused: dict[tuple[str, str, str], list[str]] = {}
    for inventory in inventories:
        for part in inventory.components:
            # Debian ships copyright files and no identifiers, and what it distributes it may distribute.
            if part.ecosystem != "deb" and part.license and not policy.allows(part.license):
                refused.setdefault((part.name, part.version, part.license), []).append(inventory.name)
    for (name, version, license_), where in refused.items():
        yield Finding(
            kind="license",
            id=license_,
            package=f"{name} {version}",
            where=tuple(dict.fromkeys(where)),
            about="not on the list of compliance/licenses.toml",
            fix="use another package, or accept it with an [[allowance]] in compliance/waivers.toml",
            allowance=_accepted("license", [license_], name, allowances, used),
        )


def _accepted(
    kind: AllowanceKind,
    ids: Iterable[str],
    package: str,
    allowances: Sequence[Allowance],
    used: set[Allowance],
) -> str:
    ids = tuple(ids)
    for allowance in allowances:
        if allowance.covers(kind, ids, package):
            used.add(allowance)
            return allowance.because
    return ""


def as_json(outcome: Outcome) -> Mapping[str, object]:
    """Return an outcome for a program.

    Args:
        outcome: the outcome.
    """
    return {
        "inventories": [
            {
                "name": one.name,
                "title": one.title,
                "source": one.source,
                "components": len(one.components),
                "note": one.note,
            }
            for one in outcome.inventories
        ],
        "findings": [vars(finding) for finding in outcome.findings],
        "unaudited": outcome.unaudited,
        "problems": outcome.problems,
        "warnings": outcome.warnings,
    }
