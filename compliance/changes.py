"""What is new, gone or changed between two results: what a reviewer reads, and what the approval packet shows."""

from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Generic, TypeVar

from compliance.results import (
    AllowanceUse,
    Cell,
    ComplianceResult,
    Exposure,
    Pack,
    Problem,
    ResultModel,
    Rule,
    Stack,
    Status,
    Trust,
    WaiverUse,
)

ACCEPTED = frozenset({Status.COMPLIANT, Status.RECHECKED})
"""Statuses that no person had to accept and nothing has to be done about."""

Part = TypeVar("Part", bound=ResultModel)


class Kind(StrEnum):
    """What happened to a part of a result."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


class Change(ResultModel, Generic[Part]):
    """One part that differs.

    Args:
        kind: what happened to it.
        before: as it was; None if it is new.
        after: as it is; None if it is gone.
    """

    kind: Kind
    before: Part | None = None
    after: Part | None = None


class Judgement(ResultModel):
    """A row that can be read on its own: its waiver is in it, and not an index into one result's ledger.

    Args:
        pack: id of the pack.
        rule: id of the rule.
        resource: construct path.
        stack: name of the stack.
        finding: which one, for a rule that finds several on a resource.
        status: the verdict.
        waiver: the entry of the ledger that covers it.
        occurrence: tells rows apart that agree in all that names them; 0 for the first.
    """

    pack: str
    rule: str
    resource: str
    stack: str
    finding: str
    status: Status
    waiver: WaiverUse | None = None
    occurrence: int = 0

    @property
    def key(self) -> tuple[str, str, str, str, str, int]:
        """What names it within a result."""
        return (self.pack, self.rule, self.resource, self.stack, self.finding, self.occurrence)

    @property
    def accepted(self) -> bool:
        """Whether nobody had to accept it and nothing has to be done."""
        return self.status in ACCEPTED


class ComplianceChange(ResultModel):
    """Everything that differs between two results, each list in the order of the newer one, what is gone last.

    Args:
        baseline: what the older result is of, for people, such as `revision 1a2b3c4`.
        judged_on: the day on which the older result was made.
        packs: sets of rules, by version too.
        rules: rules of those sets.
        stacks: stacks that came or went, or moved to another account or region.
        rows: rules on resources: the verdict or its waiver differs.
        waivers: entries of the ledger; how many rows they cover is left out, since the rows tell it.
        allowances: entries of the ledger about what we build with.
        coverage: packs that look, or no longer look, at a stack that is in both results.
        trust: who may assume which role.
        exposures: what is public.
        problems: what stops a release besides rows; new and gone only.
        warnings: what will soon stop one; new and gone only.
    """

    baseline: str
    judged_on: date
    packs: tuple[Change[Pack], ...] = ()
    rules: tuple[Change[Rule], ...] = ()
    stacks: tuple[Change[Stack], ...] = ()
    rows: tuple[Change[Judgement], ...] = ()
    waivers: tuple[Change[WaiverUse], ...] = ()
    allowances: tuple[Change[AllowanceUse], ...] = ()
    coverage: tuple[Change[Cell], ...] = ()
    trust: tuple[Change[Trust], ...] = ()
    exposures: tuple[Change[Exposure], ...] = ()
    problems: tuple[Change[Problem], ...] = ()
    warnings: tuple[Change[Problem], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the two results say the same."""
        return not any(getattr(self, name) for name in PARTS)

    @property
    def weaker(self) -> tuple[Change[Judgement], ...]:
        """The rows that ask for a decision: they now are waived, non-compliant or unknown, and were not so before."""
        return tuple(change for change in self.rows if change.after is not None and not change.after.accepted)

    @property
    def settled(self) -> tuple[Change[Judgement], ...]:
        """The rows that somebody had to accept or to fix, and that are gone or hold now."""
        return tuple(
            change
            for change in self.rows
            if change.before is not None
            and not change.before.accepted
            and (change.after is None or change.after.accepted)
        )

    def counts(self) -> Mapping[str, Mapping[Kind, int]]:
        """Count the changes: part -> kind -> number; parts without a change are left out."""
        return {
            name: Counter(change.kind for change in getattr(self, name))
            for name in PARTS
            if getattr(self, name)
        }


PARTS = tuple(name for name in ComplianceChange.model_fields if name not in {"baseline", "judged_on"})


