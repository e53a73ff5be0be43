"""The words of the packet, the same on the page and in the text."""

import json
import re
from collections.abc import Sequence
from typing import Any

from compliance.changes import ComplianceChange, Judgement
from compliance.report.digest import to_decide
from operations.packet.differences import ResourceChange
from operations.packet.model import Fate, Kind, Packet

KINDS: dict[Kind, str] = {
    "data": "data at risk",
    "stack": "stack at risk",
    "stuck": "cannot be updated",
    "identity": "others rely on it",
    "replacement": "replacement",
    "access": "access",
    "network": "network",
    "protection": "protection",
    "migration": "database",
    "image": "image scan",
    "compliance": "compliance",
}
FATES: tuple[Fate, ...] = ("left behind", "new", "changed", "unchanged")
NEW_REVISION = "AWS::ECS::TaskDefinition"
NOT_COMMITTED = "not committed: this checkout holds changes that no commit has"
LONGEST_VALUE = 4000
SHORT_VALUE = 100
STACK_OUTPUT = re.compile(
    r'\{"Fn::GetStackOutput":\{"StackName":"([^"]+)"[^}]*?"OutputName":"([^"]+)"[^}]*\}\}'
)
SHOWN_DIGEST = 19  # sha256: and twelve more


def count(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: `1 stack`, `2 stacks`, `no stacks`."""
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"


def some(texts: Sequence[str], most: int = 3) -> str:
    """Write the first of several texts, and how many more there are."""
    more = f"; and {len(texts) - most} more" if len(texts) > most else ""
    return "; ".join(texts[:most]) + more


def digest(value: str | None) -> str:
    """Shorten a digest or a commit to what people compare."""
    if value is None:
        return "nothing"
    return value[:SHOWN_DIGEST] if value.startswith("sha256:") else value[:12]


def readable(text: str) -> str:
    """Shorten what another stack gives: the library writes it as the template has it."""
    return STACK_OUTPUT.sub(r"${\1/\2}", text)


def value(given: Any) -> str:
    """Write a value of a template; a text that CloudFormation puts together as the text that it will be."""
    if given is None:
        return "(nothing)"
    given = _joined(given)
    if isinstance(given, str):
        text = given
    else:
        text = json.dumps(given, ensure_ascii=False)
        if len(text) > SHORT_VALUE:
            text = json.dumps(given, indent=1, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}\n... cut; whole in packet.json"


def _joined(given: Any) -> Any:
    match given:
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(str(_joined(part)) for part in parts)
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case _:
            return given


def impact(resource: ResourceChange) -> str:
    """Say what becomes of a resource."""
    if resource.type == NEW_REVISION and resource.impact == "WILL_REPLACE":
        return "new revision"
    if resource.type_changed:
        return "replaced"
    return {
        "WILL_CREATE": "new",
        "WILL_UPDATE": "changed",
        "WILL_REPLACE": "replaced",
        "MAY_REPLACE": "changed, may be replaced",
        "WILL_DESTROY": "removed",
        "WILL_ORPHAN": "removed, left behind",
        "WILL_IMPORT": "imported",
        "NO_CHANGE": "unchanged",
    }[resource.impact]


def difference_in_words(change: ComplianceChange) -> str:
    """Say in one line what the gate says otherwise than at the last release."""
    if change.empty:
        return "The gate says what it said of the last release."
    words = {"rows": "judgements"}
    parts = [
        f"{words.get(part, part)}: {', '.join(f'{number} {kind.value}' for kind, number in counts.items())}"
        for part, counts in change.counts().items()
    ]
    return f"Otherwise than at the last release: {'; '.join(parts)}."


def row_lists(change: ComplianceChange) -> list[tuple[str, list[Judgement]]]:
    """Return what a person reads of the changed rows, titled; those that hold, new or not, are only counted."""
    lists = [
        (
            "To decide: open, newly accepted, or accepted for another reason",
            [one.after for one in to_decide(change)],
        ),
        (
            "Settled: open or accepted at the last release, and no more",
            [one.before for one in change.settled],
        ),
    ]
    found = [(title, [row for row in rows if row is not None]) for title, rows in lists]
    return [(title, rows) for title, rows in found if rows]


def summary(packet: Packet) -> str:
    """Say in one line what the approver is asked for; it stands in the console, too."""
    if packet.blocked:
        return f"STOPPED: {', '.join(_stops(packet))}: {packet.blocked[0].where}"
    look = ""
    if packet.highlights:
        kinds = dict.fromkeys(KINDS[one.kind] for one in packet.highlights)
        look = f"; LOOK AT {', '.join(kinds)}"
    if packet.is_empty:
        return f"Empty change: stacks, image, migrations and findings are those of the last release{look}."
    parts = [
        f"{count(len(packet.changed_stacks), 'stack')} changed"
        if packet.changed_stacks
        else "no stack changed",
        "another image" if packet.image.differs else "the same image",
        count(len(packet.database.pending), "migration") if packet.database.known else "migrations not known",
    ]
    return f"{'; '.join(parts)}{look}."


def _stops(packet: Packet) -> list[str]:
    """Count what stops the release: changes that would lose something, and stacks that AWS would not update."""
    stuck = sum(one.kind == "stuck" for one in packet.blocked)
    counts = (
        (len(packet.blocked) - stuck, "change", "would lose something"),
        (stuck, "stack", "cannot be updated"),
    )
    return [f"{count(number, noun)} {what}" for number, noun, what in counts if number]


def fates(packet: Packet) -> str:
    """Count the stacks by what becomes of them."""
    if not packet.stacks:
        return "no stacks"
    found = [stack.fate for stack in packet.stacks]
    return ", ".join(f"{found.count(fate)} {fate}" for fate in FATES if fate in found)
