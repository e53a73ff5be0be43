import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from operations import node
from operations.errors import CommandError


def test_the_cdk_cli_is_the_one_that_is_pinned() -> None:
    done = subprocess.run(
        [*node.cdk_command(), "--version"], capture_output=True, text=True, check=True, env=node.environment()
    )
    assert done.stdout.split()[0] == node.cdk_version()
    package = json.loads((node.ROOT / "package.json").read_text(encoding="utf-8"))
    assert node.cdk_version() == package["devDependencies"]["aws-cdk"]


def test_lz_cdk_hands_everything_on_and_the_exit_code_back() -> None:
    command = [sys.executable, "-m", "operations", "cdk", "--"]
    version = subprocess.run(
        [*command, "--version"], cwd=node.ROOT, capture_output=True, text=True, check=True
    )
    assert version.stdout.startswith(node.cdk_version())
    wrong = subprocess.run(
        [*command, "frobnicate"], cwd=node.ROOT, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1


def test_the_cli_neither_reports_nor_asks_for_news() -> None:
    variables = node.environment()
    assert variables["CDK_DISABLE_CLI_TELEMETRY"] == "true"
    assert variables["CDK_DISABLE_VERSION_CHECK"] == "1"


def test_credentials_are_kept_for_deployments_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "administrator")
    assert node.environment()["AWS_PROFILE"] == "administrator"
    without = node.environment(credentials=False)
    assert "AWS_PROFILE" not in without
    assert without["AWS_CONFIG_FILE"] == without["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_fails_with_the_remedy_when_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "ROOT", tmp_path)
    with pytest.raises(CommandError, match="the CDK CLI is not installed") as caught:
        node.cdk_command()
    assert "./lz" in str(caught.value)
    monkeypatch.setattr(node, "bundled_node", lambda: None)
    with pytest.raises(CommandError, match="Node is not installed"):
        node.cdk_command()
