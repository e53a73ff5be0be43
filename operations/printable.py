"""Text of others, made fit for a terminal."""

import re

# C0, DEL and C1 (ISO 6429) but tab and line feed: they move the cursor, change the title, or hide what was written.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Replace control characters, so that nothing is done to the terminal that shows it.

    Args:
        text: of an application, or whoever wrote it; tabs and line feeds stay.
    """
    return _CONTROL.sub(_SHOWN_AS, text)
