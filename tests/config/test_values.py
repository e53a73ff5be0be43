"""Each form of text by itself: what is taken, what is refused, and the advice for typical mistakes."""

import re
from typing import Any, get_args

import pytest

from config import container_values, values
from config.formats import Fault, Format
from config.regions import HOME_REGIONS, REGIONS
from tests.config.support import app, problems, production, refused, sample, staging

UUID = "00000000-0000-0000-0000-000000000000"
ARN = f"arn:aws:codeconnections:eu-west-1:111111111111:connection/{UUID}"

FORMS = {**vars(values), **vars(container_values)}

TAKEN = {
    "AccountId": ["012345678901"],
    "AccountName": ["staging", "a1", "team-a-staging", "x" * 31],
    "OrganizationName": ["acme", "a1", "acme-corp-2", "x" * 21],
    "WorkloadName": ["my-django-app", "x" * 31],
    "EnvironmentName": ["staging", "pr-12", "x" * 20],
    "DomainName": ["acme.example", "a.b.c.d", "xn--mnchen-3ya.example", "3m.com", f"{'a' * 63}.example"],
    "Region": list(HOME_REGIONS),
    "ZoneLetter": ["a", "f"],
    "Qualifier": ["hnb659fds", "a", "0123456789"],
    "DnsParent": ["create", "Z1", "Z0123456789ABCDEFGHIJ"],
    "Cidr": ["10.0.0.0/8", "10.1.16.0/20", "0.0.0.0/0", "192.168.1.255/32"],
    "TransitGateway": ["create", "off", "tgw-01234567", "tgw-0123456789abcdef0"],
    "Repository": ["acme/landing-zone", "A_b.c/d.e_f", "acme/.github"],
    "Branch": ["main", "feature/JIRA-1_x", "release-1.0", "a@b", "ü", "heads/x", "x.lock2", "@@", "a/b@c"],
    "ConnectionArn": [
        ARN,
        ARN.replace("codeconnections", "codestar-connections"),
        ARN.replace("aws:", "aws-cn:"),
    ],
    "SecretName": ["docker-hub", "team/docker_hub+=.@-", "x" * 512],
    "RelativePath": ["workloads/django/app", "app", ".", ".hidden/x", "a b/c"],
    "Argument": ["bin/web", "-A", "a b", "ü"],
    "UrlPath": ["/", "/status/", "/a?b=c", "/%20"],
    "Origin": ["*", "https://a.example", "https://a.example:8443", "https://localhost:3000"],
    "VariableName": ["A", "_X", "DEBUG", "AWS_REGION", "X_1"],
    "BuildTarget": ["prod", "Release-2.0_x"],
    "StatusCodes": ["200", "200,301", "200-399", "200-299,401"],
    "Template": ["x", "{A}", "https://{A}:{B}/", "a\nb{}"],
}
REFUSED = {
    "AccountId": [
        "", "12345678901", "1234567890123", "12345678901x", "1234-5678-9012", " 123456789012", "\uff11" * 12,
        "123456789012\n",
    ],
    "AccountName": ["", "a", "Staging", "a_b", "a--b", "a-", "-a", "1a", "tooling", "shared_services", "x" * 32],
    "OrganizationName": ["", "a", "Acme", "acme--x", "acme-", "acme_x", "1acme", "x" * 22, "acme\n"],
    "WorkloadName": ["", "my app", "MyApp", "x" * 32],
    "EnvironmentName": ["", "Prod", "x" * 21],
    "DomainName": [
        "", "example", "Acme.example", "acme.example.", "*.acme.example", "https://acme.example", "acme..example",
        "a_b.example", "-a.example", "a-.example", "acme.example/x", "münchen.example", f"{'a' * 64}.example",
        "10.0.0.1", ".".join(["a" * 50] * 6), "acme.example\n", "acme .example",
    ],
    "Region": [
        "", "eu-west-9", "eu-west-1a", "EU-WEST-1", "cn-north-1", "us-gov-west-1", "europe", "eusc-de-east-1",
        "eu-south-1", "me-central-1",
    ],
    "ZoneLetter": ["", "A", "1", "g", "z", "ab", "eu-west-1a"],
    "Qualifier": ["", "x" * 11, "ABC", "a-b"],
    "DnsParent": ["", "Create", "z123", "Z", "/hostedzone/Z123", "Z12-3", "off", "Z" + "A" * 32],
    "Cidr": [
        "", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "300.0.0.0/8", "010.0.0.0/8", "fd00::/8", "10.0.0.0/255.0.0.0",
        "ten",
    ],
    "TransitGateway": ["", "on", "none", "tgw-", "tgw-XYZ01234", "tgw-0123456", "tgw-" + "0" * 18],
    "Repository": [
        "", "acme", "acme/", "/x", "a/b/c", "https://github.com/acme/x", "git@github.com:a/x.git",
        "a b/c", "a/..",
    ],
    "Branch": [
        "", "a b", "a..b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "-a", "a/", "/a", "a//b", "a.", "a.lock",
        "a.lock/b", ".a", "a/.b", "@", "a@{b", "HEAD", "a\x07b", "a\x7f", "refs/heads/main", "origin/main",
    ],
    "ConnectionArn": ["", UUID, ARN.replace("connection/", "host/"), ARN[:-1], ARN.replace("1:1", "1:x"), ARN.upper()],
    "SecretName": ["", "a b", "ü", "arn:aws:secretsmanager:eu-west-1:1:secret:x", "x" * 513],
    "RelativePath": ["", "/abs", "~/x", "a/../../b", "..", "C:\\x", "a\\b", "a/", "./a", "a//b", "C:x", "x" * 256],
    "Argument": ["", " ", "\n", "a\0b"],
    "UrlPath": ["", "status/", "/a b", "/a#b", "https://x/", "/ü", "/" + "x" * 1024],
    "BuildTarget": ["", "1", "-x", "a b", "x" * 129],
    "StatusCodes": ["", "2xx", "199", "500", "200, 301", "200,", "200\n"],
    "Template": ["", "{", "}", "{{A}}", "{A", "x" * 1001],
    "Origin": [
        "", "http://a.example", "a.example", "https://a.example/", "https://a.example/x", "https://A.example",
        "https://*.example", "https://a.example:99999", "https://a.example:0", "https://", "ftp://a", "https://a_b",
    ],
    "VariableName": ["", "a", "1A", "A-B", "A B", "AWS_ACCESS_KEY_ID", "AWS_SECRET_X", "AWS_SESSION_TOKEN", "x" * 129],
}  # fmt: skip


