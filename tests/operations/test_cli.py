import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from config import ConfigurationError, Problem
from operations import cli
from operations.errors import CommandError
from operations.node import ROOT
from operations.output import WIDTH_WITHOUT_TERMINAL, console
from tests import documents


def started(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "operations", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def replace_command(monkeypatch: pytest.MonkeyPatch, function: Callable[[], object]) -> None:
    """Let `lz validate` do something else."""
    replacement = click.command()(function)
    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: replacement)


def test_help_lists_every_command_under_those_who_use_it() -> None:
    shown = started("--help").stdout
    position = 0
    for section, commands in cli.SECTIONS.items():
        position = shown.index(f"{section}:", position)
        for name in commands:
            position = shown.index(f"  {name} ", position)


def test_anybody_comes_first() -> None:
    assert next(iter(cli.SECTIONS.items())) == (
        "Anybody",
        {
            "rehearse": "Run the whole organization on this machine.",
            "open": "Open a rehearsed environment in a browser, under its real name.",
        },
    )


@pytest.mark.parametrize("name", [name for commands in cli.SECTIONS.values() for name in commands])
def test_a_commands_own_help_begins_with_its_summary(name: str) -> None:
    command = cli.lz.get_command(click.Context(cli.lz), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == next(
        commands[name] for commands in cli.SECTIONS.values() if name in commands
    )


@pytest.mark.parametrize("name", [name for commands in cli.SECTIONS.values() for name in commands])
def test_every_option_is_explained_in_a_full_sentence(name: str) -> None:
    command = cli.lz.get_command(click.Context(cli.lz), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.endswith((".", "left out.")), parameter.help


def test_help_fits_a_narrow_terminal() -> None:
    assert max(map(len, started("--help", COLUMNS="50").stdout.splitlines())) <= 50


def test_nothing_heavy_is_imported_before_a_command_needs_it() -> None:
    program = (
        "import sys; from operations.cli import main; code = main(['--help']); "
        "print(sorted({'boto3', 'botocore', 'aws_cdk', 'pydantic', 'rich', 'dns'} & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_without_a_command_it_shows_help_and_wants_one() -> None:
    done = started()
    assert done.returncode == 2
    assert "rehearse" in done.stdout + done.stderr


def test_an_unknown_command_is_answered_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["bootstarp"]) == 2
    assert "Did you mean 'bootstrap'?" in capsys.readouterr().err


def test_a_wrong_configuration_is_rendered_without_a_traceback(tmp_path: Path) -> None:
    wrong = json.loads((ROOT / "config" / "accounts.json").read_text(encoding="utf-8"))
    wrong["accounts"]["tooling"] = "12345"
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps(wrong), encoding="utf-8")
    for command in ("validate", "plan", "bootstrap", "synth"):
        done = started(command, "--config", str(file))
        assert done.returncode == 2, command
        assert "accounts.tooling" in done.stderr, command
        assert "Traceback" not in done.stderr, command


def test_a_stage_that_does_not_exist_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["release", "--environment", "stagin", "--config", str(documents.SAMPLE)]) == 2
    assert "did you mean my-django-app/staging?" in capsys.readouterr().err


def test_a_mistake_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong() -> None:
        message = "docker was not found"
        raise CommandError(message, fix="install it", exit_code=1)

    replace_command(monkeypatch, wrong)
    assert cli.main(["validate"]) == 1
    assert capsys.readouterr().err == "lz: docker was not found\n    fix: install it\n"


def test_ctrl_c_leaves_one_line_and_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    replace_command(monkeypatch, interrupted)
    assert cli.main(["validate"]) == 130
    assert capsys.readouterr().err.split() == ["lz:", "interrupted"]


def test_a_commands_exit_code_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_command(monkeypatch, lambda: 17)
    assert cli.main(["validate"]) == 17


def test_all_problems_of_a_configuration_reach_the_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [
        Problem("accounts.json", f"place.{number}", "1", "wrong", "2", "write 2") for number in (1, 2)
    ]

    def wrong() -> None:
        raise ConfigurationError(problems)

    replace_command(monkeypatch, wrong)
    assert cli.main(["validate"]) == 2
    shown = capsys.readouterr().err
    assert "place.1" in shown
    assert "place.2" in shown


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    replace_command(monkeypatch, broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["validate"])


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "operations", "bootstrap", "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (cli.BROKEN_PIPE, "")


def test_missing_credentials_are_told_with_what_to_do(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none")
    done = started(
        "release",
        "--environment",
        "staging",
        AWS_CONFIG_FILE=nowhere,
        AWS_SHARED_CREDENTIALS_FILE=nowhere,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
    )
    assert done.returncode == 2
    problem, fix = done.stderr.splitlines()
    assert problem == "lz: Unable to locate credentials"
    assert "aws sso login" in fix


def test_a_valid_configuration_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate"]) == 0
    assert capsys.readouterr().out == "The configuration is fine: 4 accounts, 1 workload, 2 environments.\n"


def test_rehearse_down_goes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rehearse", "--down", "--keep"]) == 2
    assert "--down stops everything" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [64, 200])  # one word of these is 62 columns wide
def test_problems_are_folded_to_a_narrow_terminal(tmp_path: Path, columns: int) -> None:
    document = documents.changed({"staging.cidr": "10.2.0.0/20", "organization.region": "eu-wst-1"})
    (tmp_path / "bad.json").write_text(json.dumps(document), encoding="utf-8")
    done = started("validate", "--config", str(tmp_path / "bad.json"), COLUMNS=str(columns))
    assert done.returncode == 2
    folded = [line for line in done.stderr.splitlines() if line.startswith("    ")]
    assert len(folded) >= 8
    assert max(map(len, folded)) <= min(columns, 78)


@pytest.mark.parametrize("odd", ["9" * 5000, "²", "0", "-1", "wide"])
def test_a_terminals_size_that_is_no_number_is_ignored(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("COLUMNS", "LINES"):
        monkeypatch.setenv(name, odd)
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(documents.changed({"staging.cidr": "10.2.0.0/20"})), encoding="utf-8")

    assert cli.main(["validate", "--config", str(bad)]) == 2
    assert "problem:" in capsys.readouterr().err
    assert console().width == WIDTH_WITHOUT_TERMINAL
