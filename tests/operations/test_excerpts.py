"""The end of what a program wrote begins where something begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.excerpts import last_lines

FOLDED = [
    "error: the domain example.org is not delegated to the organization's name servers, and",
    "nobody can reach what is deployed below it, so that certificates would wait until",
    "they are given up",
    "    fix: enter these name servers at the registrar of example.org:",
    "    ns-1.example.org",
]
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in <module>',
    "    b()",
    '  File "b.py", line 2, in b',
    "    raise ValueError(1)",
    "ValueError: 1",
]


@pytest.mark.parametrize(
    ("lines", "most", "first"),
    [
        (["one", "two", "three"], 5, "one"),
        (["Collected.", *FOLDED], 3, FOLDED[0]),
        (["It is over", "", "    fix: none", "    of these"], 1, "    fix: none"),
        (["Ran it", *TRACEBACK], 3, TRACEBACK[0]),
        (["Ran it", *TRACEBACK], 1, TRACEBACK[-1]),
        (["Files: 3", "  a", "  b", "  c", "  d", "  e", "  f", "Done."], 3, "  e"),
        (["Files: 3", *["  a"] * 9, "Done.", "one", "two"], 4, "Done."),
        (["x" * 70] * 9, 3, "x" * 70),
        ([], 3, None),
    ],
)
def test_an_excerpt_begins_where_something_begins(lines: list[str], most: int, first: str | None) -> None:
    found = last_lines(lines, most)

    assert (found[0] if found else None) == first
    assert found == lines[len(lines) - len(found) :]
    assert len(found) <= 2 * most


def test_a_traceback_longer_than_looked_at_keeps_its_last_frames() -> None:
    lines = [TRACEBACK[0], *TRACEBACK[1:-1] * 10, "OperationalError: connection refused"]

    assert last_lines(lines, 15) == lines[-15:]


@given(
    st.lists(
        st.sampled_from(["", "    indented", "small.", "Capital", "error: told", "x" * 70]), max_size=60
    ),
    st.integers(1, 20),
)
def test_looking_for_a_beginning_costs_a_third_at_most(lines: list[str], most: int) -> None:
    found = last_lines(lines, most)

    assert found == lines[len(lines) - len(found) :]
    assert min(len(lines), most) - most // 3 <= len(found) <= 2 * most
