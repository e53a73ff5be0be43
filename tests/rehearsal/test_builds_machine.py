"""What a build's machine takes from the person's: package registries and installed tools, which it cannot harm."""

import configparser
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from operations.node import ROOT
from rehearsal.pipeline.builds.machine import DOOR_AUTHORITIES, DOOR_PROXY, Machine
from rehearsal.pipeline.builds.registries import Registries
from rehearsal.pipeline.builds.toolchain import LOCKS, Toolchain

AWS = {"AWS_ENDPOINT_URL": "https://127.0.0.1:1"}
NPMRC = """registry=https://npm.acme.example/api/
//npm.acme.example/api/:_authToken=npm-token
@acme:registry=https://scoped.acme.example/
email=ada@acme.example
prefix=/home/ada/npm
"""
PIP_CONF = """[global]
index-url = https://packages.acme.example/simple
extra-index-url = https://one.acme.example/simple
    https://two.acme.example/simple
user = true
target = /home/ada/packages
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / ".config" / "pip").mkdir(parents=True)
    (tmp_path / "home" / ".npmrc").write_text(NPMRC)
    (tmp_path / "home" / ".config" / "pip" / "pip.conf").write_text(PIP_CONF)
    return tmp_path / "home"


def test_settings_of_registries_pass_and_no_others(home: Path, tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    given = {
        "HOME": str(home),
        "npm_config_https_proxy": "http://proxy.acme.example",
        "npm_config_prefix": "/leaked",
    }
    variables = Registries(given).install(tmp_path / "build")
    npmrc = (tmp_path / "build" / ".npmrc").read_text().splitlines()
    assert npmrc == [*NPMRC.splitlines()[:3], "https-proxy=http://proxy.acme.example"]
    config = configparser.ConfigParser()
    config.read(variables["PIP_CONFIG_FILE"])
    assert {*config["global"]} - {"cert", "find-links"} == {"index-url", "extra-index-url"}
    assert config["global"]["extra-index-url"].split() == [
        "https://one.acme.example/simple",
        "https://two.acme.example/simple",
    ]
    assert stat.S_IMODE((tmp_path / "build" / ".npmrc").stat().st_mode) == 0o600
    assert not any("token" in value or "leaked" in value for value in variables.values())


def test_what_the_environment_says_wins_over_the_files(home: Path, tmp_path: Path) -> None:
    given = {
        "HOME": str(home),
        "NPM_CONFIG_REGISTRY": "https://other.example/",
        "PIP_INDEX_URL": "https://pip.example/",
    }
    registries = Registries(given)
    registries.install(tmp_path)
    assert "registry=https://other.example/" in (tmp_path / ".npmrc").read_text().splitlines()
    assert "index-url = https://pip.example/" in (tmp_path / "pip.conf").read_text().splitlines()
    assert {"other.example", "pip.example", "scoped.acme.example", "two.acme.example"} <= {
        *registries.hosts()
    }


def environment(folder: Path, given: dict[str, str]) -> dict[str, str]:
    folder.mkdir()
    return Machine(folder, given=given, aws=AWS, privileged=False).environment()


def test_programs_go_through_the_door_but_for_aws_and_registries(home: Path, tmp_path: Path) -> None:
    given = {"HOME": str(home), DOOR_PROXY: "http://127.0.0.1:9", "HTTPS_PROXY": "http://proxy.acme.example"}
    variables = environment(tmp_path / "machine", given)
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == "http://127.0.0.1:9"
    assert {"127.0.0.1", "npm.acme.example", "packages.acme.example"} <= {*variables["NO_PROXY"].split(",")}
    # The person's own way to the registries, in the words that only these tools know.
    assert variables["npm_config_https_proxy"] == variables["PIP_PROXY"] == "http://proxy.acme.example"


def test_without_a_door_nothing_is_sent_anywhere_else(home: Path, tmp_path: Path) -> None:
    variables = environment(tmp_path / "machine", {"HOME": str(home)})
    assert not {"HTTPS_PROXY", "https_proxy", "http_proxy"} & {*variables}


def test_a_machine_trusts_the_person_s_authorities_the_door_s_and_those_of_aws(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("person", "door", "aws")}
    for name, file in files.items():
        file.write_text(f"authority of {name}\n")
    given = {"SSL_CERT_FILE": str(files["person"]), DOOR_AUTHORITIES: str(files["door"])}
    folder = tmp_path / "machine"
    folder.mkdir()
    machine = Machine(folder, given=given, aws={"AWS_CA_BUNDLE": str(files["aws"])}, privileged=False)
    variables = machine.environment()
    whole = "authority of person\nauthority of aws\nauthority of door\n"
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        assert Path(variables[name]).read_text() == whole
    assert Path(variables["NODE_EXTRA_CA_CERTS"]).read_text() == "authority of aws\nauthority of door\n"


def test_a_program_of_the_build_image_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "machine"
    folder.mkdir()
    machine = Machine(folder, given={"PATH": str(tmp_path)}, aws=AWS, privileged=False)
    assert machine.missing(["curl --fail https://x; echo a | sed s/a/b/"]) == ()
    monkeypatch.setattr("rehearsal.pipeline.builds.machine._SYSTEM_PATH", (str(tmp_path),))
    assert machine.missing(["curl --fail https://curl.example; echo a | sed s/a/b/"]) == ("curl", "sed")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a few installed tools, as `lz` leaves one."""
    root = tmp_path / "project"
    packages = root / ".venv" / "lib" / "python3.11" / "site-packages"
    for folder in (
        packages / "django",
        packages / "__pycache__",
        root / ".venv" / "bin",
        root / "node_modules" / "aws-cdk",
    ):
        folder.mkdir(parents=True)
    (packages / "django" / "__init__.py").write_text("")
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (root / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    (root / ".venv" / "bin" / "tool").write_text(f"#!{root}/.venv/bin/python\n")
    (root / ".venv" / "bin" / "tool").chmod(0o755)
    (root / ".venv" / "bin" / "large").write_bytes(b"\0" * 100_000)
    for name in LOCKS:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(f"{name}\n")
    stamp = subprocess.run(
        ["cksum", *(str(root / name) for name in LOCKS)], capture_output=True, text=True, check=True
    ).stdout
    (root / ".venv" / ".lz-stamp").write_text(f"{root}\n{stamp}")
    return root


@pytest.fixture
def checkout(project: Path, tmp_path: Path) -> Path:
    target = tmp_path / "checkout"
    return Path(shutil.copytree(project, target, ignore=shutil.ignore_patterns(".venv", "node_modules")))


def test_a_checkout_with_the_same_locks_is_lent_the_tools(project: Path, checkout: Path) -> None:
    toolchain = Toolchain(project)
    assert toolchain.fits(checkout)
    toolchain.lend(checkout)
    assert (checkout / ".venv/bin/tool").read_text() == f"#!{checkout}/.venv/bin/python\n"
    assert (checkout / ".venv/bin/tool").stat().st_mode & 0o111
    assert (checkout / ".venv/lib/python3.11/site-packages/django/__init__.py").is_file()
    assert (checkout / "node_modules/aws-cdk").is_dir()
    assert toolchain.changed() == ()
    assert Toolchain(project).fits(checkout) is False  # it has its own now


@pytest.mark.parametrize("name", LOCKS)
def test_other_locks_want_an_installation(project: Path, checkout: Path, name: str) -> None:
    (checkout / name).write_text("changed\n")
    assert not Toolchain(project).fits(checkout)


def test_a_project_that_is_not_installed_lends_nothing(project: Path, checkout: Path) -> None:
    (project / "requirements" / "lock.txt").write_text("changed after the installation\n")
    (checkout / "requirements" / "lock.txt").write_text("changed after the installation\n")
    assert not Toolchain(project).fits(checkout)


def test_an_installation_in_the_checkout_leaves_the_project_alone(project: Path, checkout: Path) -> None:
    toolchain = Toolchain(project)
    toolchain.lend(checkout)
    packages = checkout / ".venv/lib/python3.11/site-packages"
    (packages / "added").mkdir()
    shutil.rmtree(checkout / ".venv")  # as `python -m venv --clear` does
    shutil.rmtree(checkout / "node_modules")  # as `npm ci` does
    assert toolchain.changed() == ()
    assert (project / ".venv/lib/python3.11/site-packages/django/__init__.py").is_file()
    assert (project / "node_modules/aws-cdk").is_dir()


def test_a_package_that_a_build_changed_is_named_and_the_project_installs_again(
    project: Path, checkout: Path
) -> None:
    toolchain = Toolchain(project)
    toolchain.lend(checkout)
    (checkout / ".venv/lib/python3.11/site-packages/django/added.py").write_text("")
    assert toolchain.changed() == (".venv/lib/python3.11/site-packages/django",)
    assert not (project / ".venv" / ".lz-stamp").exists()


def test_compiled_code_of_single_modules_is_no_change(project: Path, checkout: Path) -> None:
    toolchain = Toolchain(project)
    toolchain.lend(checkout)
    (project / ".venv/lib/python3.11/site-packages/__pycache__/six.pyc").write_text("")
    assert toolchain.changed() == ()


def test_the_locks_are_those_of_the_stamp() -> None:
    (line,) = [line for line in (ROOT / "lz").read_text().splitlines() if line.strip().startswith("cksum ")]
    assert [word.strip('"').removeprefix("$root/") for word in line.split()[1:]] == list(LOCKS)
