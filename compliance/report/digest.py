"""The figures and the words that the page and the summary share."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from compliance.changes import Change, ComplianceChange, Judgement
from compliance.results import (
    Account,
    AllowanceUse,
    Cell,
    ComplianceResult,
    Coverage,
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

STATUSES = (Status.NON_COMPLIANT, Status.UNKNOWN, Status.WAIVED, Status.RECHECKED, Status.COMPLIANT)
"""The order in which a reviewer wants them: what needs work, what somebody accepted, what is fine."""

STOPPING = (Status.NON_COMPLIANT, Status.UNKNOWN)

MEANINGS: Mapping[Status, str] = {
    Status.NON_COMPLIANT: "the rule does not hold, and nobody accepted that: a release stops",
    Status.UNKNOWN: "the rule itself failed, and no rule of ours looked instead: a release stops",
    Status.WAIVED: "the rule does not hold, and the ledger says who accepted that, why and until when",
    Status.RECHECKED: "the rule itself failed on a value that is known only at deployment; a rule of ours looked at "
    "the template instead, and it holds",
    Status.COMPLIANT: "the rule holds",
}

COVERAGE_MEANINGS: Mapping[Coverage, str] = {
    Coverage.EVALUATED: "the pack looked at the stack and judged something",
    Coverage.NOTHING_TO_JUDGE: "the pack looked, and has no rule for anything in the stack",
    Coverage.FAILED: "a rule threw, or resources were passed over: a release stops",
    Coverage.MISSING: "there is no report: a release stops",
    Coverage.OFF: "the configuration does not select the pack here",
}


@dataclass(frozen=True)
class AccountLine:
    """One account with its figures.

    Args:
        account: the account.
        stacks: number of its stacks.
        resources: number of resources in them.
        counts: status -> number of rows.
        public: number of things that the internet reaches.
        trusting: number of its roles' trusts that another account may use.
    """

    account: Account
    stacks: int
    resources: int
    counts: Mapping[Status, int]
    public: int
    trusting: int


def account_lines(result: ComplianceResult) -> tuple[AccountLine, ...]:
    """Count what each account has, in the result's order."""
    account_of = {stack.name: stack.account for stack in result.stacks}
    counts: dict[str, Counter[Status]] = defaultdict(Counter)
    for row in result.rows:
        counts[account_of.get(row.stack, "")][row.status] += 1
    return tuple(
        AccountLine(
            account=account,
            stacks=sum(stack.account == account.id for stack in result.stacks),
            resources=sum(stack.resources for stack in result.stacks if stack.account == account.id),
            counts=counts[account.id],
            public=sum(exposure.account == account.id for exposure in result.exposures),
            trusting=sum(trust.account == account.id and trust.crosses_accounts for trust in result.trust),
        )
        for account in result.accounts
    )


def totals(result: ComplianceResult) -> Mapping[Status, int]:
    """Count the rows by status, every status named."""
    counts = Counter(row.status for row in result.rows)
    return {status: counts[status] for status in STATUSES}


def crossings(result: ComplianceResult) -> Mapping[tuple[str, str], int]:
    """Count trusts: (account of the principal, account of the role) -> number of roles, where the two differ."""
    found = {
        (trust.from_account, trust.account, trust.resource or trust.role)
        for trust in result.trust
        if trust.crosses_accounts
    }
    return Counter((origin, account) for origin, account, _ in found)


def account_names(result: ComplianceResult) -> Mapping[str, str]:
    """Map ids to names, for people."""
    return {account.id: account.name for account in result.accounts}


def verdict(result: ComplianceResult) -> str:
    """Say in one sentence whether anything stops a release."""
    counts = totals(result)
    stopping = (
        (
            counts[Status.NON_COMPLIANT],
            "finding without a fix or a waiver",
            "findings without a fix or a waiver",
        ),
        (counts[Status.UNKNOWN], "rule that failed", "rules that failed"),
        (len(result.problems), "problem of the ledger or the proof", "problems of the ledger or the proof"),
    )
    reasons = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in stopping if count)
    if result.passed:
        return "Nothing stops this release."
    return f"This release is stopped: {reasons or 'see the output of the synthesis'}."


def describe(part: ResultModel) -> str:  # noqa: PLR0911 -- one line per kind of part
    """Say in one line what a part of a result is, for lists of changes; rows are not among them."""
    match part:
        case WaiverUse():
            limits = f" for {', '.join(part.findings)}" if part.findings else ""
            where = f"{part.rule} at {part.path}{limits}"
            return f"{where}: {part.because}"
        case AllowanceUse():
            return f"{part.kind} {part.id} in {', '.join(part.packages)}: {part.because}"
        case Trust():
            narrowed = f", if {part.condition}" if part.condition else ""
            return f"{part.role} in {part.account} may be assumed by {part.principal}{narrowed}"
        case Exposure():
            said = "declared" if part.declared else "not declared"
            names = ", ".join(part.names)
            return (
                f"{part.kind} {names} in {part.account or 'no account'}, ports {part.ports or 'none'}, {said}"
            )
        case Stack():
            return f"{part.path} in {part.account}, {part.region}"
        case Cell():
            return f"{part.pack} on {part.stack}: {part.coverage}"
        case Pack():
            return f"{part.title} ({part.source}, {part.rules} rules)"
        case Rule():
            return f"{part.id} ({part.level}): {part.text}"
        case Problem():
            return f"{part.where}: {part.problem}"
    message = f"no line for a {type(part).__name__}"
    raise TypeError(message)


SECTIONS: Mapping[str, str] = {
    "problems": "Problems",
    "warnings": "Warnings",
    "exposures": "What is public",
    "trust": "Who may assume what",
    "waivers": "Waivers",
    "allowances": "Accepted in what we build with",
    "coverage": "Coverage",
    "stacks": "Stacks",
    "packs": "Packs",
    "rules": "Rules",
}
"""Part of a comparison -> its title, in the order in which a reviewer wants them; rows have a place of their own."""


def to_decide(change: ComplianceChange) -> tuple[Change[Judgement], ...]:
    """Return the changed rows that ask for a decision, those that stop a release first."""
    order = {status: place for place, status in enumerate(STATUSES)}
    return tuple(sorted(change.weaker, key=lambda one: order[one.after.status] if one.after else 0))


def changed_sections(change: ComplianceChange) -> Mapping[str, tuple[Change[ResultModel], ...]]:
    """Return the parts of a comparison that differ, rows left out: title -> changes."""
    return {title: getattr(change, name) for name, title in SECTIONS.items() if getattr(change, name)}
