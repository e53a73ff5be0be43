"""An image that was never built is refused, by the very command that the pipeline runs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from config.images import PLACEHOLDER_DIGEST
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import actions, commands

STAGES = [documents.STAGING, documents.PRODUCTION]


def _refused(organization: Assembly, stage_name: str, assembly: Path) -> tuple[bool, str]:
    """Run the step's commands in an assembly, one shell each as CodeBuild does, and stop at the first that fails."""
    step = actions(organization, stage_name)[f"RefusePlaceholder-{stage_name}"]
    for command in commands(organization, step):
        done = subprocess.run(
            ["sh", "-c", command], cwd=assembly, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return True, done.stdout
    return False, ""


@pytest.mark.parametrize("stage_name", STAGES)
def test_an_image_that_was_built_passes(organization: Assembly, stage_name: str) -> None:
    assert _refused(organization, stage_name, organization.directory) == (False, "")


@pytest.mark.parametrize("stage_name", STAGES)
def test_a_placeholder_is_refused_with_a_word_on_what_to_do(
    organization: Assembly, synthesize: Synthesize, stage_name: str
) -> None:
    unbuilt = synthesize(documents.sample(), digest=PLACEHOLDER_DIGEST)
    refused, told = _refused(organization, stage_name, unbuilt.directory)
    assert refused
    assert "Release the change again" in told


def test_a_placeholder_of_another_workload_is_no_reason_to_refuse(
    organization: Assembly, synthesize: Synthesize, tmp_path: Path
) -> None:
    unbuilt = synthesize(documents.sample(), digest=PLACEHOLDER_DIGEST)
    staging = f"assembly-{documents.STAGING}"
    shutil.copytree(organization.directory / staging, tmp_path / staging)
    production = f"assembly-{documents.PRODUCTION}"
    shutil.copytree(unbuilt.directory / production, tmp_path / production)
    assert not _refused(organization, documents.STAGING, tmp_path)[0]
    assert _refused(organization, documents.PRODUCTION, tmp_path)[0]


def test_an_assembly_that_is_not_there_is_refused(organization: Assembly, tmp_path: Path) -> None:
    assert _refused(organization, documents.STAGING, tmp_path)[0]


def test_templates_without_any_image_are_refused(organization: Assembly, tmp_path: Path) -> None:
    templates = tmp_path / f"assembly-{documents.STAGING}"
    templates.mkdir()
    (templates / "web.template.json").write_text("{}", encoding="utf-8")
    assert _refused(organization, documents.STAGING, tmp_path)[0]


def test_templates_that_cannot_be_read_are_refused(
    organization: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    grep = tmp_path / "grep"
    grep.write_text("#!/bin/sh\ncase $1 in -rqF) exit 0 ;; esac\nexit 2\n", encoding="utf-8")
    grep.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert _refused(organization, documents.STAGING, organization.directory)[0]


def test_the_step_reads_the_assembly_of_this_run(organization: Assembly) -> None:
    for stage_name in STAGES:
        step = actions(organization, stage_name)[f"RefusePlaceholder-{stage_name}"]
        assert [each["Name"] for each in step.body["InputArtifacts"]] == ["Synth_Output"]
