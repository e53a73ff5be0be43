"""Every build of the pipeline: its buildspec is one that the rehearsal can run, whole and without running itself."""

import json
import re

import pytest

from operations import polling
from operations.checks import LEAVE_OUT
from operations.supply import UNAUDITED
from rehearsal.pipeline.builds.buildspec import Buildspec, read_buildspec
from tests.assembly import Assembly


@pytest.fixture(scope="module")
def specs(organization: Assembly) -> dict[str, Buildspec]:
    """Buildspec of each project, by its logical id."""
    projects = organization["Pipeline"].resources("AWS::CodeBuild::Project")
    return {
        project.logical_id: read_buildspec(project.get("Source", "BuildSpec"), organization.directory)
        for project in projects
    }


def test_every_buildspec_can_be_run_in_a_rehearsal(specs: dict[str, Buildspec]) -> None:
    assert specs
    assert {name: spec.left_out() for name, spec in specs.items() if spec.left_out()} == {}


def test_no_build_runs_a_rehearsal(specs: dict[str, Buildspec]) -> None:
    commands = [command for spec in specs.values() for command in spec.commands()]
    assert [command for command in commands if re.search(r"\./lz (rehearse|test)\b", command)] == []


def test_the_pipeline_on_aws_sets_none_of_the_rehearsal_s_variables(organization: Assembly) -> None:
    projects = organization["Pipeline"].resources("AWS::CodeBuild::Project", "AWS::CodePipeline::Pipeline")
    assert projects
    text = json.dumps([project.properties for project in projects])
    assert [name for name in (LEAVE_OUT, polling.VARIABLE, UNAUDITED) if name in text] == []
