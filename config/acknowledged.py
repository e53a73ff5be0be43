"""Changes that would lose something, each let through by name, with a reason and for a while."""

from datetime import date
from typing import Annotated

from pydantic import Field

from config.formats import Fault, Format
from config.sizes import Model


def _day(value: str) -> Fault | None:
    try:
        date.fromisoformat(value)
    except ValueError:
        return Fault("not a day of the calendar", 'write a day like "2026-12-31"')
    return None


ChangeName = Annotated[
    str,
    Format(
        pattern="^[A-Za-z][A-Za-z0-9-]{0,127}(/[A-Za-z0-9]{1,255})?: (remove|replace)$",
        problem="not the name of a change",
        allowed="as ./lz guard prints it: stage, stack, or stack/resource, a colon, a space, remove or replace",
        fix='copy it from the message, such as "MyDjangoAppProduction-Media: remove"',
        example="MyDjangoAppProduction-Media: remove",
    ),
]

Reason = Annotated[
    str,
    Format(
        pattern=r"^\S+( \S+){2,}$",
        problem="not a reason",
        allowed="three words or more, with single spaces",
        fix="say in a sentence why, and what becomes of the data",
        example="The photos were copied to the new bucket.",
        longest=500,
    ),
]

Day = Annotated[
    str,
    Format(
        pattern="^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        problem="not a day",
        allowed="year, month and day of month, joined by hyphens",
        fix='write a day like "2026-12-31"',
        example="2026-12-31",
        explain=_day,
    ),
]


class Acknowledgement(Model):
    """Lets one change through that would lose something."""

    reason: Reason = Field(description="Why, and what becomes of the data. The approval packet shows it.")
    until: Day = Field(description="Last day on which it counts, 31 days ahead at most; YYYY-MM-DD.")
