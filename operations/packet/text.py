"""The packet as Markdown: for a terminal, a chat message or a change ticket."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from compliance.changes import Judgement
from compliance.report.digest import changed_sections, describe
from operations.packet.differences import Change, Difference
from operations.packet.exposure import title
from operations.packet.image_scans import NOT_ASKED, verdict, why
from operations.packet.leaves import leaves
from operations.packet.model import Packet, StackChange
from operations.packet.words import (
    KINDS,
    NOT_COMMITTED,
    difference_in_words,
    digest,
    fates,
    impact,
    readable,
    row_lists,
    summary,
    value,
)

MOST_LEAVES = 6
LONGEST = 140
ALIKE = 40  # characters shown of what two long values begin with alike


def text(packet: Packet) -> str:
    """Return the Markdown.

    Args:
        packet: what it says.
    """
    return "\n".join(_lines(packet)) + "\n"


def _lines(packet: Packet) -> Iterator[str]:
    yield f"# Release to {packet.environment}"
    yield ""
    yield f"**{summary(packet)}**"
    yield ""
    yield f"{packet.domain}, account {packet.account}, made {packet.time:%d %B %Y %H:%M} UTC"
    if packet.highlights:
        yield from ("", "## Look at this first", "")
        for one in packet.highlights:
            kind = f"STOPS THE RELEASE, {KINDS[one.kind]}" if one.blocks else KINDS[one.kind]
            yield f"- **{kind}**: `{one.where}`: {one.what}"
            yield from (f"  - {name}: {what}" for name, what in _more(one.fix, one.acknowledged) if what)
    yield from (f"- note: {warning}" for warning in packet.warnings)
    yield from ("", "## Image and commits", "")
    yield from (f"- {line}" for line in _release(packet))
    yield from ("", "## Image scan", "")
    yield from _scans(packet)
    yield from ("", "## Database", "")
    yield from _database(packet)
    yield from ("", "## Stacks", "", fates(packet))
    for stack in packet.changed_stacks:
        yield from _stack(stack)
    yield from ("", "## Compliance", "")
    yield from _compliance(packet)


def _more(fix: str, acknowledged: str | None) -> Iterable[tuple[str, str | None]]:
    return ("fix", fix), ("acknowledged", acknowledged)


def _release(packet: Packet) -> Iterator[str]:
    image, previous = packet.image, packet.previous
    if previous is None:
        yield "no release record yet"
    else:
        yield f"last release {previous.time:%d %B %Y %H:%M} UTC, execution {previous.execution_id}"
    yield f"image: {_change(image.before, image.after)}"
    yield f"source of {image.workload}: {_change(image.revision_before, image.revision_after)}"
    before = previous.commit if previous else None
    yield f"infrastructure: {NOT_COMMITTED if packet.uncommitted else _change(before, packet.commit)}"


def _change(before: str | None, after: str | None) -> str:
    if after is None:
        return "not known"
    return f"{digest(after)} (unchanged)" if before == after else f"{digest(before)} -> {digest(after)}"


def _scans(packet: Packet) -> Iterator[str]:
    if packet.scans is None:
        yield NOT_ASKED
        return
    for scan in packet.scans.scans:
        yield f"- `{scan.repository}@{digest(scan.digest)}`: {verdict(scan, packet.scans.severity)}"
        yield from (f"  - {one.severity} {one.id} in {one.place}: {why(one)}" for one in scan.shown)


def _database(packet: Packet) -> Iterator[str]:
    database = packet.database
    if not database.known:
        yield f"Not known: {database.problem}."
    elif not database.pending:
        yield "No migration is pending."
    for migration in database.pending:
        yield f"- `{migration.key}`: {migration.verdict}{'' if migration.atomic else ', not atomic'}"
        yield from (f"  - {concern.effect}: {concern.text}" for concern in migration.all_concerns)
        for line in ("```sql", *(migration.sql or f"-- {migration.problem}").splitlines(), "```"):
            yield f"  {line}"


def _stack(stack: StackChange) -> Iterator[str]:
    yield from ("", f"### {stack.name} ({stack.fate})", "")
    difference = stack.difference
    if difference is None:
        yield "- it is deployed, and the assembly has it no more"
        return
    if stack.fate == "new":
        yield f"- {len(difference.resources)} resources, {len(difference.iam)} permissions, all new"
        return
    yield from _resources(difference)
    for one in difference.iam:
        sign = "+" if one.added else "-"
        statement = f"{one.effect} {one.action} on {readable(one.resource)} for {readable(one.principal)}"
        yield f"- permission {sign} `{' '.join(statement.split())}`{' (broadens)' if one.broadens else ''}"
    for rule in difference.network:
        sign, way = "+" if rule.added else "-", "from" if rule.direction == "in" else "to"
        yield (
            f"- security group {sign} `{readable(rule.subject)}` {rule.protocol} {way} {readable(rule.peer)}"
            f"{' (opens)' if rule.broadens else ''}"
        )
    yield from (f"- {other}" for other in difference.others)


def _resources(difference: Difference) -> Iterator[str]:
    for resource in difference.resources:
        if resource.is_metadata_only:
            continue
        yield f"- {impact(resource)}: {title(resource)} (`{resource.type}`)"
        for change in (*resource.properties, *resource.attributes):
            yield from _leaves(change)


def _leaves(change: Change) -> Iterator[str]:
    if change.name in {"Metadata", "PolicyDocument"}:  # notes; and what the list of permissions says better
        return
    found = list(leaves(change.before, change.after, change.name))
    for place, before, after in found[:MOST_LEAVES]:
        old, new = _short(before, after)
        yield f"  - {place}: `{old}` -> `{new}`"
    if len(found) > MOST_LEAVES:
        yield f"  - {change.name}: {len(found) - MOST_LEAVES} more"


def _short(before: object, after: object) -> tuple[str, str]:
    """Shorten two values so that one sees where they differ, although they begin alike."""
    texts = [" ".join(value(given).split()) for given in (before, after)]
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    start = max(0, alike - ALIKE) if max(map(len, texts)) > LONGEST else 0
    cut = [f"...{text[start:]}" if start else text for text in texts]
    old, new = (text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..." for text in cut)
    return old, new


def _compliance(packet: Packet) -> Iterator[str]:
    found, change = packet.compliance, packet.compliance.change
    yield f"{found.judged:,} judgements, {found.open} open, {found.accepted} accepted."
    if change is None:
        yield f"Nothing to compare with: {found.problem}."
        return
    yield difference_in_words(change)
    for title_, rows in row_lists(change):
        yield from ("", f"### {title_}: {len(rows)}", "")
        yield from (
            f"- {judged.status.value}: {judged.rule} on `{judged.resource}`{_why(judged)}" for judged in rows
        )
    for title_, changes in changed_sections(change).items():
        yield from ("", f"### {title_}: {len(changes)}", "")
        for one in changes:
            yield from (
                f"- {sign} {describe(part)}" for sign, part in (("-", one.before), ("+", one.after)) if part
            )


def _why(judged: Judgement) -> str:
    finding = f" ({judged.finding})" if judged.finding else ""
    if judged.waiver is None:
        return finding
    return f"{finding}: {judged.waiver.because}"
