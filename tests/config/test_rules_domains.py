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


def test_rejects_the_apex_and_suggests_www() -> None:
    data = sample()
    production(data)["domain"] = "acme.example"
    refused(data, f"{PRODUCTION}.domain", "cannot be delegated", '"www.acme.example"')


@pytest.mark.parametrize("domain", ["staging.other.example", "stagingacme.example", "example.org"])
def test_rejects_a_domain_outside_of_the_parent(domain: str) -> None:
    data = sample()
    staging(data)["domain"] = domain
    refused(data, f"{STAGING}.domain", "not below organization.domain", "below acme.example")


def test_rejects_the_same_domain_twice() -> None:
    data = sample()
    production(data)["domain"] = "staging.acme.example"
    refused(data, f"{PRODUCTION}.domain", f"the same domain as {STAGING}", "staging-2.acme.example")


@pytest.mark.parametrize(
    ("first", "second"),
    [("app.acme.example", "staging.app.acme.example"), ("staging.app.acme.example", "app.acme.example")],
)
def test_rejects_a_domain_below_another(first: str, second: str) -> None:
    data = sample()
    staging(data)["domain"], production(data)["domain"] = first, second
    refused(data, f"{PRODUCTION}.domain", "staging.app.acme.example lies inside app.acme.example", STAGING)


def test_rejects_the_name_of_static_files_of_another() -> None:
    data = sample()
    add_environment(data, "assets", domain="static.www.acme.example")
    refused(
        data,
        "workloads.my-django-app.environments.assets.domain",
        "static.www.acme.example is the name of the static files of www.acme.example",
    )


def test_accepts_static_as_the_first_label_where_nobody_has_the_rest() -> None:
    data = sample()
    staging(data)["domain"] = "static.acme.example"
    accepted(data)


def test_accepts_names_that_only_end_alike_and_names_several_labels_deep() -> None:
    data = sample()
    staging(data)["domain"] = "xwww.acme.example"
    add_environment(data, "deep", domain="a.b.c.acme.example")
    accepted(data)


def test_rejects_a_domain_too_long_for_a_certificate() -> None:
    data = sample()
    staging(data)["domain"] = f"{'x' * 45}.acme.example"
    refused(data, f"{STAGING}.domain", "58 characters", "at most 57 characters")
    staging(data)["domain"] = f"{'x' * 44}.acme.example"
    accepted(data)


def test_a_domain_at_the_apex_is_not_also_told_to_cover_the_others() -> None:
    data = sample()
    staging(data)["domain"] = "acme.example"
    refused(data, f"{STAGING}.domain", "cannot be delegated")


def test_domains_are_compared_even_if_the_parent_is_wrong() -> None:
    data = sample()
    data["organization"]["domain"] = "ACME"
    production(data)["domain"] = staging(data)["domain"]
    assert {problem.path for problem in problems(data)} == {"organization.domain", f"{PRODUCTION}.domain"}
