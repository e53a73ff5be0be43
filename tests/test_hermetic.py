"""Synthesis depends on the repository alone: not on the machine, the account, the network or the way it is started."""

import json
from pathlib import Path

import pytest

import app
from tests import documents
from tests.synthesis import contents, machine, run_app, run_cli


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments that name the configuration, and a digest for its image."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "accounts.json").write_text(json.dumps(documents.sample()), encoding="utf-8")
    image = folder / "images" / documents.WORKLOAD / "image.json"
    image.parent.mkdir(parents=True)
    image.write_text(json.dumps({"digest": documents.DIGEST}), encoding="utf-8")
    return [
        *("--config", str(folder / "accounts.json"), "--images", str(folder / "images")),
        "--no-template-validation",
    ]


@pytest.fixture(scope="module")
def plain(inputs: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assembly of `python app.py` on a machine without network, credentials and home."""
    folder = tmp_path_factory.mktemp("plain")
    environment = machine(folder / "home", TZ="UTC", PYTHONHASHSEED="1", LANG="C")
    done = run_app(
        [*inputs, "--output", str(folder / "out")], cwd=folder, environment=environment, isolate=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "out"


def _differences(one: Path, other: Path) -> list[str]:
    ours, theirs = contents(one), contents(other)
    return [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]


def test_another_machine_with_credentials_of_its_own_makes_the_same_bytes(
    plain: Path, inputs: list[str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[default]\nregion = ap-south-1\n", encoding="utf-8")
    environment = machine(
        home,
        TZ="Pacific/Auckland",
        PYTHONHASHSEED="99",
        LANG="C.UTF-8",
        USER="somebody",
        CI="true",
        AWS_REGION="sa-east-1",
        AWS_DEFAULT_REGION="sa-east-1",
        AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY="no",
        CDK_DEFAULT_ACCOUNT="999999999999",
        CDK_DEFAULT_REGION="sa-east-1",
        DJANGO_SETTINGS_MODULE="somewhere.else",
    )
    done = run_app([*inputs, "--output", str(tmp_path / "out")], cwd=home, environment=environment)
    assert done.returncode == 0, done.stderr
    assert not _differences(plain, tmp_path / "out")


def test_the_cdk_cli_gives_the_same_templates_without_a_lookup(
    plain: Path, inputs: list[str], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    done = run_cli(
        ["synth", "**", "--quiet", "--no-lookups", "--strict"],
        app=inputs,
        output=output,
        environment=machine(tmp_path / "home"),
    )
    assert done.returncode == 0, done.stderr
    different = [name for name in _differences(plain, output) if name.endswith(".template.json")]
    assert not different
    assert {name for name in contents(plain) if ".template.json" in name} == {
        name for name in contents(output) if ".template.json" in name
    }
    assert {name for name in contents(plain) if name.startswith("asset.")} == {
        name for name in contents(output) if name.startswith("asset.")
    }


def test_the_library_s_template_validator_changes_no_file(
    plain: Path, inputs: list[str], tmp_path: Path
) -> None:
    """Without it the environments leave the tree before the last walk through it, and nothing may be missing then."""
    arguments = [argument for argument in inputs if argument != "--no-template-validation"]
    done = run_app(
        [*arguments, "--output", str(tmp_path / "out")], cwd=tmp_path, environment=machine(tmp_path / "home")
    )
    assert done.returncode == 0, done.stderr
    assert _differences(plain, tmp_path / "out") == ["validation-report.json"]


def test_synthesis_asks_aws_nothing(plain: Path) -> None:
    manifests = [text for name, text in contents(plain).items() if name.endswith("manifest.json")]
    assert len(manifests) == 4
    assert not [text for text in manifests if json.loads(text).get("missing")]


def test_no_zone_or_account_is_made_up(plain: Path) -> None:
    for name, text in contents(plain).items():
        if name.endswith((".template.json", "manifest.json")):
            assert b"dummy" not in text.lower(), name
            assert b"AKIA" not in text, name


def test_no_asset_is_built_from_a_folder_of_this_project(plain: Path) -> None:
    """A file of ours in an asset would change templates with every edit; containers come from the registry alone."""
    assert {path.name for path in plain.iterdir() if path.name.startswith("asset.")}
    for name, text in contents(plain).items():
        if name.endswith(".assets.json"):
            assert not json.loads(text).get("dockerImages"), name


def test_a_wrong_configuration_is_told_on_stderr_with_code_two(tmp_path: Path) -> None:
    document = documents.changed({"organization.region": "eu-west-l", "staging.cidr": "10.2.0.0/20"})
    (tmp_path / "bad.json").write_text(json.dumps(document), encoding="utf-8")
    done = run_app(["--config", str(tmp_path / "bad.json")], cwd=tmp_path, environment=machine(tmp_path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for part in ("bad.json", "eu-west-l", "10.2.0.0/20"):
        assert part in done.stderr


def _told(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr("sys.argv", ["app.py", *arguments])
    assert app.main() == 2
    return capsys.readouterr().err


def test_a_missing_configuration_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "nowhere.json" in _told(["--config", str(tmp_path / "nowhere.json")], monkeypatch, capsys)


@pytest.mark.parametrize("text", ['{"digest": "latest"}', '{"digest": 1}', "{}", "not JSON"])
def test_a_damaged_image_file_is_told(
    inputs: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    text: str,
) -> None:
    image = tmp_path / "images" / documents.WORKLOAD / "image.json"
    image.parent.mkdir(parents=True)
    image.write_text(text, encoding="utf-8")
    told = _told([*inputs[:2], "--images", str(tmp_path / "images")], monkeypatch, capsys)
    assert str(image) in told
    assert "build again" in told


def test_a_violation_ends_with_code_one(
    inputs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def violated(*_: object, **__: object) -> None:
        message = "ValidationFailed: one finding"
        raise RuntimeError(message)

    monkeypatch.setattr("sys.argv", ["app.py", *inputs])
    monkeypatch.setattr(app, "build", violated)
    assert app.main() == 1
    assert "neither a fix nor a waiver" in capsys.readouterr().err
