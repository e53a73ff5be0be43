"""`lz run` from its arguments to the calls of AWS."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from operations import cli
from operations.commands import run as command_module
from operations.errors import CommandError
from tests import documents
from tests.operations.support import FakeBucket, scripted

SAMPLE = ("--config", str(documents.SAMPLE))
STAGE = "MyDjangoAppStaging"
ARN = "arn:aws:ecs:eu-west-1:333333333333:task/cluster/0123abc"
VALUES = {
    "ClusterName": "cluster",
    "ReleaseTaskDefinition": f"{STAGE}-release",
    "PrivateSubnetIds": "subnet-1,subnet-2",
    "ReleaseSecurityGroupId": "sg-1",
    "ReleaseLogGroup": "group",
    "ContainerName": "django",
    "OneOffBucketName": "bucket",
    "ReleaseVariables": "DJANGO_ALLOWED_HOSTS,STATIC_URL",
    "ReleaseSecretVariables": "DATABASE_PASSWORD,DJANGO_SECRET_KEY",
}


class Aws:
    """A session whose clients answer from a script; the real STS is never asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *ecs: Any, logs: Sequence[Any] = ()) -> None:
        parameters = [{"Name": f"/{STAGE}/{name}", "Value": value} for name, value in VALUES.items()]
        self.bucket = FakeBucket()
        self.clients: Mapping[str, Any] = {
            "ssm": scripted("ssm", ("get_parameters", None, {"Parameters": parameters})),
            "ecs": scripted("ecs", *ecs),
            "logs": scripted("logs", *logs),
            "s3": self.bucket,
        }
        self.asked: dict[str, Any] = {}
        monkeypatch.setattr("operations.aws.operator_session", self._session)
        monkeypatch.setattr(command_module, "POLL_SECONDS", 0)

    def _session(self, role_arn: str, **options: Any) -> "Aws":
        self.asked = {"role_arn": role_arn, **options}
        return self

    def client(self, service: str, **_: Any) -> Any:
        return self.clients[service]


def started(
    overrides: Mapping[str, Any] | None = None,
) -> tuple[str, Mapping[str, Any] | None, Mapping[str, Any]]:
    expected = None
    if overrides is not None:
        network = {
            "subnets": ["subnet-1", "subnet-2"],
            "securityGroups": ["sg-1"],
            "assignPublicIp": "DISABLED",
        }
        expected = {
            "cluster": "cluster",
            "taskDefinition": f"{STAGE}-release",
            "launchType": "FARGATE",
            "count": 1,
            "startedBy": "lz-run",
            "networkConfiguration": {"awsvpcConfiguration": network},
            "overrides": overrides,
        }
    return "run_task", expected, {"tasks": [{"taskArn": ARN}], "failures": []}


def described(status: str, exit_code: int | None = None) -> tuple[str, None, Mapping[str, Any]]:
    container = {"name": "django"} | ({} if exit_code is None else {"exitCode": exit_code})
    return (
        "describe_tasks",
        None,
        {
            "tasks": [{"taskArn": ARN, "lastStatus": status, "containers": [container]}],
            "failures": [],
        },
    )


def page(token: str, *lines: str) -> tuple[str, None, Mapping[str, Any]]:
    events = [{"message": line, "timestamp": 1, "ingestionTime": 1} for line in lines]
    return "get_log_events", None, {"events": events, "nextForwardToken": token, "nextBackwardToken": "b"}


def test_it_runs_as_the_operator_shows_the_log_on_standard_output_and_hands_the_exit_code_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    override = {"containerOverrides": [{"name": "django", "command": ["python", "-c", "print('a b')"]}]}
    aws = Aws(
        monkeypatch,
        started(override),
        described("RUNNING"),
        described("STOPPED", 3),
        logs=[page("1", "one"), page("1"), page("2", "two"), page("2"), page("2"), page("2")],
    )

    code = cli.main(
        ["run", *SAMPLE, "--env", "staging", "--profile", "me", "--", "python", "-c", "print('a b')"]
    )

    out, err = capsys.readouterr()
    assert code == 3
    assert out == "one\ntwo\n"
    assert "exit code 3" in err
    assert aws.asked["role_arn"] == "arn:aws:iam::333333333333:role/acme-operator-my-django-app-staging"
    assert aws.asked["profile"] == "me"
    assert aws.asked["purpose"] == "lz-run"


def test_secrets_from_standard_input_go_into_a_file_that_is_gone_once_the_container_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = Aws(
        monkeypatch,
        started(),
        described("PROVISIONING"),
        described("PENDING"),
        described("RUNNING"),
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("hunter2\nand more\n"))

    code = cli.main(
        [
            "run",
            *SAMPLE,
            "--env",
            STAGE,
            "--secret-env",
            "PASSWORD",
            "--secret-env",
            "SECOND",
            "--detach",
            "true",
        ]
    )

    out, err = capsys.readouterr()
    assert (code, out) == (0, "0123abc\n")
    assert list(aws.bucket.put.values()) == [b"PASSWORD=hunter2\nSECOND=and more\n"]
    assert aws.bucket.objects == {}
    assert "hunter2" not in out + err


