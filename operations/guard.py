"""What a release would lose: stacks that nobody manages any more, and resources with data that are made anew."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from config.models import Acknowledgement
from config.naming import RECORDED_TEMPLATES
from operations.packet.differences import IDENTITIES, Difference, Pair, ResourceChange, differences
from operations.releases.templates import StackTemplate

LONGEST = timedelta(days=31)
"""How far ahead an acknowledgement may reach: long enough for one release, too short to be forgotten."""

KEPT = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True)
class Danger:
    """A change that would lose something.

    Args:
        change: its name, as `acknowledged_changes` has it.
        what: what would happen.
        fix: what to do instead.
        kind: what is at risk: data, a stack, or an identity that others know.
    """

    change: str
    what: str
    fix: str
    kind: Literal["data", "stack", "identity"] = "stack"


@dataclass(frozen=True)
class Judgement:
    """Which dangers stop a release.

    Args:
        open: those that nobody let through.
        let_through: those that the configuration acknowledges, with its word for it.
        warnings: acknowledgements without effect.
    """

    open: tuple[Danger, ...]
    let_through: tuple[tuple[Danger, Acknowledgement], ...]
    warnings: tuple[str, ...]


def find_dangers(before: Sequence[StackTemplate], after: Sequence[StackTemplate]) -> tuple[Danger, ...]:
    """Compare what is deployed with what a release would make of it.

    Args:
        before: the stacks that are deployed.
        after: the stacks of the assembly.
    """
    there = {stack.place: stack for stack in after}
    pairs = [
        Pair(name=stack.name, before=stack.template, after=there[stack.place].template)
        for stack in before
        if stack.place in there
        and there[stack.place].template.get("Resources") != stack.template.get("Resources")
    ]
    return dangers(differences(pairs), before, after)


def dangers(
    found: Sequence[Difference], before: Sequence[StackTemplate], after: Sequence[StackTemplate]
) -> tuple[Danger, ...]:
    """List what a release would lose.

    Args:
        found: the differences of the stacks that are in both.
        before: the stacks that are deployed.
        after: the stacks of the assembly.
    """
    templates = {stack.name: stack for stack in before}
    return (
        *_stages(before, after),
        *_stacks(before, after),
        *(danger for difference in found for danger in _resources(difference, templates[difference.name])),
    )


def judge(found: Sequence[Danger], acknowledged: Mapping[str, Acknowledgement], *, today: date) -> Judgement:
    """Hold dangers against what the configuration acknowledges.

    An acknowledgement counts for the change of its exact name, until its day. Past it, it does nothing, so that a
    forgotten one can neither let anything through nor stop a release.

    Args:
        found: the dangers.
        acknowledged: name of a change -> its acknowledgement.
        today: in UTC.
    """
    valid, warnings = {}, []
    for change, entry in acknowledged.items():
        until = date.fromisoformat(entry.until)
        if until < today:
            warnings.append(f"{change}: acknowledged until {until}, which is over; remove the entry")
        elif until > today + LONGEST:
            warnings.append(
                f"{change}: acknowledged until {until}, more than {LONGEST.days} days ahead, and so not at all; "
                f"{today + LONGEST} is the furthest"
            )
        else:
            valid[change] = entry
    names = {danger.change for danger in found}
    warnings += [
        f"{change}: acknowledged, and nothing of that name changes; remove the entry"
        for change in valid
        if change not in names
    ]
    return Judgement(
        open=tuple(danger for danger in found if danger.change not in valid),
        let_through=tuple((danger, valid[danger.change]) for danger in found if danger.change in valid),
        warnings=tuple(warnings),
    )


def _stages(before: Sequence[StackTemplate], after: Sequence[StackTemplate]) -> Iterator[Danger]:
    there = {stack.place for stack in after}
    new = {stack.stage for stack in after} - {stack.stage for stack in before}
    for stage, stacks in _by_stage(before).items():
        if any(stack.place in there for stack in stacks):
            continue
        name = stage or "Tooling"
        accounts = {stack.account for stack in after if stack.stage == stage}
        now = f"in account {' and '.join(sorted(accounts))}" if accounts else " or ".join(sorted(new))
        yield Danger(
            f"{name}: remove",
            f"{len(stacks)} deployed stacks in account {stacks[0].account} would be left to themselves, running and "
            f"billed: {', '.join(stack.name for stack in stacks)}.{_elsewhere(now)}",
            "put the environment back, with its name and its account. To retire it: save its data, delete its stacks "
            f"(./lz cdk -- destroy '{name}/*' before it leaves the file), then delete "
            f"{name}/{RECORDED_TEMPLATES} in the records bucket",
        )


def _stacks(before: Sequence[StackTemplate], after: Sequence[StackTemplate]) -> Iterator[Danger]:
    there, known = {stack.place for stack in after}, {stack.place for stack in before}
    for stage, stacks in _by_stage(before).items():
        gone = [stack for stack in stacks if stack.place not in there]
        if len(gone) == len(stacks):
            continue  # told as a whole
        new = [stack.name for stack in after if stack.stage == stage and stack.place not in known]
        for stack in gone:
            yield Danger(
                f"{stack.name}: remove",
                "the deployed stack would be left to itself, running and billed: the pipeline deletes nothing."
                f"{_elsewhere(' or '.join(new))}",
                "restore the construct id of the stack; or acknowledge it, release, and delete the stack by hand in "
                f"account {stack.account}, region {stack.region}",
            )


def _by_stage(stacks: Sequence[StackTemplate]) -> Mapping[str, list[StackTemplate]]:
    found: dict[str, list[StackTemplate]] = {}
    for stack in stacks:
        found.setdefault(stack.stage, []).append(stack)
    return found


def _elsewhere(now: str, *, empty: bool = True) -> str:
    anew = "made anew and empty" if empty else "made anew"
    return f" If it is {now} now: to AWS that is another one, {anew}." if now else ""


def _resources(difference: Difference, stack: StackTemplate) -> Iterator[Danger]:
    for resource in difference.resources:
        if not resource.is_guarded:
            continue
        name, known = f"{difference.name}/{resource.id}", IDENTITIES.get(resource.type)
        kind: Literal["data", "identity"] = "identity" if known else "data"
        also = f"; {known}" if known else ""
        first = "make another one beside it and move what relies on it" if known else "move the data first"
        if resource.is_removed:
            yield Danger(
                f"{name}: remove",
                f"{_title(resource)} leaves its stack: {_fate(stack, resource, 'DeletionPolicy')}{also}."
                f"{_renamed(difference, resource)}",
                f"restore the construct's id and place; or {first}, then acknowledge",
                kind,
            )
        elif resource.is_replaced:
            may = "may be" if resource.impact == "MAY_REPLACE" else "is"
            causes = [change.name for change in resource.properties if change.impact == resource.impact]
            because = f" because {' and '.join(causes)} changes" if causes else ""
            yield Danger(
                f"{name}: replace",
                f"{_title(resource)} {may} replaced by {'another one' if known else 'a new, empty one'}{because}; "
                f"of the old one: {_fate(stack, resource, 'UpdateReplacePolicy')}{also}.",
                f"undo the change of {' and '.join(causes) or 'its type'}; or {first}, then acknowledge",
                kind,
            )


def _title(resource: ResourceChange) -> str:
    return f"{resource.type} {resource.path.removesuffix('/Resource') or resource.id}"


def _fate(stack: StackTemplate, resource: ResourceChange, policy: str) -> str:
    # CloudFormation takes the policy of the template that is deployed.
    value = stack.template.get("Resources", {}).get(resource.id, {}).get(policy, "Delete")
    if value in KEPT:
        return "it stays in the account, and nothing uses it any more"
    if value == "Snapshot":
        return "it is deleted, a snapshot is kept"
    return "it is deleted" if resource.type in IDENTITIES else "it is deleted with what is in it"


def _renamed(difference: Difference, gone: ResourceChange) -> str:
    new = [
        _title(resource)
        for resource in difference.resources
        if resource.type == gone.type and resource.impact == "WILL_CREATE"
    ]
    return _elsewhere(" or ".join(new), empty=gone.type not in IDENTITIES)