def compare(
    baseline: ComplianceResult, current: ComplianceResult, *, name: str = "the baseline"
) -> ComplianceChange:
    """Compare two results. Nothing is read or asked: the same results give the same answer.

    Args:
        baseline: the older result.
        current: the newer one.
        name: what the older result is of, for people.
    """
    before, after = baseline, current
    kept = {stack.name for stack in before.stacks} & {stack.name for stack in after.stacks}
    return ComplianceChange(
        baseline=name,
        judged_on=before.judged_on,
        packs=_changes(before.packs, after.packs, key=lambda pack: pack.id),
        rules=_changes(before.rules, after.rules, key=lambda rule: rule.id),
        stacks=_changes(
            before.stacks, after.stacks, key=lambda stack: (stack.path, stack.region), same=_same_place
        ),
        rows=_changes(
            judgements(before),
            judgements(after),
            key=lambda row: row.key,
            same=_same_verdict,
        ),
        waivers=_changes(
            before.waivers,
            after.waivers,
            key=lambda waiver: (waiver.rule, waiver.path, waiver.findings),
            same=_same_waiver,
        ),
        allowances=_changes(
            before.allowances, after.allowances, key=lambda one: (one.kind, one.id, one.packages)
        ),
        coverage=_changes(
            [cell for cell in before.coverage if cell.stack in kept],
            [cell for cell in after.coverage if cell.stack in kept],
            key=lambda cell: (cell.pack, cell.stack),
            same=lambda old, new: old.coverage == new.coverage,
        ),
        trust=_changes(
            before.trust,
            after.trust,
            key=lambda trust: (trust.account, trust.stack, trust.resource or trust.role, trust.principal),
        ),
        exposures=_changes(
            before.exposures,
            after.exposures,
            key=lambda exposure: (exposure.account, exposure.kind, exposure.resource or exposure.names),
        ),
        problems=_changes(before.problems, after.problems, key=lambda problem: problem),
        warnings=_changes(before.warnings, after.warnings, key=lambda problem: problem),
    )


def _changes(
    before: Iterable[Part],
    after: Iterable[Part],
    *,
    key: Callable[[Part], Hashable],
    same: Callable[[Part, Part], bool] = lambda old, new: old == new,
) -> tuple[Change[Part], ...]:
    old, new = _by_key(before, key), _by_key(after, key)
    found = []
    for name, part in new.items():
        earlier = old.get(name)
        if earlier is None:
            found.append(Change[Part](kind=Kind.NEW, after=part))
        elif not same(earlier, part):
            found.append(Change[Part](kind=Kind.CHANGED, before=earlier, after=part))
    found += [Change[Part](kind=Kind.GONE, before=part) for name, part in old.items() if name not in new]
    return tuple(found)


def _by_key(parts: Iterable[Part], key: Callable[[Part], Hashable]) -> Mapping[tuple[Hashable, int], Part]:
    """Index parts; those of one key are told apart by their order, so that none hides another."""
    seen: Counter[Hashable] = Counter()
    found = {}
    for part in parts:
        name = key(part)
        found[name, seen[name]] = part
        seen[name] += 1
    return found


def judgements(
    result: ComplianceResult, statuses: Container[Status] = frozenset(Status)
) -> Iterator[Judgement]:
    """Yield the rows of a result with their waivers in them, in its order.

    Args:
        result: the result.
        statuses: of which rows; of all if left out.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for row in result.rows:
        name = (row.pack, row.rule, row.resource, row.stack, row.finding)
        if row.status in statuses:
            yield Judgement(
                pack=row.pack,
                rule=row.rule,
                resource=row.resource,
                stack=row.stack,
                finding=row.finding,
                status=row.status,
                waiver=None if row.waiver is None else result.waivers[row.waiver],
                occurrence=seen[name],
            )
        seen[name] += 1


def _same_waiver(old: WaiverUse | None, new: WaiverUse | None) -> bool:
    if old is None or new is None:
        return old is new
    return old == new or old.model_copy(update={"covers": new.covers}) == new


def _same_reason(old: WaiverUse | None, new: WaiverUse | None) -> bool:
    """Tell whether a finding is accepted as before, though the entry may cover other places and findings, too."""
    if old is None or new is None:
        return old is new
    return _same_waiver(old, new.model_copy(update={"path": old.path, "findings": old.findings}))


def _same_verdict(old: Judgement, new: Judgement) -> bool:
    return old.status == new.status and _same_reason(old.waiver, new.waiver)


def _same_place(old: Stack, new: Stack) -> bool:
    return (old.account, old.region, old.environment) == (new.account, new.region, new.environment)