def form(name: str) -> Format:
    found = get_args(FORMS[name])[1]
    assert isinstance(found, Format)
    return found


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, text) for name, texts in table.items() for text in texts]


@pytest.mark.parametrize(("name", "text"), pairs(TAKEN))
def test_takes(name: str, text: str) -> None:
    assert form(name).fault(text) is None
    assert re.search(form(name).pattern, text)


@pytest.mark.parametrize(("name", "text"), pairs(REFUSED))
def test_rejects_texts_of_another_form(name: str, text: str) -> None:
    fault = form(name).fault(text)
    assert isinstance(fault, Fault)
    assert fault.problem
    assert fault.fix


@pytest.mark.parametrize("name", TAKEN)
def test_examples_and_messages_are_complete(name: str) -> None:
    one = form(name)
    assert one.fault(one.example) is None
    for text in (one.problem, one.allowed, one.fix):
        assert text
        assert not text.endswith(".")
        assert not text[0].isupper() or text.split()[0].isupper()


def test_every_form_is_tested() -> None:
    forms = {
        name for name, value in FORMS.items() if isinstance(getattr(value, "__metadata__", [0])[0], Format)
    }
    assert forms == TAKEN.keys() == REFUSED.keys()


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("OrganizationName", "Acme_Corp", '"acme-corp"'),
        ("WorkloadName", "MyDjangoApp", '"my-django-app"'),
        ("EnvironmentName", "pre--prod-", '"pre-prod"'),
        ("AccountName", "Staging", '"staging"'),
        ("DomainName", "https://Acme.Example/x", '"acme.example"'),
        ("DomainName", "acme.example.", '"acme.example"'),
        ("DomainName", "a_b.example", '"a-b.example"'),
        ("DomainName", "münchen.example", "xn--"),
        ("Region", "eu-west-1a", '"eu-west-1"'),
        ("Region", "eu-wst-1", '"eu-west-1"'),
        ("Region", "cn-north-1", "us-east-1"),
        ("Region", "eu-south-1", "eu-central-1"),
        ("Region", "me-south-1", "eu-west-1"),
        ("Region", "eu-south-1a", "such as eu-central-1"),
        ("DnsParent", "/hostedzone/Z0123ABC", '"Z0123ABC"'),
        ("Cidr", "10.1.2.3/16", '"10.1.0.0/16"'),
        ("Cidr", "10.1.0.0", '"10.1.0.0/20"'),
        ("Cidr", "fd00::/8", "IPv4"),
        ("Repository", "https://github.com/acme/site.git", '"acme/site"'),
        ("Repository", "git@github.com:acme/site.git", '"acme/site"'),
        ("Branch", "refs/heads/main", '"main"'),
        ("SecretName", "arn:aws:secretsmanager:eu-west-1:1:secret:x", "name alone"),
        ("RelativePath", "./workloads//app/", '"workloads/app"'),
        ("RelativePath", "workloads\\app", '"workloads/app"'),
        ("RelativePath", "/home/me/app", "from the folder that holds app.py"),
        ("UrlPath", "status/", '"/status/"'),
        ("Origin", "http://app.acme.example/", '"https://app.acme.example"'),
        ("Origin", "app.acme.example", '"https://app.acme.example"'),
        ("Origin", "https://app.acme.example/x/", '"https://app.acme.example"'),
        ("VariableName", "feature-flags", '"FEATURE_FLAGS"'),
        ("VariableName", "AWS_ACCESS_KEY_ID", "task's role"),
    ],
)  # fmt: skip
def test_advises(name: str, text: str, advice: str) -> None:
    fault = form(name).fault(text)
    assert fault is not None
    assert advice in fault.fix


