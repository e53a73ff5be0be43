"""The pipeline publishes assets with a tool of its own, which must read what the library writes."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from operations.node import ROOT, environment
from pipeline.pipeline import CDK_ASSETS_VERSION, OLDER_ASSET_SCHEMA
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import actions, commands

TOOL = ROOT / "node_modules" / "cdk-assets"


def _list_assets(manifest: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", str(TOOL / "bin" / "cdk-assets"), "--path", str(manifest), "ls"]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)


def test_the_publisher_is_the_one_that_is_tried_here(organization: Assembly) -> None:
    installed = json.loads((TOOL / "package.json").read_text(encoding="utf-8"))["version"]
    assert installed == CDK_ASSETS_VERSION
    publish = commands(organization, actions(organization, "Assets")["FileAssets"])
    assert f"npm install -g cdk-assets@{installed}" in publish
    assert publish.index(OLDER_ASSET_SCHEMA) < min(
        index for index, line in enumerate(publish) if line.startswith("cdk-assets --path")
    )


def test_the_publisher_reads_the_manifests_as_the_pipeline_hands_them_over(
    organization: Assembly, tmp_path: Path
) -> None:
    manifests = sorted(organization.directory.rglob("*.assets.json"))
    for manifest in (manifests[0], manifests[-1]):
        copy = tmp_path / manifest.name
        shutil.copy(manifest, copy)
        # Once it reads them as they are, the mending can go.
        assert "Maximum schema version supported" in _list_assets(copy).stderr
        subprocess.run(["sh", "-c", OLDER_ASSET_SCHEMA], cwd=tmp_path, check=True)
        listed = _list_assets(copy)
        assert listed.returncode == 0, listed.stderr
        wanted = json.loads(copy.read_text(encoding="utf-8"))["files"]
        assert all(re.search(name, listed.stdout) for name in wanted)


def test_the_qualifier_of_the_configuration_names_the_roles_that_deploy(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.changed({"organization.qualifier": "acmelz"}))
    manifest = (assembly.directory / "assembly-SharedServices" / "manifest.json").read_text(encoding="utf-8")
    roles = set(re.findall(r"role/cdk-([a-z0-9]+)-", manifest))
    assert roles == {"acmelz"}
