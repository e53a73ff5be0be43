from typing import Any

import pytest

from tests.config.support import APP, STAGING, Json, app, problems, refused, sample, staging


def at(data: Json, path: str) -> Json:
    for step in path.split(".") if path else ():
        data = data[step]
    return data


@pytest.mark.parametrize(
    ("path", "typo", "meant"),
    [
        ("", "dnss", "dns"),
        ("organization", "regions", "region"),
        ("accounts", "shared-services", "shared_services"),
        ("dns", "Parent", "parent"),
        ("network", "super_net", "supernet"),
        ("pipeline", "approval", "approvals"),
        (APP, "arch", "architecture"),
        (f"{APP}.source", "paths", "path"),
        (STAGING, "class_", "class"),
        (STAGING, "cors", "cors_allowed_origins"),
        (f"{STAGING}.web", "cpus", "cpu"),
        (f"{STAGING}.worker", "spots", "spot"),
        (f"{STAGING}.database", "mincapacity", "min_capacity"),
    ],
)
def test_rejects_an_unknown_key_with_a_suggestion(path: str, typo: str, meant: str) -> None:
    data = sample()
    at(data, path)[typo] = at(data, path).get(meant, "x")
    problem = refused(data, f"{path}.{typo}" if path else typo, "unknown key", meant)
    if meant not in {"architecture", "cors_allowed_origins"}:
        assert problem.fix == f'did you mean "{meant}"?'


def test_rejects_an_unknown_key_that_resembles_none() -> None:
    data = sample()
    data["zzz"] = 1
    refused(data, "zzz", "organization, accounts", "remove it")


def test_a_misspelled_key_is_told_once_and_not_also_as_missing() -> None:
    data = sample()
    data["network"]["supernett"] = data["network"].pop("supernet")
    refused(data, "network.supernett", 'did you mean "supernet"?')


def test_a_missing_key_is_told_even_if_there_is_an_unknown_one() -> None:
    data = sample()
    data["network"]["zzz"] = data["network"].pop("supernet")
    assert {problem.path for problem in problems(data)} == {"network.zzz", "network.supernet"}


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("organization", '"organization": { ... } at the top'),
        ("organization.domain", '"domain": "acme.example" to organization'),
        ("accounts.tooling", '"tooling": "111111111111" to accounts'),
        ("accounts.workloads", '"workloads": { ... } to accounts'),
        ("pipeline.connection_arn", '"connection_arn": "arn:aws:'),
        ("workloads", '"workloads": { ... } at the top'),
        (f"{APP}.source", '"source": { ... }'),
        (f"{APP}.environments", '"environments": { ... }'),
        (f"{STAGING}.class", '"class": "staging"'),
        (f"{STAGING}.cidr", '"cidr": "10.1.0.0/20"'),
    ],
)
def test_rejects_a_missing_key_and_shows_one(path: str, example: str) -> None:
    data = sample()
    parent, _, key = path.rpartition(".")
    del at(data, parent)[key]
    assert refused(data, path, "required key is missing", example).value == "(nothing)"


@pytest.mark.parametrize("path", ["workloads", "accounts.workloads", f"{APP}.environments"])
def test_rejects_an_empty_object_where_one_entry_is_needed(path: str) -> None:
    data = sample()
    at(data, path).clear()
    found = [problem for problem in problems(data) if problem.path == path]
    assert [problem.problem for problem in found] == ["too few entries"]


@pytest.mark.parametrize("value", [None, [], "text", 3, True])
@pytest.mark.parametrize(
    "path", ["organization", "accounts.workloads", "workloads", APP, STAGING, f"{STAGING}.web"]
)
def test_rejects_what_should_be_an_object(path: str, value: Any) -> None:
    data = sample()
    parent, _, key = path.rpartition(".")
    at(data, parent)[key] = value
    assert ("not an object", path) in [(problem.problem, problem.path) for problem in problems(data)]


def test_rejects_a_list_that_is_an_object() -> None:
    data = sample()
    staging(data)["cors_allowed_origins"] = {"https://a.example": True}
    refused(data, f"{STAGING}.cors_allowed_origins", "not a list")


def test_rejects_an_architecture_that_is_not_offered() -> None:
    data = sample()
    app(data)["architecture"] = "arm"
    refused(data, f"{APP}.architecture", '"arm64" or "x86_64"', 'did you mean "arm64"?')


def test_an_abbreviation_leads_to_what_begins_so() -> None:
    """And not to the first choice: who writes prod for production must not be told to write staging."""
    data = sample()
    staging(data)["class"] = "prod"
    refused(data, f"{STAGING}.class", 'did you mean "production"?')
    staging(data)["class"] = "p"
    refused(data, f"{STAGING}.class", '"staging" or "production"')


def test_large_values_are_shortened() -> None:
    data = sample()
    data["organization"] = [{"name": "x" * 1000}] * 50
    problem = next(item for item in problems(data) if item.path == "organization")
    assert problem.value.startswith("a list of 50: ")
    assert len(problem.value) <= 60
    data["organization"] = {f"key{number}": 1 for number in range(50)}
    assert all(len(item.path) < 60 and len(item.value) <= 60 for item in problems(data))


def test_keys_of_python_are_not_keys_of_the_file() -> None:
    data = sample()
    staging(data)["class_"] = staging(data).pop("class")
    refused(data, f"{STAGING}.class_", 'did you mean "class"?')
