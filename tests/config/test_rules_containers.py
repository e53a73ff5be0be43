import pytest

from config.rules.containers import looks_secret
from config.variables import INJECTED_VARIABLES
from tests.config.support import (
    APP,
    PRODUCTION,
    STAGING,
    accepted,
    app,
    problems,
    production,
    refused,
    sample,
    staging,
)


def test_rejects_an_empty_command() -> None:
    data = sample()
    app(data)["commands"] = {"web": []}
    refused(data, f"{APP}.commands.web", "1 or more entries")


@pytest.mark.parametrize("key", ["web", "worker", "beat", "release"])
def test_rejects_an_empty_argument(key: str) -> None:
    data = sample()
    app(data)["commands"] = {key: ["bin/x", " "]}
    refused(data, f"{APP}.commands.{key}[1]", "an empty argument")


def test_rejects_no_command_where_one_is_needed() -> None:
    data = sample()
    app(data)["commands"] = {"web": None}
    refused(data, f"{APP}.commands.web", "a list")


def test_the_release_may_be_the_landing_zones_own() -> None:
    data = sample()
    app(data)["commands"] = {"release": None, "python": "/opt/venv/bin/python"}
    accepted(data)


def test_rejects_a_command_that_needs_a_shell() -> None:
    data = sample()
    app(data)["commands"] = {"web": ["gunicorn 'my site' -b :8000"]}
    refused(data, f"{APP}.commands.web[0]", "no shell", '["gunicorn", "my site", "-b", ":8000"]')
    app(data)["commands"] = {"web": ["gunicorn 'x"]}
    refused(data, f"{APP}.commands.web[0]", "no shell")


def test_rejects_a_command_that_is_text() -> None:
    data = sample()
    app(data)["commands"] = {"web": "bin/web"}
    refused(data, f"{APP}.commands.web", 'such as ["..."]')


def test_rejects_beat_without_a_worker() -> None:
    data = sample()
    app(data)["commands"] = {"worker": None}
    refused(data, f"{APP}.commands.beat", "a queue that nobody reads", '"beat": null')
    app(data)["commands"] = {"worker": None, "beat": None}
    accepted(data)


@pytest.mark.parametrize("name", INJECTED_VARIABLES)
def test_rejects_a_variable_that_is_injected(name: str) -> None:
    data = sample()
    staging(data)["variables"] = {name: "mine"}
    refused(data, f"{STAGING}.variables.{name}", "injects this itself", INJECTED_VARIABLES[name])


def test_rejects_a_variable_with_the_new_name_of_an_injected_one() -> None:
    data = sample()
    app(data)["injected_variables"] = {"DATABASE_HOST": "PGHOST"}
    staging(data)["variables"] = {"PGHOST": "x", "DATABASE_HOST": "y"}
    assert [problem.path for problem in problems(data)] == [
        f"{STAGING}.variables.PGHOST",
        f"{STAGING}.variables.DATABASE_HOST",
    ]


def test_accepts_variables_that_are_composed_of_what_is_injected() -> None:
    data = sample()
    app(data)["injected_variables"] = {"DATABASE_HOST": "POSTGRES_HOST"}
    app(data)["composed_variables"] = {
        "DATABASE_URL": "postgresql://{DATABASE_USER}:{DATABASE_PASSWORD}@{DATABASE_HOST}:{DATABASE_PORT}/{DATABASE_NAME}",
        "ALLOWED_HOSTS": "{DJANGO_ALLOWED_HOSTS},{TASK_ADDRESS}",
    }
    accepted(data)


@pytest.mark.parametrize(
    ("part", "advice"),
    [
        ("DATABASE_HSOT", 'did you mean "DATABASE_HOST"?'),
        ("database_host", 'did you mean "DATABASE_HOST"?'),
        ("POSTGRES_HOST", "write {DATABASE_HOST}: parts have the names from before renaming"),
    ],
)
def test_rejects_a_part_that_nobody_injects_and_names_the_one_that_was_meant(part: str, advice: str) -> None:
    data = sample()
    app(data)["injected_variables"] = {"DATABASE_HOST": "POSTGRES_HOST"}
    app(data)["composed_variables"] = {"DATABASE_URL": f"postgresql://{{{part}}}/"}
    refused(
        data,
        f"{APP}.composed_variables.DATABASE_URL",
        f"{{{part}}} is not what",
        advice,
    )


