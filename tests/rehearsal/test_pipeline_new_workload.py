"""A first run, and a workload that a push brings, followed through the runner: two runs, and never a placeholder."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from config import load
from config.images import PLACEHOLDER_DIGEST
from operations.pipeline_access import PipelineAccess
from rehearsal.approver import Approver
from rehearsal.pipeline_run import PipelineRun
from rehearsal.progress import Progress
from tests import documents
from tests.assembly import Assembly
from tests.pipeline.actions import actions, commands
from tests.rehearsal.conftest import Cloud
from tests.rehearsal.pipeline_template import allow, build, project, resources, stage
from tests.rehearsal.pipelines import Line, deploy

pytestmark = pytest.mark.rehearsal

ROOT = Path(__file__).parents[2]
PYTHON = f"PYTHONPATH={ROOT}:{Path(boto3.__file__).parents[1]} python3"
DIGESTS = {"first": "sha256:" + "a" * 64, "shop": "sha256:" + "b" * 64}

# Reads the images that this run has built as synthesis does, and writes what the environments would get.
SYNTH = """
import json, pathlib, types
from config.images import read_images
names = json.loads(pathlib.Path("workloads.json").read_text())
images = read_images(pathlib.Path("images"), types.SimpleNamespace(workloads=names))
for name, image in images.items():
    folder = pathlib.Path("assembly", f"assembly-{name}")
    folder.mkdir(parents=True)
    (folder / "web.template.json").write_text(f"repository@{image.digest}")
with open("SEEN", "a") as seen:
    seen.write(json.dumps({name: image.digest for name, image in images.items()}) + "\\n")
"""
# Deploys the pipeline's own stack, as self-mutation does.
MUTATE = """
import boto3, sys
api = boto3.client("cloudformation")
try:
    api.update_stack(
        StackName=sys.argv[1], TemplateBody=open(sys.argv[2]).read(), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
except api.exceptions.ClientError as error:
    assert "No updates" in str(error), error
"""


def _stages(names: list[str]) -> list[dict[str, Any]]:
    images = [f"Image{name}" for name in names]
    return [
        stage(
            "Build",
            *(build(image, outputs=[image]) for image in images),
            build(
                "Synth",
                order=2,
                inputs=["Source", *images],
                outputs=["Assembly"],
                configuration={"PrimarySource": "Source"},
            ),
        ),
        stage("UpdatePipeline", build("SelfMutate")),
        *(
            stage(
                name,
                build(f"RefusePlaceholder{name}", inputs=["Assembly"]),
                build(f"Deploy{name}", order=2, inputs=["Assembly"]),
            )
            for name in names
        ),
    ]


def _projects(names: list[str], folder: Path, refusal: list[str]) -> dict[str, Any]:
    copies = "; ".join(
        f'if [ -n "$CODEBUILD_SRC_DIR_Image{name}" ]; then cp -R "$CODEBUILD_SRC_DIR_Image{name}" images/{name}; fi'
        for name in DIGESTS
    )
    found = {
        "Synth": project(
            ["mkdir images", copies, f"{PYTHON} synth.py"],
            artifacts={"base-directory": "assembly", "files": "**/*"},
        ),
        "SelfMutate": project([f"{PYTHON} mutate.py $(cat {folder}/stack) {folder}/template.json"]),
    }
    for name in names:
        image = json.dumps({"digest": DIGESTS[name]})
        found[f"Image{name}"] = project(
            ["mkdir out", f"echo '{image}' > out/image.json"],
            artifacts={"base-directory": "out", "files": "**/*"},
        )
        found[f"RefusePlaceholder{name}"] = project(
            [command.replace(documents.STAGING, name) for command in refusal]
        )
        found[f"Deploy{name}"] = project([f"cat assembly-{name}/*.template.json >> {folder}/deployed-{name}"])
    return found


def _may_deploy(made: dict[str, Any]) -> None:
    (inline,) = made["BuildRole"]["Properties"]["Policies"]
    inline["PolicyDocument"]["Statement"].append(allow("cloudformation:UpdateStack"))


def _follow(line: Line) -> PipelineRun:
    progress = Progress(Console(file=StringIO()))
    run = PipelineRun(
        PipelineAccess(line.api, line.name, load()),
        progress=progress,
        approver=Approver("auto", progress, Console(file=StringIO())),
        enter=lambda _servers: None,
    )
    run.follow()
    return run


def test_a_workload_that_a_push_brings_is_built_before_it_is_deployed(
    cloud: Cloud, tmp_path: Path, organization: Assembly
) -> None:
    step = actions(organization, documents.STAGING)[f"RefusePlaceholder-{documents.STAGING}"]
    refusal = commands(organization, step)
    seen = tmp_path / "seen"
    files = {
        "synth.py": SYNTH.replace("SEEN", str(seen)),
        "mutate.py": MUTATE,
        "workloads.json": json.dumps(["first"]),
    }
    (tmp_path / "stack").write_text("not known yet")
    line = deploy(
        cloud,
        tmp_path / "source",
        _stages(["first"]),
        _projects(["first"], tmp_path, refusal),
        files=files,
        change=_may_deploy,
    )
    (tmp_path / "template.json").write_text(json.dumps({"Resources": line.resources, "Outputs": {}}))
    (tmp_path / "stack").write_text(line.stack.name)

    assert _follow(line).executions == 1, "the pipeline was deployed with its workload"

    both = ["first", "shop"]
    line.push({"workloads.json": json.dumps(both)}, tmp_path / "source")
    changed = resources(line.repository, _stages(both), _projects(both, tmp_path, refusal))
    _may_deploy(changed)
    (tmp_path / "template.json").write_text(json.dumps({"Resources": changed, "Outputs": {}}))
    line.start()

    assert _follow(line).executions == 2, "the run that brings it, and the one that builds it"

    synthesized = [json.loads(text) for text in seen.read_text().splitlines()]
    first = {"first": DIGESTS["first"]}
    assert synthesized == [first, {**first, "shop": PLACEHOLDER_DIGEST}, DIGESTS]
    deployed = {name: (tmp_path / f"deployed-{name}").read_text() for name in both}
    assert deployed == {
        "first": f"repository@{DIGESTS['first']}" * 2,
        "shop": f"repository@{DIGESTS['shop']}",
    }
