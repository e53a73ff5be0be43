"""Every value of the sample is spoiled once, in several ways; the message must name the place."""

from collections.abc import Iterator
from typing import Any

import pytest

from config.problems import Place, dotted
from tests.config.support import Json, problems, sample


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*place, index))
    else:
        yield place, value


def containers(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, dict | list):
        if place:
            yield place
        steps: Iterator[tuple[str | int, Any]] = iter(
            value.items() if isinstance(value, dict) else enumerate(value)
        )
        for step, item in steps:
            yield from containers(item, (*place, step))


LEAVES = list(leaves(sample()))
CONTAINERS = list(containers(sample()))


def replaced(place: Place, value: Any) -> Json:
    data = sample()
    target: Any = data
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return data


def named(place: Place, wrong: Any) -> None:
    found = problems(replaced(place, wrong))
    assert dotted(place) in [problem.path for problem in found]
    for problem in found:
        assert all((problem.file, problem.path, problem.value, problem.problem, problem.allowed, problem.fix))


def test_the_sweep_covers_the_sample() -> None:
    assert len(LEAVES) > 50
    assert len(CONTAINERS) > 15


@pytest.mark.parametrize(("place", "value"), LEAVES, ids=[dotted(place) for place, _ in LEAVES])
def test_rejects_a_spoiled_value_and_names_its_place(place: Place, value: Any) -> None:
    # A value of another type, one that is out of range or of no form, and an object.
    for wrong in (
        "\x07 no such thing \x07" if not isinstance(value, str) else 3,
        {"no": "such thing"},
        ["x"],
        -7.25,
    ):
        named(place, wrong)
    if place != ("$schema",):  # which editors read, and nobody else
        named(place, "\x07 no such thing \x07")
    wrong = 3 if isinstance(value, bool) else True
    named(place, wrong)


@pytest.mark.parametrize("place", CONTAINERS, ids=[dotted(place) for place in CONTAINERS])
def test_rejects_a_spoiled_section_and_names_its_place(place: Place) -> None:
    for wrong in ("text", 3, True, None, 0.5):
        named(place, wrong)
    other: Any = [] if isinstance(sample_at(place), dict) else {}
    named(place, other)


def sample_at(place: Place) -> Any:
    value: Any = sample()
    for step in place:
        value = value[step]
    return value
