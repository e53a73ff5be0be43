"""`cdk.json`: every behaviour that the library recommends, and nothing sent to anybody."""

import json
import tarfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def cdk_json() -> dict[str, Any]:
    """The committed file."""
    content: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def recommended() -> dict[str, Any]:
    """The flags that the installed library recommends."""
    (archive,) = Path(str(files("aws_cdk") / "_jsii")).glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(archive) as package:
        file = package.extractfile("package/recommended-feature-flags.json")
        assert file is not None
        flags: dict[str, Any] = json.loads(file.read())
    return flags


def test_every_recommended_flag_is_set_as_recommended(
    cdk_json: dict[str, Any], recommended: dict[str, Any]
) -> None:
    assert len(recommended) > 80
    flags = {name: value for name, value in cdk_json["context"].items() if name.startswith("@aws-cdk")}
    assert flags == recommended


def test_the_cli_sends_nothing_and_asks_for_no_news(cdk_json: dict[str, Any]) -> None:
    assert cdk_json["context"]["cli-telemetry"] is False
    assert cdk_json["versionReporting"] is False
    assert cdk_json["notices"] is False


def test_the_cli_runs_the_projects_own_python(cdk_json: dict[str, Any]) -> None:
    assert cdk_json["app"] == ".venv/bin/python app.py"
    assert cdk_json["requireApproval"] == "broadening"


def test_no_context_of_an_account_is_committed() -> None:
    assert not (ROOT / "cdk.context.json").exists()
