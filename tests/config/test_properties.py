"""Whatever is done to the sample, the loader answers with a configuration or with complete, printable problems."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import config
from config import Configuration, ConfigurationError, render
from config.problems import Place
from tests.config.support import SAMPLE_TEXT, Json, accepted, app, sample
from tests.config.test_corruption import CONTAINERS, LEAVES

# The same examples on every machine, so that a red test is a change of the code and never of the weather.
REPEATABLE = settings(
    derandomize=True, deadline=None, max_examples=80, suppress_health_check=list(HealthCheck), database=None
)
PLACES = [place for place, _ in LEAVES] + CONTAINERS
WORDS = [
    "create",
    "off",
    "none",
    "local",
    "central",
    "staging",
    "production",
    "a",
    "acme.example",
    "10.0.0.0/8",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def answer(text: str) -> Configuration | None:
    """Load a text and check the promise: a configuration, or problems without a gap."""
    try:
        configuration = config.load_text(text, "accounts.json", check_files=False)
    except ConfigurationError as error:
        check(error)
        return None
    assert configuration.stages()
    assert len({stage.stage_name for stage in configuration.stages()}) == len(configuration.stages())
    return configuration


def check(error: ConfigurationError) -> None:
    assert error.problems
    for problem in error.problems:
        parts = (problem.file, problem.path, problem.value, problem.problem, problem.allowed, problem.fix)
        assert all(isinstance(part, str) and part.strip() and part.isprintable() for part in parts)
        assert len(problem.value) <= 60
    rendered = render(error.problems)
    assert rendered == str(error)
    assert rendered.encode("utf-8")


def parent_of(data: Json, place: Place) -> Any:
    target: Any = data
    for step in place[:-1]:
        target = target[step]
    return target


@REPEATABLE
@given(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4))
def test_any_keys_may_be_deleted(places: list[Place]) -> None:
    data = sample()
    for place in places:
        try:
            del parent_of(data, place)[place[-1]]
        except (LookupError, TypeError):
            continue  # it went with an earlier one
    answer(json.dumps(data))


@REPEATABLE
@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=4))
def test_any_values_may_be_replaced(changes: list[tuple[Place, Any]]) -> None:
    data = sample()
    for place, value in changes:
        try:
            parent_of(data, place)[place[-1]] = value
        except (LookupError, TypeError):
            continue
    answer(json.dumps(data))


@REPEATABLE
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(LEAVES)), min_size=1, max_size=3))
def test_any_values_may_be_swapped_for_others_of_the_sample(
    changes: list[tuple[Place, tuple[Place, Any]]],
) -> None:
    data = sample()
    for place, (_, value) in changes:
        try:
            parent_of(data, place)[place[-1]] = value
        except (LookupError, TypeError):
            continue
    answer(json.dumps(data))


@REPEATABLE
@given(st.sampled_from(PLACES), st.text(max_size=50) | st.sampled_from(["path", "class", "staging", "name"]))
def test_any_key_may_be_renamed(place: Place, name: str) -> None:
    data = sample()
    parent = parent_of(data, place)
    if isinstance(parent, dict):
        parent[name] = parent.pop(place[-1])
    answer(json.dumps(data))


@REPEATABLE
@given(st.text(max_size=30), st.sampled_from(["workload", "staging", "production"]))
def test_any_environment_may_be_duplicated(name: str, what: str) -> None:
    data = sample()
    if what == "workload":
        data["workloads"][name] = copy.deepcopy(app(data))
    else:
        app(data)["environments"][name] = copy.deepcopy(app(data)["environments"][what])
    known = name in {"staging", "production", "my-django-app"}
    assert (answer(json.dumps(data)) is not None) <= known


@REPEATABLE
@given(
    st.sampled_from(PLACES), st.sampled_from([str, repr, list, bool, lambda value: [value], lambda _: None])
)
def test_any_type_may_be_changed(place: Place, change: Any) -> None:
    data = sample()
    parent = parent_of(data, place)
    try:
        parent[place[-1]] = change(parent[place[-1]])
    except TypeError:
        return
    answer(json.dumps(data))


@REPEATABLE
@given(
    st.lists(
        st.tuples(st.integers(0, len(SAMPLE_TEXT)), st.integers(0, 20), st.text(max_size=5)),
        min_size=1,
        max_size=4,
    )
)
def test_any_text_may_be_edited(edits: list[tuple[int, int, str]]) -> None:
    text = SAMPLE_TEXT
    for start, length, new in edits:
        text = text[:start] + new + text[start + length :]
    answer(text)


@REPEATABLE
@given(
    st.integers(0, len(SAMPLE_TEXT)),
    st.sampled_from([*"{}[]\",:0#/'\\\n-", "//", "/*", "00", "None", "\ufeff"]),
)
def test_any_sign_of_json_may_be_added_anywhere(start: int, sign: str) -> None:
    answer(SAMPLE_TEXT[:start] + sign + SAMPLE_TEXT[start:])


@REPEATABLE
@given(st.text(alphabet="{}[]\",:0123456789.-+eE /*#'\\ntruefals\ud800", max_size=60))
def test_any_text_may_be_given(text: str) -> None:
    answer(text)


@REPEATABLE
@given(JSON)
def test_any_json_may_be_given(value: Any) -> None:
    answer(json.dumps(value))


@REPEATABLE
@given(st.permutations(list(sample())))
def test_the_order_of_sections_does_not_matter(order: list[str]) -> None:
    accepted({key: sample()[key] for key in order})
