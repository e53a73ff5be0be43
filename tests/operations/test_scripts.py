"""The article's scripts, which people have in their fingers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import run_cmd

ROOT = Path(__file__).parents[2]


def test_the_articles_arguments_are_those_of_lz_run() -> None:
    given = ["python manage.py createsuperuser --noinput --username admin --email=admin@example.com"]
    given += ["--env", "MyDjangoAppStaging", "--env-var", "DJANGO_SUPERUSER_PASSWORD=MyPassWord123"]
    assert run_cmd.arguments(given) == [
        *["run", "--env", "MyDjangoAppStaging", "--env-var", "DJANGO_SUPERUSER_PASSWORD=MyPassWord123", "--"],
        *["python", "manage.py", "createsuperuser", "--noinput", "--username", "admin"],
        "--email=admin@example.com",
    ]


def test_quotes_hold_words_together() -> None:
    command = """python manage.py shell -c 'print("a b")'"""
    assert run_cmd.arguments([command, "--env", "X"])[-2:] == ["-c", 'print("a b")']


def test_options_of_lz_run_are_handed_on() -> None:
    assert "--yes" in run_cmd.arguments(["true", "--env", "X", "--yes"])


def test_it_calls_lz_and_hands_its_exit_code_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lz = tmp_path / "lz"
    lz.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n', encoding="utf-8")
    lz.chmod(0o755)
    monkeypatch.setattr(run_cmd, "LZ", lz)
    monkeypatch.setattr(sys, "argv", ["run_cmd.py", "echo 'a b'", "--env", "staging"])
    assert run_cmd.main() == 7


def test_a_file_of_variables_is_loaded_and_nothing_in_it_is_run(tmp_path: Path) -> None:
    lines = [
        "# comment",
        "AWS_REGION_NAME=eu-west-1",
        "export PLAIN=a b#c",
        "DANGER=$(touch ran)'\"",
        "",
        "not a",
    ]
    lines += ["2BAD=x", "LAST=no newline"]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    script = f". {ROOT}/scripts/set_env_vars.sh; exec {sys.executable} -c '{show}'"
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["AWS_DEFAULT_REGION"] == found["AWS_REGION_NAME"] == "eu-west-1"
    assert found["PLAIN"] == "a b#c"
    assert found["DANGER"] == "$(touch ran)'\""
    assert found["LAST"] == "no newline"
    assert not (tmp_path / "ran").exists()
    assert '"2BAD" is not the name of a variable' in done.stderr