@pytest.mark.parametrize("part", ["DATABASE_MASTER_PASSWORD", "STATIC_BUCKET"])
def test_rejects_parts_that_the_release_task_alone_gets(part: str) -> None:
    data = sample()
    app(data)["composed_variables"] = {"X": f"{{{part}}}"}
    refused(data, f"{APP}.composed_variables.X", "is not what a variable can be composed of")


@pytest.mark.parametrize("name", ["DATABASE_HOST", "POSTGRES_HOST"])
def test_rejects_a_composed_variable_with_the_name_of_an_injected_one(name: str) -> None:
    data = sample()
    app(data)["injected_variables"] = {"DATABASE_HOST": "POSTGRES_HOST"}
    app(data)["composed_variables"] = {name: "{DATABASE_NAME}"}
    refused(data, f"{APP}.composed_variables.{name}", "already the name", "writer endpoint")


def test_rejects_a_composed_variable_without_parts_and_one_that_an_environment_sets_too() -> None:
    data = sample()
    app(data)["composed_variables"] = {"BROKER": "sqs://", "REGION": "{AWS_DEFAULT_REGION}"}
    staging(data)["variables"] = {"REGION": "eu-west-1"}
    assert {problem.path for problem in problems(data)} == {
        f"{APP}.composed_variables.BROKER",
        f"{STAGING}.variables.REGION",
    }


def test_rejects_a_secret_in_a_composed_variable_and_hides_it() -> None:
    data = sample()
    app(data)["composed_variables"] = {"DATABASE_URL": "postgresql://me:hunter2@{DATABASE_HOST}/"}
    problem = refused(data, f"{APP}.composed_variables.DATABASE_URL", "looks like a secret")
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize("place", ["injected_variables", "composed_variables"])
def test_rejects_what_a_workload_without_media_or_workers_does_not_have(place: str) -> None:
    data = sample()
    app(data)["media"] = False
    app(data)["commands"] = {"worker": None, "beat": None}
    mapped = {"injected_variables": {"MEDIA_BUCKET": "BUCKET", "CELERY_QUEUE_URL": "QUEUE"}}
    composed = {"composed_variables": {"BUCKET": "{MEDIA_BUCKET}", "QUEUE": "{CELERY_QUEUE_URL}"}}
    app(data).update(mapped if place == "injected_variables" else composed)
    assert [(problem.path.split(".")[2], problem.problem) for problem in problems(data)] == [
        (place, "there is no MEDIA_BUCKET: media is false"),
        (place, "there is no CELERY_QUEUE_URL: worker is null"),
    ]


@pytest.mark.parametrize(
    "name",
    ["PASSWORD", "DB_PASSWORD", "DBPASSWORD", "STRIPE_SECRET", "SECRET_KEY", "API_TOKEN", "TOKEN_PROD", "API_KEY",
     "APIKEY", "MAPS_APIKEY_2", "PRIVATE_KEY", "SIGNING_KEY", "SMTP_CREDENTIALS", "GPG_PASSPHRASE", "PASSWD"],
)  # fmt: skip
def test_rejects_a_variable_that_looks_like_a_secret_and_hides_its_value(name: str) -> None:
    data = sample()
    production(data)["variables"] = {name: "hunter2"}
    problem = refused(data, f"{PRODUCTION}.variables.{name}", "looks like a secret", "Secrets Manager")
    assert problem.value == "(hidden)"
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "value",
    [
        "postgres://me:hunter2@db/x",
        "AKIAABCDEFGHIJKLMNOP",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2",
        "redis://:pw@x",
    ],
)
def test_rejects_a_value_that_is_a_secret_and_hides_it(value: str) -> None:
    data = sample()
    staging(data)["variables"] = {"SETTING": value}
    problem = refused(data, f"{STAGING}.variables.SETTING", "looks like a secret")
    assert problem.value == "(hidden)"