def test_a_value_that_looks_secret_is_passed_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    override = {
        "containerOverrides": [
            {"name": "django", "command": ["true"], "environment": [{"name": "LEVEL", "value": "3"}]}
        ]
    }
    aws = Aws(monkeypatch, started(), described("RUNNING"))
    sent: list[Any] = []
    aws.clients["ecs"].meta.events.register(
        "provide-client-params.ecs.RunTask", lambda params, **_: sent.append(params)
    )

    given = "DJANGO_SUPERUSER_PASSWORD=MyPassWord123"
    code = cli.main(
        [
            "run",
            *SAMPLE,
            "--env",
            "staging",
            "--detach",
            "--env-var",
            "LEVEL=3",
            "--env-var",
            given,
            "--",
            "true",
        ]
    )

    err = capsys.readouterr().err
    assert code == 0
    assert list(aws.bucket.put.values()) == [b"DJANGO_SUPERUSER_PASSWORD=MyPassWord123\n"]
    assert "MyPassWord123" not in json.dumps(sent) + err
    files = sent[0]["overrides"]["containerOverrides"][0].pop("environmentFiles")
    assert sent[0]["overrides"] == override
    assert files[0]["value"].startswith("arn:aws:s3:::bucket/one-off/")
    assert "--secret-env DJANGO_SUPERUSER_PASSWORD keeps it off the command line" in err


def test_too_few_lines_for_the_secrets_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n"))

    code = cli.main(["run", *SAMPLE, "--env", "staging", "--secret-env", "A", "--secret-env", "B", "true"])

    assert code == 2
    assert "standard input has 1 lines for 2 secret values" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "names", "empty"),
    [
        (None, ["A"], "A"),
        ("", ["A"], "A"),
        ("\n", ["A"], "A"),
        ("one\n\n", ["A", "B"], "B"),
    ],
)
def test_an_empty_secret_is_an_error_and_nothing_runs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str | None,
    names: list[str],
    empty: str,
) -> None:
    aws = Aws(monkeypatch)
    monkeypatch.setattr("sys.stdin", None if given is None else io.StringIO(given))

    options = [word for name in names for word in ("--secret-env", name)]
    code = cli.main(["run", *SAMPLE, "--env", "staging", *options, "true"])

    err = capsys.readouterr().err
    assert code == 2
    assert f"standard input gave nothing for {empty}\n" in err
    assert "in a terminal to be asked for it" in err
    assert aws.asked == {}


def test_production_is_not_touched_when_nobody_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    code = cli.main(["run", *SAMPLE, "--env", "production", "--", "python", "manage.py", "flush"])

    assert code == 2
    assert "add --yes if you mean it" in capsys.readouterr().err


class Terminal(io.StringIO):
    """Standard input with a person behind it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "expected"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_production_asks_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, expected: int
) -> None:
    aws = Aws(monkeypatch, started(), described("RUNNING"))
    parameters = [
        {"Name": f"/MyDjangoAppProduction/{name}", "Value": value} for name, value in VALUES.items()
    ]
    aws.clients = {
        **aws.clients,
        "ssm": scripted("ssm", ("get_parameters", None, {"Parameters": parameters})),
    }
    monkeypatch.setattr("sys.stdin", Terminal(answer))

    assert cli.main(["run", *SAMPLE, "--env", "production", "--detach", "--", "echo", "a b"]) == expected

    assert "Run echo 'a b' in my-django-app/production (account 444444444444)?" in capsys.readouterr().err


def test_a_rehearsal_that_is_not_up_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert cli.main(["run", "--rehearsal", "--env", "staging", "true"]) == 1

    assert "./lz rehearse --keep" in capsys.readouterr().err


def test_a_caller_without_the_right_account_is_told_which_one_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from operations import aws  # noqa: PLC0415

    class Refused:
        def __init__(self, **_: Any) -> None: ...

        def fetch_credentials(self) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")

    class Own:
        _session = boto3.Session(region_name="eu-west-1")._session

        def __init__(self, **_: Any) -> None: ...

        def get_credentials(self) -> object:
            return object()

        def client(self, *_: Any, **__: Any) -> Any:
            identity = {"Arn": "arn:aws:iam::111111111111:user/ada", "Account": "111111111111", "UserId": "x"}
            return scripted("sts", ("get_caller_identity", {}, identity))

    monkeypatch.setattr(aws, "AssumeRoleCredentialFetcher", Refused)
    monkeypatch.setattr("operations.aws.boto3.Session", Own)
    with pytest.raises(CommandError) as caught:
        aws.operator_session(
            "arn:aws:iam::333333333333:role/acme-operator", region="eu-west-1", purpose="lz-run", profile=None
        )
    assert str(caught.value).startswith("arn:aws:iam::111111111111:user/ada may not assume")
    assert "use credentials of account 333333333333" in str(caught.value)
