"""What the gate says now that it did not say of the last release."""

from collections.abc import Iterator, Sequence

from compliance.changes import ComplianceChange, Judgement, compare
from compliance.excerpt import excerpt
from compliance.judge import open_rows
from compliance.report.digest import describe
from compliance.results import ComplianceResult, Coverage, Status
from operations.packet.model import Compliance, Highlight
from operations.packet.words import some
from operations.releases.judged import Baseline


def compliance_of(result: ComplianceResult, before: Baseline, environment: str) -> Compliance:
    """Compare what an environment stands on with its last release.

    Args:
        result: what the gate found in the assembly.
        before: what it found in the last release of the environment.
        environment: key of the environment.
    """
    now = excerpt(result, environment)
    then = None if before.result is None else excerpt(before.result, environment)
    return Compliance(
        judged=len(now.rows),
        judged_before=None if then is None else len(then.rows),
        open=len(open_rows(now)) + len(now.problems),
        accepted=sum(row.status is Status.WAIVED for row in now.rows),
        problem=before.problem,
        change=None if then is None else compare(then, now, name="the last release"),
    )


def concerns(found: Compliance) -> Iterator[Highlight]:
    """Find what a person has to decide: findings, ways in from outside, and rules that look no longer.

    Args:
        found: the comparison.
    """
    if found.open:
        what = f"findings or problems without a fix or a waiver: {found.open}"
        yield Highlight(kind="compliance", where="gate", what=what)
    if found.change is not None:
        for what in _texts(found.change):
            yield Highlight(kind="compliance", where="gate", what=what)


def _texts(change: ComplianceChange) -> Iterator[str]:
    waived = [f"{row.rule} on {row.resource}" for row in _newly_waived(change)]
    if waived:
        yield f"accepted now, or for another reason than before ({len(waived)}): {some(waived)}"
    yield from (f"public: {describe(one.after)}" for one in change.exposures if one.after is not None)
    crossing = [one.after for one in change.trust if one.after is not None and one.after.crosses_accounts]
    if crossing:
        yield f"other accounts may assume more ({len(crossing)}): {some([describe(one) for one in crossing])}"
    off = [
        one.after for one in change.coverage if one.after is not None and one.after.coverage is Coverage.OFF
    ]
    if off:
        yield f"packs that look no longer ({len(off)}): {some([f'{one.pack} on {one.stack}' for one in off])}"


def _newly_waived(change: ComplianceChange) -> Sequence[Judgement]:
    return [one.after for one in change.weaker if one.after is not None and one.after.status is Status.WAIVED]
