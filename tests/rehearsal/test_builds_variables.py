"""Variables that a build reads with its own rights: from Parameter Store and from Secrets Manager."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.builds import Build
from tests.rehearsal.conftest import REGION, TOOLING, Cloud

pytestmark = pytest.mark.rehearsal

NAME = "/tests/builds/value"
ENV = {
    "parameter-store": {"PARAMETER": NAME},
    "secrets-manager": {
        "WHOLE": "tests/builds",
        "USER": "tests/builds:user",
        "STAGED": "tests/builds:user:AWSCURRENT",
    },
}
READ = ("ssm:GetParameter", "secretsmanager:GetSecretValue")


@pytest.fixture(scope="module")
def stored(cloud: Cloud) -> Iterator[str]:
    """A parameter and a secret; gives the secret's ARN."""
    ssm, secrets = cloud.client("ssm", TOOLING), cloud.client("secretsmanager", TOOLING)
    ssm.put_parameter(Name=NAME, Value="stored-in-parameter-store", Type="String")
    value = json.dumps({"user": "stored-user", "port": 5432})
    yield secrets.create_secret(Name="tests/builds", SecretString=value)["ARN"]
    ssm.delete_parameter(Name=NAME)
    secrets.delete_secret(SecretId="tests/builds", ForceDeleteWithoutRecovery=True)


def build(cloud: Cloud, folder: Path, command: str, *, allow: tuple[str, ...] = READ, **more: str) -> Build:
    given = cloud.session(cloud.role(account=TOOLING, allow=list(allow)))
    return Build(
        folder,
        {"build": {"commands": [command]}},
        env={**ENV, "secrets-manager": {**ENV["secrets-manager"], **more}},
        aws={
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": cloud.emulator.endpoint,
            "AWS_CA_BUNDLE": str(cloud.emulator.ca_file),
        },
    )


def test_a_build_gets_the_values_and_its_log_does_not(cloud: Cloud, stored: str, tmp_path: Path) -> None:
    command = 'printf "%s\\n" "$PARAMETER" "$WHOLE" "$USER" "$STAGED" "$BY_ARN" > values; cat values'
    made = build(cloud, tmp_path, command, BY_ARN=f"{stored}:port::")
    assert made.run().succeeded
    assert (made.source / "values").read_text().splitlines() == [
        "stored-in-parameter-store",
        '{"user": "stored-user", "port": 5432}',
        "stored-user",
        "stored-user",
        "5432",
    ]
    assert made.told() == ["***"] * 5
    assert not [line for line in made.lines if "stored-" in line]


@pytest.mark.parametrize("missing", READ)
def test_a_build_that_may_not_read_them_does_not_begin(
    cloud: Cloud, stored: str, tmp_path: Path, missing: str
) -> None:
    allow = tuple(action for action in READ if action != missing)
    made = build(cloud, tmp_path, "echo never", allow=allow)
    result = made.run()
    assert (result.succeeded, result.phase) == (False, "DOWNLOAD_SOURCE")
    assert "CLIENT_ERROR" in result.problem
    assert missing in result.problem
    assert made.told() == []


def test_a_key_that_the_secret_has_not_is_named(cloud: Cloud, stored: str, tmp_path: Path) -> None:
    result = build(cloud, tmp_path, "echo never", OTHER="tests/builds:other").run()
    assert "the secret tests/builds has no key other" in result.problem