@pytest.mark.parametrize("region", REGIONS)
def test_a_zone_is_answered_with_a_region_that_is_accepted(region: str) -> None:
    fault = form("Region").fault(f"{region}a")
    assert fault is not None
    (advised,) = re.findall(r"\b[a-z]{2}-[a-z]+-[0-9]\b", fault.fix)
    assert advised in HOME_REGIONS


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (111111111111, ['write "111111111111", in quotes']),
        (12345671234, ['"012345671234"', "loses leading zeros"]),
        (0o12345671234, ['"001402434204"', "read as octal", '"012345671234"']),
        (1, ['"000000000001"', "loses leading zeros"]),
        (1.5, ["write the 12 digits of the id, in quotes"]),
        (-111111111111, ["write the 12 digits of the id, in quotes"]),
        (10**12, ["put the id in quotes", "it has 12 digits"]),
    ],
)
def test_rejects_an_account_id_that_is_a_number(number: float, words: list[str]) -> None:
    data = sample()
    data["accounts"]["tooling"] = number
    refused(data, "accounts.tooling", "a number", *words)


def test_rejects_a_number_where_text_is_needed() -> None:
    data = sample()
    data["pipeline"]["branch"] = 2
    refused(data, "pipeline.branch", "a number", '"2"')


def test_rejects_names_of_workloads_environments_and_accounts() -> None:
    data = sample()
    app(data)["environments"]["Staging"] = app(data)["environments"].pop("staging")
    refused(data, "workloads.my-django-app.environments.Staging", "lower-case", '"staging"')
    data = sample()
    data["workloads"]["my_app"] = data["workloads"].pop("my-django-app")
    refused(data, "workloads.my_app", "single hyphens", '"my-app"')
    data = sample()
    data["accounts"]["workloads"]["tooling"] = "555555555555"
    refused(data, "accounts.workloads.tooling", "a role of its own")


def test_shows_odd_keys_in_quotes() -> None:
    data = sample()
    data["accounts"]["workloads"]["a.b c"] = "555555555555"
    refused(data, 'accounts.workloads["a.b c"]')


def put(data: Any, value: Any, *steps: str) -> Any:
    for step in steps[:-1]:
        data = data[step]
    data[steps[-1]] = value
    return data


def test_rejects_forms_where_they_are_used() -> None:
    for place, value in {
        ("organization", "domain"): "Acme.example",
        ("dns", "parent"): "yes",
        ("network", "supernet"): "10.0.0.1/8",
        ("network", "transit_gateway"): "on",
        ("pipeline", "repository"): "landing-zone",
        ("pipeline", "branch"): "a b",
        ("pipeline", "connection_arn"): "arn:aws:x",
        ("pipeline", "docker_hub_secret"): "a b",
    }.items():
        data = sample()
        put(data, value, *place)
        refused(data, ".".join(place))
    data = sample()
    app(data)["health_path"] = "status"
    app(data)["smoke_path"] = "a b"
    staging(data)["cors_allowed_origins"] = ["https://ok.example", "app"]
    production(data)["cidr"] = "10.2.0.1/20"
    assert [problem.path.rsplit(".", 1)[1] for problem in problems(data)] == [
        "cors_allowed_origins[1]", "cidr", "health_path", "smoke_path",
    ]  # fmt: skip