def test_a_secret_is_hidden_also_when_something_else_is_wrong_with_it() -> None:
    data = sample()
    staging(data)["variables"] = {"api-token": "hunter2", "SECRET_KEY": 4711, "DATABASE_PASSWORD": "hunter2"}
    text = str(problems(data))
    assert len(problems(data)) == 4
    assert "hunter2" not in text
    assert "4711" not in text


@pytest.mark.parametrize(
    "name",
    ["DEBUG", "STRIPE_SECRET_NAME", "TOKEN_URL", "PASSWORD_RESET_TIMEOUT", "API_KEY_HEADER", "KEYBOARD", "SECRETS_ARN",
     "TOKEN_LIFETIME", "PUBLIC_KEY", "CACHE_KEY_PREFIX"],
)  # fmt: skip
def test_accepts_variables_about_secrets_that_are_none(name: str) -> None:
    assert not looks_secret(name)
    data = sample()
    staging(data)["variables"] = {name: "https://example.com/path?x=1", "LEVEL": ""}
    accepted(data)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_rejects_credentials_of_aws(name: str) -> None:
    data = sample()
    staging(data)["variables"] = {name: "x"}
    assert any("a name of AWS credentials" in problem.problem for problem in problems(data))
    data = sample()
    app(data)["injected_variables"] = {"DATABASE_USER": name}
    refused(data, f"{APP}.injected_variables.DATABASE_USER", "AWS credentials")


@pytest.mark.parametrize("value", [3, True, None, ["x"], 1.5])
def test_rejects_a_variable_that_is_not_text(value: object) -> None:
    data = sample()
    staging(data)["variables"] = {"LEVEL": value}
    refused(data, f"{STAGING}.variables.LEVEL", "quotes")


def test_rejects_a_rename_of_something_that_is_not_injected() -> None:
    data = sample()
    app(data)["injected_variables"] = {"DATABASE_HOSTS": "PGHOST"}
    refused(data, f"{APP}.injected_variables.DATABASE_HOSTS", 'did you mean "DATABASE_HOST"?')


@pytest.mark.parametrize(
    "renames",
    [
        {"DATABASE_HOST": "X", "DATABASE_PORT": "X"},
        {"DATABASE_PORT": "DATABASE_NAME"},
        {"DATABASE_HOST": "DATABASE_PORT", "DATABASE_PORT": "DATABASE_PORT"},
    ],
)
def test_rejects_two_injected_variables_of_one_name(renames: dict[str, str]) -> None:
    data = sample()
    app(data)["injected_variables"] = renames
    last = list(renames)[-1]
    refused(data, f"{APP}.injected_variables.{last}", "is already the name of")


def test_rejects_an_illegal_new_name() -> None:
    data = sample()
    app(data)["injected_variables"] = {"DATABASE_HOST": "pg-host"}
    refused(data, f"{APP}.injected_variables.DATABASE_HOST", '"PG_HOST"')


def test_accepts_renames_also_in_a_circle_and_to_names_of_secrets() -> None:
    data = sample()
    app(data)["injected_variables"] = {
        "DATABASE_HOST": "DATABASE_PORT",
        "DATABASE_PORT": "DATABASE_HOST",
        "DJANGO_SECRET_KEY": "SECRET_KEY",
        "STATIC_URL": "STATIC_URL",
    }
    accepted(data)


def test_rejects_every_origin_in_production_alone() -> None:
    data = sample()
    staging(data)["cors_allowed_origins"] = ["*"]
    accepted(data)
    production(data)["cors_allowed_origins"] = ["https://ok.example", "*"]
    refused(data, f"{PRODUCTION}.cors_allowed_origins[1]", "every site", "one by one")


def test_rejects_an_origin_twice() -> None:
    data = sample()
    staging(data)["cors_allowed_origins"] = ["https://a.example", "https://a.example"]
    refused(data, f"{STAGING}.cors_allowed_origins[1]", "twice")
