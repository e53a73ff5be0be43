"""The parts that differ inside a value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.packet.leaves import leaves

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["A", "Name", "Ref"]), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"Cpu": 256, "Memory": 512}, {"Cpu": 256, "Memory": 1024}, [("Memory", 512, 1024)]),
        ({"A": {"B": 1}}, {"A": {"B": 1, "C": 2}}, [("A.C", None, 2)]),
        ({"Ref": "Old"}, {"Ref": "New"}, [("", {"Ref": "Old"}, {"Ref": "New"})]),
        (
            [{"Name": "DEBUG", "Value": "1"}, {"Name": "LANG", "Value": "C"}],
            [{"Name": "LANG", "Value": "C"}, {"Name": "DEBUG", "Value": "0"}],
            [("[DEBUG].Value", "1", "0")],
        ),
        ([1, 2], [1, 2, 3], [("[]", None, 3)]),
        ([1, 2, 3], [3], [("[]", 1, None), ("[]", 2, None)]),
        ([1, 2], [3], [("", [1, 2], [3])]),
        ([{"A": 1}], [{"A": 2}], [("[0].A", 1, 2)]),
        ("a", "a", []),
        (None, {"A": 1}, [("", None, {"A": 1})]),
    ],
)
def test_a_difference_is_told_where_it_is(before: Any, after: Any, found: list[tuple[str, Any, Any]]) -> None:
    assert list(leaves(before, after)) == found


@given(JSON, JSON)
def test_what_differs_has_a_leaf_unless_only_the_order_of_named_entries_does(before: Any, after: Any) -> None:
    found = list(leaves(before, after))
    assert all(old != new for _, old, new in found)
    if before == after:
        assert not found
