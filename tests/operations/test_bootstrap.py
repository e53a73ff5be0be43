import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import Configuration
from operations import cli
from operations.bootstrap import bootstraps
from operations.commands import bootstrap as bootstrap_command
from operations.node import cdk_version
from tests import documents
from tests.operations.support import scripted

SAMPLE = ("--config", str(documents.SAMPLE))
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
TRUST = ("--trust", "111111111111", "--trust-for-lookup", "111111111111")
REST = (
    "--cloudformation-execution-policies",
    ADMINISTRATOR,
    "--qualifier",
    "hnb659fds",
    "--termination-protection",
)


def sample() -> Configuration:
    return documents.configured(documents.sample())


def in_region(region: str) -> Configuration:
    configuration = sample()
    organization = configuration.organization.model_copy(update={"region": region})
    return configuration.model_copy(update={"organization": organization})


def test_the_sample_organization_is_bootstrapped_with_exactly_these_commands() -> None:
    assert [(call.account_name, call.arguments) for call in bootstraps(sample())] == [
        (
            "tooling",
            ("bootstrap", "aws://111111111111/eu-west-1", "aws://111111111111/us-east-1", *REST),
        ),
        ("shared_services", ("bootstrap", "aws://222222222222/eu-west-1", *TRUST, *REST)),
        (
            "staging",
            ("bootstrap", "aws://333333333333/eu-west-1", "aws://333333333333/us-east-1", *TRUST, *REST),
        ),
        (
            "production",
            ("bootstrap", "aws://444444444444/eu-west-1", "aws://444444444444/us-east-1", *TRUST, *REST),
        ),
    ]


def test_the_cdn_region_is_not_named_twice_where_it_is_the_home_region() -> None:
    for call in bootstraps(in_region("us-east-1")):
        assert call.environments == (f"aws://{call.account_id}/us-east-1",)


def test_nobody_is_trusted_but_tooling() -> None:
    tooling = sample().accounts.tooling
    for call in bootstraps(sample()):
        trusted = {
            value
            for flag, value in zip(call.arguments, call.arguments[1:], strict=False)
            if flag.startswith("--trust")
        }
        assert trusted == (set() if call.account_id == tooling else {tooling})


def test_every_call_says_what_cloudformation_may_do_for_the_cli_refuses_trust_without_it() -> None:
    for call in bootstraps(sample(), execution_policies="arn:aws:iam::aws:policy/PowerUserAccess"):
        position = call.arguments.index("--cloudformation-execution-policies")
        assert call.arguments[position + 1] == "arn:aws:iam::aws:policy/PowerUserAccess"


def test_the_administrator_policy_is_of_the_partition_of_the_home_region() -> None:
    assert (
        "arn:aws-cn:iam::aws:policy/AdministratorAccess" in bootstraps(in_region("cn-north-1"))[0].arguments
    )


def test_termination_protection_can_be_left_out_for_a_rehearsal() -> None:
    for call in bootstraps(sample(), termination_protection=False):
        assert "--termination-protection" not in call.arguments


def test_without_an_account_every_command_is_printed_for_its_administrator(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["bootstrap", *SAMPLE]) == 0
    told = capsys.readouterr().out
    for call in bootstraps(sample()):
        assert f"npx --yes aws-cdk@{cdk_version()} {' '.join(call.arguments)} --profile PROFILE" in told
        assert f"./lz bootstrap {call.account_name} --profile PROFILE" in told


def test_print_shows_the_command_of_one_account_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bootstrap", "staging", "--print", "--profile", "staging-admin", *SAMPLE]) == 0
    told = capsys.readouterr().out
    assert "--profile staging-admin" in told
    assert "444444444444" not in told


def test_the_execution_policies_replace_administrator_access(capsys: pytest.CaptureFixture[str]) -> None:
    policies = ["arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/IAMFullAccess"]
    options = [word for policy in policies for word in ("--execution-policy", policy)]
    assert cli.main(["bootstrap", "--json", *options, *SAMPLE]) == 0
    calls = json.loads(capsys.readouterr().out)
    assert all(",".join(policies) in call["arguments"] for call in calls)
    assert ADMINISTRATOR not in json.dumps(calls)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["stagin"], 'did you mean "staging"?'),
        (["staging", "production", "--profile", "x"], "credentials of its own administrator"),
    ],
)
def test_fails_with_the_command_to_run(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["bootstrap", *arguments, *SAMPLE]) == 2
    assert told in capsys.readouterr().err


def test_without_a_profile_the_credentials_must_be_of_the_account(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = "import sys; sys.exit(5 if '--profile' not in sys.argv else 6)"
    monkeypatch.setattr(bootstrap_command, "cdk_command", lambda: [sys.executable, "-c", started])

    def run(account: str) -> int:
        arn = f"arn:aws:iam::{account}:user/ops"
        sts = scripted("sts", ("get_caller_identity", {}, {"Account": account, "Arn": arn, "UserId": "x"}))
        session = SimpleNamespace(client=lambda *_, **__: sts)
        monkeypatch.setattr("operations.aws.session", lambda _: session)
        return cli.main(["bootstrap", "staging", *SAMPLE])

    assert run("333333333333") == 5
    capsys.readouterr()
    assert run("444444444444") == 2
    told = capsys.readouterr().err
    assert "staging is account 333333333333, and these credentials are of account 444444444444" in told
    assert "./lz bootstrap staging --profile NAME" in told


def test_without_a_profile_and_without_credentials_both_ways_to_give_them_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert cli.main(["bootstrap", "staging", *SAMPLE]) == 2
    assert "set AWS_PROFILE, or ./lz bootstrap staging --profile NAME" in capsys.readouterr().err


def test_one_account_is_bootstrapped_with_the_profile_of_its_administrator(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = tmp_path / "arguments"
    program = (
        "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('\\n'.join(sys.argv[2:])); sys.exit(4)"
    )
    monkeypatch.setattr(
        bootstrap_command, "cdk_command", lambda: [sys.executable, "-c", program, str(record)]
    )
    assert cli.main(["bootstrap", "staging", "--profile", "staging-admin", *SAMPLE]) == 4
    call = next(call for call in bootstraps(sample()) if call.account_name == "staging")
    assert record.read_text().split("\n") == [*call.arguments, "--profile", "staging-admin"]
