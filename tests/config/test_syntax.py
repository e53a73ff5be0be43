import json

import pytest

from config.outline import DEEPEST
from tests.config.support import SAMPLE_TEXT, problems, refused


def test_rejects_an_account_id_without_quotes_that_starts_with_a_zero() -> None:
    text = SAMPLE_TEXT.replace('"111111111111",', "012345678901,", 1)
    first = problems(text)[0]
    assert first.path == "accounts.tooling"
    assert "line 11, column 16: a number cannot start with a zero" in first.problem
    assert first.value == "012345678901"
    assert "octal" in first.problem
    assert "in quotes" in first.allowed


def test_rejects_every_number_with_a_leading_zero_in_one_go() -> None:
    text = SAMPLE_TEXT.replace('"333333333333"', "033333333333").replace('"444444444444"', "044444444444")
    assert [problem.path for problem in problems(text)] == [
        "accounts.workloads.staging",
        "accounts.workloads.production",
    ]


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('"b"]', '"b",]', "organization.availability_zones[1]", "a comma after the last entry"),
        ('"hnb659fds"\n', '"hnb659fds",\n', "organization.qualifier", "a comma after the last entry"),
        ('"name"', '// who we are\n    "name"', "organization", "no comments"),
        ('"name"', '# who we are\n    "name"', "organization", "no comments"),
        ('"name"', '/* who\n we are */ "name"', "organization", "no comments"),
        ('"acme",', '"acme"', "organization.name", "a comma is missing"),
        ('"main"', "'main'", "pipeline.branch", "double quotes"),
        (
            '"spot": true',
            '"spot": True',
            "workloads.my-django-app.environments.staging.worker.spot",
            "Python",
        ),
    ],
)
def test_rejects_slips_and_reads_on(old: str, new: str, path: str, words: str) -> None:
    text = SAMPLE_TEXT.replace(old, new, 1).replace('"10.2.0.0/20"', '"10.2.0.0"')
    found = problems(text)
    assert [problem.path for problem in found] == [
        path,
        "workloads.my-django-app.environments.production.cidr",
    ]
    assert words in f"{found[0].problem} {found[0].fix}"


@pytest.mark.parametrize(
    "text", ["{", '{"a"', '{"a": tru}', "{]", '{"\\x": 1}', '{"a": 1}}', '{"a": "\t"}', "\x00", '{"a": 1,,}']
)
def test_rejects_what_cannot_be_mended(text: str) -> None:
    assert any("line 1, column" in problem.problem for problem in problems(text))


def test_rejects_a_text_that_ends_too_early() -> None:
    assert "ends too early" in problems(SAMPLE_TEXT[: SAMPLE_TEXT.index('"architecture"')])[-1].fix


def test_rejects_a_key_that_comes_twice() -> None:
    text = SAMPLE_TEXT.replace('"staging": "333333333333",', '"staging": "333333333333", "staging": "3",')
    problem = problems(text)[0]
    assert (problem.path, problem.line) == ("accounts.workloads.staging", 14)
    assert "the same key twice" in problem.problem


def test_rejects_an_environment_that_comes_twice_and_names_both_lines() -> None:
    environments = SAMPLE_TEXT.index('"production": {\n          "class"')
    text = SAMPLE_TEXT[:environments] + '"staging": {},\n' + SAMPLE_TEXT[environments:]
    assert any("in lines 38 and 47" in problem.problem for problem in problems(text))


def test_accepts_the_same_key_in_different_objects() -> None:
    assert not problems(SAMPLE_TEXT)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_rejects_numbers_that_are_not_finite(number: str) -> None:
    text = SAMPLE_TEXT.replace('"max_capacity": 8', f'"max_capacity": {number}')
    path = "workloads.my-django-app.environments.production.database.max_capacity"
    problem = refused(text, path, "not a finite number")
    assert problem.value == (number if len(number) < 60 else f"{number[:57]}...")


def test_rejects_half_a_character() -> None:
    text = SAMPLE_TEXT.replace('"main"', '"\\ud83d"')
    assert "half a character" in problems(text)[0].problem


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [DEEPEST + 2, 200, 20_000])
def test_rejects_deep_nesting(opening: str, depth: int) -> None:
    closing = "]" if opening == "[" else "}"
    text = f'{{"organization": {opening * depth}0{closing * depth}}}'
    assert any("nested too deeply" in problem.problem for problem in problems(text))


def test_says_at_most_so_much_about_a_hopeless_text() -> None:
    assert len(problems("[01," * 5000)) <= 100


def test_values_in_messages_are_short_and_printable() -> None:
    text = SAMPLE_TEXT.replace('"main"', json.dumps("\x1b[2J" + "x" * 1000))
    (problem,) = problems(text)
    assert len(problem.value) <= 60
    assert problem.value.isprintable()


def test_names_that_messages_quote_are_printable_too() -> None:
    text = SAMPLE_TEXT.replace('"account": "staging"', '"account": "production"').replace(
        '"my-django-app"', json.dumps("\x1b]0;" + "x" * 5000)
    )
    found = problems(text)
    assert len(found) > 1
    for problem in found:
        assert all(
            part.isprintable() and len(part) <= 600 for part in (problem.path, problem.problem, problem.fix)
        )
