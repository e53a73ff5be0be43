"""A first run, and a new workload: the pipeline converges in two runs, and no environment gets an image never built."""

import subprocess
from pathlib import Path

import pytest

from config.images import PLACEHOLDER_DIGEST
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import actions, commands

NEW = ["ShopStaging", "ShopProduction"]
KNOWN = [documents.STAGING, documents.PRODUCTION]


def _built_by(definition: Assembly) -> set[str]:
    """Return the workloads whose image a pipeline builds and hands to Synth."""
    build = actions(definition, "Build")
    given = {artifact["Name"] for artifact in build["Synth"].body["InputArtifacts"]}
    return {
        name.removeprefix("Image-")
        for name, action in build.items()
        if {artifact["Name"] for artifact in action.body.get("OutputArtifacts", [])} & given
    }


def _refused(definition: Assembly, stage_name: str, assembly: Path) -> bool:
    """Run what an environment's first action runs, in the assembly of its run."""
    step = actions(definition, stage_name)[f"RefusePlaceholder-{stage_name}"]
    for command in commands(definition, step):
        if subprocess.run(["sh", "-c", command], cwd=assembly, capture_output=True, check=False).returncode:
            return True
    return False


def _pipeline(assembly: Assembly) -> str:
    return (assembly.directory / "Pipeline.template.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def first_run(organization: Assembly, synthesize: Synthesize) -> Assembly:
    """What the pipeline of one workload makes of a configuration that has another one, too."""
    return synthesize(documents.with_second_workload(), built=_built_by(organization))


@pytest.fixture(scope="module")
def second_run(first_run: Assembly, synthesize: Synthesize) -> Assembly:
    """What the pipeline makes of it once it has updated itself."""
    return synthesize(documents.with_second_workload(), built=_built_by(first_run))


def test_the_run_that_brings_a_workload_changes_the_pipeline_and_would_be_refused_in_its_environments_alone(
    organization: Assembly, first_run: Assembly
) -> None:
    assert _pipeline(first_run) != _pipeline(organization)
    assert {name: _refused(first_run, name, first_run.directory) for name in [*NEW, *KNOWN]} == {
        **dict.fromkeys(NEW, True),
        **dict.fromkeys(KNOWN, False),
    }


def test_the_second_run_deploys_every_environment_and_changes_the_pipeline_no_more(
    first_run: Assembly, second_run: Assembly
) -> None:
    assert _pipeline(second_run) == _pipeline(first_run)
    assert [name for name in [*NEW, *KNOWN] if _refused(second_run, name, second_run.directory)] == []
    texts = {
        name: stack.template_file.read_text(encoding="utf-8") for name, stack in second_run.stacks.items()
    }
    # The pipeline names it in the command that refuses it.
    assert [name for name, text in texts.items() if PLACEHOLDER_DIGEST in text] == ["Pipeline"]


def test_the_update_of_the_pipeline_makes_the_new_repository_first(first_run: Assembly) -> None:
    (update,) = actions(first_run, "UpdatePipeline").values()
    (deploy,) = (command for command in commands(first_run, update) if " deploy " in f" {command} ")
    assert "--exclusively" not in deploy, "what the pipeline depends on is deployed before it"
    assert "Registry" in first_run["Pipeline"].dependencies
    names = [each.get("RepositoryName") for each in first_run["Registry"].resources("AWS::ECR::Repository")]
    assert any(name.endswith("/shop") for name in names)


def test_a_pipeline_that_was_deployed_by_hand_builds_every_image_in_its_first_run(
    organization: Assembly, synthesize: Synthesize
) -> None:
    """It was synthesized with placeholders, for there was no registry; its definition knows every workload."""
    by_hand = synthesize(documents.sample(), digest=PLACEHOLDER_DIGEST)
    assert _built_by(by_hand) == {documents.WORKLOAD}
    assert _pipeline(by_hand) == _pipeline(organization)
