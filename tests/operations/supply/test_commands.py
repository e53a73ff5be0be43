"""The commands of the supply chain, on this project's own locks and a scripted registry."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from config import Configuration
from operations.cli import main
from operations.commands import image_scan
from operations.errors import CommandError
from operations.supply import UNAUDITED
from operations.supply.image_inventory import image_inventory
from operations.supply.image_scans import read_scans
from operations.supply.licenses import read_policy
from operations.supply.sbom import bill
from operations.supply.workloads import IMAGE_BILL
from tests.operations.supply.test_components import DIGEST, INVENTORY
from tests.operations.support import scripted

STAGE = "assembly-MyDjangoAppProduction"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """What the image step wrote."""
    folder = tmp_path / "images" / "my-django-app"
    folder.mkdir(parents=True)
    (folder / IMAGE_BILL).write_text(bill("my-django-app", DIGEST, [INVENTORY]), encoding="utf-8")
    image = {"digest": DIGEST, "tag": "t", "repository": "acme/my-django-app", "workload": "my-django-app"}
    (folder / "image.json").write_text(json.dumps({**image, "revision": None}), encoding="utf-8")
    return folder.parent


def test_what_nobody_looked_at_is_told_and_the_bills_are_written(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(UNAUDITED, "reported")
    output = tmp_path / "out"
    code = main(
        ["supply-chain", "--require-audit", "--images", str(images), "--output", str(output), "--json"]
    )
    report = json.loads(capsys.readouterr().out)
    # The image of this test has a package with a license that nobody knows, and none of those in the ledger.
    assert code == 1
    assert {one["id"] for one in report["findings"] if not one["allowance"]} == {"As you like it"}
    assert not report["audit_required"]
    assert len(report["unaudited"]) == 2
    assert {file.name for file in output.iterdir()} == {
        "platform.cdx.json",
        "my-django-app.cdx.json",
        "release.cdx.json",
        "supply-chain.json",
    }


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    folder = tmp_path / "cdk.out" / STAGE
    folder.mkdir(parents=True)
    (folder / "Web.template.json").write_text(f'{{"Image": "repository@{DIGEST}"}}', encoding="utf-8")
    return folder.parent


def scanned(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    ecr = scripted("ecr", ("describe_image_scan_findings", None, answer))
    session = type("Session", (), {"client": lambda *_, **__: ecr})
    monkeypatch.setattr(image_scan, "session", lambda _: session())


def scan(assembly: Path) -> int:
    return main(["image-scan", "--environment", "production", "--assembly", str(assembly), "--deadline", "0"])


def test_a_severe_finding_blocks_and_a_mild_one_does_not(
    assembly: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for severity, code in (("HIGH", 1), ("MEDIUM", 0)):
        found = {"findings": [{"name": "CVE-2026-1", "severity": severity}]}
        scanned(monkeypatch, {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": found})
        assert scan(assembly) == code
    assert "1 high; 1 block the approval" in capsys.readouterr().out


def test_an_image_without_a_scan_blocks_and_in_a_rehearsal_it_is_told(
    assembly: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(UNAUDITED, raising=False)  # a rehearsed Synth has it
    scanned(monkeypatch, "InvalidAction")
    assert scan(assembly) == 1
    scanned(monkeypatch, "InvalidAction")
    monkeypatch.setenv(UNAUDITED, "reported")
    assert scan(assembly) == 0
    assert capsys.readouterr().out.count("NOT SCANNED") == 2


def test_what_was_found_is_written_for_the_packet_also_where_it_blocks(
    assembly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"findings": [{"name": "CVE-2026-1", "severity": "HIGH"}]}
    scanned(monkeypatch, {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": found})
    file = tmp_path / "packet" / "image-scan.json"
    arguments = ["--environment", "production", "--assembly", str(assembly), "--output", str(file)]
    assert main(["image-scan", *arguments]) == 1
    (scan_,) = read_scans(file, DIGEST).scans
    assert [(one.id, one.blocks) for one in scan_.findings] == [("CVE-2026-1", True)]


def test_rejects_an_assembly_that_names_no_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(tmp_path) == 2
    assert "names an image by its digest" in capsys.readouterr().err


def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_an_image_is_asked_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configuration: Configuration
) -> None:
    asked = tmp_path / "asked"
    docker(tmp_path, monkeypatch, f'echo "$@" >{asked}; exec {sys.executable} -I -')
    inventory = image_inventory(
        f"shop@{DIGEST}", workload="shop", release_command=["bin/release"], policy=read_policy()
    )
    assert {"boto3", "pydantic"} <= {one.name for one in inventory.components}
    assert asked.read_text(encoding="utf-8").split() == (
        f"run --rm --interactive --network none --entrypoint python shop@{DIGEST} -".split()
    )


def test_an_image_that_tells_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, monkeypatch, "echo no such python >&2; exit 127")
    with pytest.raises(CommandError, match="no such python"):
        image_inventory("shop", workload="shop", release_command=["bin/release"], policy=read_policy())
