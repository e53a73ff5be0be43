import pytest

from tests.config.support import (
    PRODUCTION,
    STAGING,
    accepted,
    add_environment,
    problems,
    production,
    refused,
    sample,
    staging,
)


@pytest.mark.parametrize(
    ("path", "first"),
    [
        (("shared_services",), "accounts.tooling"),
        (("workloads", "staging"), "accounts.tooling"),
    ],
)
def test_rejects_one_account_in_two_roles(path: tuple[str, ...], first: str) -> None:
    data = sample()
    part = data["accounts"] if len(path) == 1 else data["accounts"][path[0]]
    part[path[-1]] = data["accounts"]["tooling"]
    refused(data, ".".join(("accounts", *path)), f"the same account as {first}")


def test_rejects_one_id_under_two_names_of_workload_accounts() -> None:
    data = sample()
    data["accounts"]["workloads"]["production"] = data["accounts"]["workloads"]["staging"]
    refused(data, "accounts.workloads.production", "accounts.workloads.staging")


@pytest.mark.parametrize("wrong", [555555555555, "5555", None, ["555555555555"]])
def test_an_account_whose_id_is_wrong_is_told_once_and_not_as_missing_where_it_is_used(wrong: object) -> None:
    data = sample()
    data["accounts"]["workloads"]["staging2"] = wrong
    staging(data)["account"] = "staging2"
    refused(data, "accounts.workloads.staging2")


def test_accepts_a_workload_account_without_an_environment() -> None:
    data = sample()
    data["accounts"]["workloads"]["next-year"] = "555555555555"
    accepted(data)


def test_rejects_an_account_that_does_not_exist_with_a_suggestion() -> None:
    data = sample()
    staging(data)["account"] = "stagng"
    refused(data, f"{STAGING}.account", 'did you mean "staging"?', "staging, production")


def test_rejects_an_account_that_does_not_exist_and_resembles_none() -> None:
    data = sample()
    staging(data)["account"] = "elsewhere"
    refused(data, f"{STAGING}.account", 'add "elsewhere" to accounts.workloads')


def test_rejects_an_environment_in_the_account_that_serves_all() -> None:
    data = sample()
    staging(data)["account"] = "shared-services"
    refused(data, f"{STAGING}.account", "not a workload account")


def test_rejects_an_environment_in_tooling() -> None:
    data = sample()
    staging(data)["account"] = "tooling"
    refused(data, f"{STAGING}.account", "a role of its own, not a workload account")


def test_rejects_two_environments_in_one_account() -> None:
    data = sample()
    add_environment(data, "demo")["account"] = "staging"
    found = problems(data)
    assert [problem.path for problem in found] == [
        f"{STAGING}.account",
        "workloads.my-django-app.environments.demo.account",
    ]
    assert "my-django-app/demo" in found[0].problem
    assert "my-django-app/staging" in found[1].problem


def test_rejects_sharing_that_only_one_side_agreed_to() -> None:
    data = sample()
    add_environment(data, "demo", share_account=True)["account"] = "staging"
    refused(data, f"{STAGING}.account", '"share_account": true')


def test_accepts_sharing_that_all_agreed_to() -> None:
    data = sample()
    staging(data)["share_account"] = True
    add_environment(data, "demo", share_account=True)["account"] = "staging"
    accepted(data)


def test_accepts_one_environment_alone_that_would_share() -> None:
    data = sample()
    production(data)["share_account"] = True
    accepted(data)


def test_rejects_an_availability_zone_twice() -> None:
    data = sample()
    data["organization"]["availability_zones"] = ["a", "b", "a"]
    refused(data, "organization.availability_zones[2]", "twice")


@pytest.mark.parametrize("letters", [[], ["a"], ["a", "b", "c", "d"]])
def test_rejects_too_few_or_too_many_availability_zones(letters: list[str]) -> None:
    data = sample()
    data["organization"]["availability_zones"] = letters
    refused(data, "organization.availability_zones", "2 to 3 entries")


def test_the_sharing_rule_ignores_environments_whose_account_is_wrong() -> None:
    data = sample()
    staging(data)["account"] = production(data)["account"] = "nowhere-at-all"
    assert {problem.path for problem in problems(data)} == {f"{STAGING}.account", f"{PRODUCTION}.account"}
