"""`./lz doctor` against bootstrapped accounts with and without trust."""

import json
from pathlib import Path

import click.testing
import pytest

from config import Configuration
from config.naming import Names
from operations.commands.doctor import command
from operations.doctor import Place, places
from operations.errors import CommandError
from tests import documents
from tests.rehearsal.conftest import PRODUCTION, SHARED, STAGING, TOOLING, Cloud, policy

pytestmark = pytest.mark.rehearsal

QUALIFIER = "doctor1"  # roles of our own, whatever else is in the emulator
KINDS = ("lookup-role", "deploy-role", "file-publishing-role", "cfn-exec-role")
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    document = documents.sample()
    document["organization"]["qualifier"] = QUALIFIER
    return documents.configured(document)


def _bootstrap(cloud: Cloud, configuration: Configuration, place: Place) -> None:
    """Make the roles that `cdk bootstrap` makes, as its template has them."""
    iam = cloud.client("iam", place.account_id)
    trusted = [f"arn:aws:iam::{account}:root" for account in sorted({place.account_id, TOOLING})]
    for kind in KINDS:
        name = Names(configuration).bootstrap_role_arn(place.account_id, kind, place.region)
        principal = (
            {"Service": "cloudformation.amazonaws.com"} if kind == "cfn-exec-role" else {"AWS": trusted}
        )
        iam.create_role(
            RoleName=name.rpartition("/")[2],
            AssumeRolePolicyDocument=policy(principal, "sts:AssumeRole", resource=None),
        )
        if kind == "lookup-role":
            iam.attach_role_policy(RoleName=name.rpartition("/")[2], PolicyArn=READ_ONLY)


@pytest.fixture(scope="module")
def bootstrapped(cloud: Cloud, configuration: Configuration) -> Cloud:
    for place in places(configuration):
        _bootstrap(cloud, configuration, place)
    return cloud


@pytest.fixture
def as_step(bootstrapped: Cloud, configuration: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a role of tooling that may do what the pipeline's step may, and nothing else."""
    pattern = Names(configuration).any_bootstrap_role_arn("lookup-role")
    role = bootstrapped.role(account=TOOLING)
    bootstrapped.client("iam", TOOLING).put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="p",
        PolicyDocument=policy(None, "sts:AssumeRole", resource=pattern),
    )
    given = bootstrapped.session(role)
    for name, value in bootstrapped.emulator.environment(TOOLING).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])


@pytest.fixture
def file(configuration: Configuration, tmp_path: Path) -> str:
    path = tmp_path / "accounts.json"
    path.write_text(configuration.model_dump_json(by_alias=True, exclude_none=True), encoding="utf-8")
    return str(path)


def _doctor(file: str, *arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(
        command, ["--config", file, *arguments], standalone_mode=False, catch_exceptions=False
    )


@pytest.mark.usefixtures("as_step")
def test_bootstrapped_accounts_are_ready(file: str) -> None:
    done = _doctor(file)
    assert done.return_value == 0, done.output
    assert "all 7 places in 4 accounts are ready" in done.output


@pytest.mark.usefixtures("as_step")
def test_everything_that_is_missing_is_told_at_once_with_the_command_for_each_account(
    bootstrapped: Cloud, configuration: Configuration, file: str
) -> None:
    def name(account: str, kind: str, region: str) -> str:
        return Names(configuration).bootstrap_role_arn(account, kind, region).rpartition("/")[2]

    staging, production = bootstrapped.client("iam", STAGING), bootstrapped.client("iam", PRODUCTION)
    lookup = name(STAGING, "lookup-role", "us-east-1")
    staging.detach_role_policy(RoleName=lookup, PolicyArn=READ_ONLY)
    staging.delete_role(RoleName=lookup)
    production.update_assume_role_policy(
        RoleName=name(PRODUCTION, "deploy-role", "eu-west-1"),
        PolicyDocument=policy({"AWS": f"arn:aws:iam::{PRODUCTION}:root"}, "sts:AssumeRole", resource=None),
    )
    bootstrapped.client("iam", SHARED).delete_role(RoleName=name(SHARED, "cfn-exec-role", "eu-west-1"))

    told = _doctor(file)
    listed = json.loads(_doctor(file, "--json").output)

    assert told.return_value == 1
    assert {
        (one["place"]["account_name"], one["place"]["region"]): one["problem"]
        for one in listed
        if one["problem"]
    } == {
        ("staging", "us-east-1"): "not bootstrapped, or bootstrapped without trust in tooling for look-ups",
        ("production", "eu-west-1"): "bootstrapped without trust in tooling: deploy-role",
        ("shared_services", "eu-west-1"): "its bootstrap is not whole: cfn-exec-role missing",
    }
    commands = [
        line.strip() for line in told.output.splitlines() if line.strip().startswith("./lz bootstrap")
    ]
    assert commands == [
        f"./lz bootstrap {account} --profile PROFILE"
        for account in ("shared_services", "staging", "production")
    ]
    assert "--trust 111111111111" in told.output


def test_another_account_than_tooling_is_told_to_be_tooling(
    cloud: Cloud, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cloud.emulator.environment(STAGING).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match="not of the tooling account") as caught:
        _doctor(file)
    assert "111111111111" in str(caught.value.fix)
