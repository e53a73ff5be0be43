"""The end of what a program wrote, from a line where something begins."""

import re
from collections.abc import Sequence

_FULL_LINE = 60  # characters; a shorter line was not folded
_LABEL = re.compile(r"[\w.\-/]+: ")  # as in "error: ", which begins something though its letter is small


def last_lines(lines: Sequence[str], most: int) -> list[str]:
    """Return the last lines, from one where a sentence, a message or a paragraph begins.

    Args:
        lines: all lines.
        most: how many are wanted; up to twice as many if only then the beginning is among them. Without one nearby,
            as within a long traceback, so many and no fewer: each line may be the one that tells the cause.
    """
    if not lines:
        return []
    wanted = max(0, len(lines) - most)
    earlier = range(wanted, max(0, wanted - most) - 1, -1)
    later = range(wanted + 1, min(len(lines), wanted + 1 + most // 3))  # what it costs at most, a third
    begin = next((index for index in (*earlier, *later) if _begins(lines, index)), wanted)
    return list(lines[begin:])


def _begins(lines: Sequence[str], index: int) -> bool:
    line = lines[index]
    if not line.strip():
        return False
    before = lines[index - 1].rstrip() if index else ""
    if not before:
        return True
    if line[0].isspace():
        return False
    if before[-1] in ".!?" or _LABEL.match(line):
        return True
    return len(before) < _FULL_LINE and not line[0].islower()
