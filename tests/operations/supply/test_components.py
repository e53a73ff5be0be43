"""What the lock files and images hold, and the bills made of it."""

import json
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from config import Configuration
from operations.errors import CommandError
from operations.supply.components import (
    Component,
    Inventory,
    licenses_of,
    npm_lock,
    platform_inventories,
    python_lock,
    workload_locks,
)
from operations.supply.image_inventory import PROBE, parse
from operations.supply.licenses import read_policy
from operations.supply.probe import MARK, NO_SYSTEM, debian_packages
from operations.supply.sbom import bill, read_bill, release_bill

ROOT = Path(__file__).parents[3]
DIGEST = "sha256:" + "ab" * 32
INVENTORY = Inventory(
    "shop",
    "the image of shop",
    "shop@" + DIGEST,
    (
        Component("deb", "libc6", "2.36-9+deb12u9", distribution="debian-12"),
        Component("npm", "@scope/name", "1.0.0", "MIT OR ISC", (("sha512", "ab" * 64),)),
        Component("pypi", "Django", "5.2.19", "BSD-3-Clause", (("sha256", "ab" * 32),)),
        Component("pypi", "odd", "1", "As you like it"),
    ),
    "the packages of the kernel",
)


def test_every_pin_of_the_platforms_locks_is_a_component_with_a_license_if_it_is_installed() -> None:
    python, node = platform_inventories(ROOT, read_policy())
    names = {component.name for component in python.components}
    assert {"aws-cdk-lib", "uv", "ruff"} <= names
    missing = {component.name for component in python.components if not component.license}
    assert missing == set(python.note.partition(": ")[2].split(", ")) - {""}
    assert {"aws-cdk", "playwright-core"} <= {component.name for component in node.components}
    assert all(component.license and component.hashes for component in node.components)


def test_rejects_a_lock_that_does_not_pin(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("django>=5\n", encoding="utf-8")
    with pytest.raises(CommandError, match="pins no version"):
        list(python_lock(lock, {}))


def test_a_node_package_that_is_installed_twice_is_one_component(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    package = {"version": "1.0.0", "license": "MIT", "integrity": "sha512-q80="}
    packages = {
        "": {"name": "own"},
        "node_modules/a": package,
        "node_modules/b/node_modules/a": package,
        "node_modules/@s/a": {**package, "version": "2.0.0"},
    }
    lock.write_text(json.dumps({"packages": packages}), encoding="utf-8")
    assert [(one.name, one.version, one.hashes) for one in npm_lock(lock)] == [
        ("a", "1.0.0", (("sha512", "abcd"),)),
        ("@s/a", "2.0.0", (("sha512", "abcd"),)),
    ]


def test_the_sample_workloads_locks_are_found(configuration: Configuration) -> None:
    found = {(name, file.name) for name, file in workload_locks(configuration, ROOT)}
    assert found == {("my-django-app", "requirements.txt"), ("my-django-app", "requirements-dev.txt")}


@pytest.fixture(scope="module")
def told() -> dict[str, object]:
    """What the probe says of this very Python, started as in an image."""
    done = subprocess.run(
        [sys.executable, "-I", "-"],
        input=PROBE.read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, object] = json.loads(done.stdout.removeprefix(MARK))
    return answer


def test_the_probe_tells_what_is_installed_with_its_licenses(told: dict[str, object]) -> None:
    inventory = parse(told, image=f"shop@{DIGEST}", workload="shop", policy=read_policy())
    ours = licenses_of(distributions(), read_policy())
    python = {one.name: one for one in inventory.components if one.ecosystem == "pypi"}
    assert python["boto3"].license == ours["boto3"] == "Apache-2.0"
    assert len(python) >= len(ours)


def test_the_probe_tells_no_system_where_that_is_not_the_images() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-"],
        input=PROBE.read_text(encoding="utf-8"),
        env={NO_SYSTEM: "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    system = json.loads(done.stdout.removeprefix(MARK))["system"]
    assert set(system) == {"problem"}


def test_only_what_dpkg_has_installed_counts(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nDescription: C\n Version: 0\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
        encoding="utf-8",
    )
    assert list(debian_packages(status)) == [{"name": "libc6", "version": "2.36-9"}]


def test_a_bill_is_valid_cyclonedx_and_the_same_for_the_same_parts() -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    first = bill("shop", DIGEST, [INVENTORY], container=True)
    assert validator.validate_str(first) is None
    assert validator.validate_str(first.replace('"library"', '"shelf"')) is not None
    assert first == bill("shop", DIGEST, [INVENTORY], container=True)
    other = Inventory(INVENTORY.name, INVENTORY.title, INVENTORY.source, INVENTORY.components[1:])
    assert json.loads(first)["serialNumber"] != json.loads(bill("shop", DIGEST, [other]))["serialNumber"]


def test_the_bill_of_a_release_is_valid_and_holds_every_part() -> None:
    text = release_bill("acme", "c0ffee", [INVENTORY], {"shop": DIGEST})
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    (image,) = json.loads(text)["components"]
    assert (image["type"], image["version"]) == ("container", DIGEST)
    assert len(image["components"]) == len(INVENTORY.components)


def test_a_bill_that_is_read_again_has_the_same_parts(tmp_path: Path) -> None:
    file = tmp_path / "sbom.cdx.json"
    file.write_text(bill("shop", DIGEST, [INVENTORY], container=True), encoding="utf-8")
    read = read_bill(file, name="shop", title="")
    assert {(one.ecosystem, one.name, one.version, one.license) for one in read.components} == {
        (one.ecosystem, one.name, one.version, one.license) for one in INVENTORY.components
    }
    assert read.note == INVENTORY.note


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"metadata": {"component": {}}, "components": [{}]}'])
def test_rejects_what_is_no_bill(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sbom.cdx.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="is no bill of materials"):
        read_bill(file, name="shop", title="")
