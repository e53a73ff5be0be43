"""The packet as one page: no script, nothing fetched, readable on paper and without seeing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from compliance.report.digest import changed_sections, describe
from operations.packet.differences import Change, Difference, ResourceChange
from operations.packet.exposure import title
from operations.packet.image_scans import NOT_ASKED, in_short, verdict, why
from operations.packet.leaves import Leaf, leaves
from operations.packet.model import Packet, StackChange
from operations.packet.words import (
    KINDS,
    NOT_COMMITTED,
    count,
    difference_in_words,
    digest,
    fates,
    impact,
    readable,
    row_lists,
    summary,
    value,
)

HERE = Path(__file__).parent
MOST_LEAVES = 12
MOST_ROWS = 30
LONGEST_INLINE = 160  # characters of both values: two lines of the column
VERDICTS = {
    "expand": "expands: the version before works with it",
    "contract": "contracts: it breaks or locks",
    "unknown": "cannot be judged",
}


@dataclass(frozen=True)
class Row:
    """A resource in a table.

    Args:
        change: what becomes of it.
    """

    change: ResourceChange

    @property
    def gravity(self) -> int:
        """Sort: data lost first, then what is replaced or removed, then the rest."""
        lost = self.change.is_removed or self.change.is_replaced
        return 0 if self.change.is_guarded and lost else 1 if lost else 2

    @property
    def level(self) -> str:
        """How much it wants to be seen."""
        return ("stop", "look", "fine")[self.gravity]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Its properties and attributes that differ, but for notes to tools."""
        everything = (*self.change.properties, *self.change.attributes)
        return tuple(change for change in everything if change.name != "Metadata")


def page(packet: Packet) -> str:
    """Return the page.

    Args:
        packet: what it shows.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        changed_sections=changed_sections,
        count=count,
        describe=describe,
        difference_in_words=difference_in_words,
        digest=digest,
        impact=impact,
        in_short=in_short,
        leaves=_leaves,
        moment=_moment,
        readable=readable,
        row_lists=row_lists,
        title=title,
        value=value,
        verdict=verdict,
        why=why,
    )
    stacks = [(stack, _rows(stack.difference)) for stack in packet.changed_stacks]
    return environment.get_template("page.html.jinja").render(
        packet=packet,
        summary=summary(packet),
        verdict=_verdict(packet),
        fates=fates(packet),
        stacks=sorted(stacks, key=lambda one: _gravity(*one)),
        unchanged=[stack.name for stack in packet.stacks if stack.fate == "unchanged"],
        kinds=KINDS,
        verdicts=VERDICTS,
        not_asked=NOT_ASKED,
        not_committed=NOT_COMMITTED,
        most_leaves=MOST_LEAVES,
        most_rows=MOST_ROWS,
        longest_inline=LONGEST_INLINE,
        style=Markup((HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 -- our own file
    )


def _verdict(packet: Packet) -> dict[str, str]:
    if packet.blocked:
        return {"level": "stop", "text": "The release stops here, before anybody is asked."}
    if packet.is_empty and not packet.highlights:
        return {"level": "fine", "text": "Nothing changes."}
    if packet.highlights:
        things = count(len(packet.highlights), "thing")
        return {"level": "look", "text": f"{things} to look at before you approve."}
    return {"level": "fine", "text": "Nothing is lost, opened or loosened."}


def _rows(difference: Difference | None) -> list[Row]:
    if difference is None:
        return []
    return [Row(resource) for resource in difference.resources if not resource.is_metadata_only]


def _gravity(stack: StackChange, rows: Sequence[Row]) -> int:
    """Sort: left behind, something lost, permissions or network open, the rest, new."""
    if stack.difference is None:
        return 0
    if stack.fate == "new":
        return 4
    difference = stack.difference
    opens = any(one.broadens for one in difference.iam) or any(one.broadens for one in difference.network)
    return 1 if any(row.gravity == 0 for row in rows) else 2 if opens else 3


def _leaves(change: Change) -> list[Leaf]:
    return list(leaves(change.before, change.after, change.name))


def _moment(time: datetime) -> str:
    return f"{time:%d %B %Y %H:%M} UTC"
