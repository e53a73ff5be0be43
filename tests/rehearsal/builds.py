"""Builds for tests: a source, a buildspec, and what came of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.pipeline.builds import BuildRequest, BuildResult, run_build

PROJECT = "arn:aws:codebuild:eu-west-1:111111111111:project/tests"
AWS = {
    "AWS_ACCESS_KEY_ID": "111111111111",
    "AWS_SECRET_ACCESS_KEY": "rehearsal",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "https://127.0.0.1:1",
}


@dataclass
class Build:
    """A build that is to be run.

    Attributes:
        lines: what it wrote.
    """

    folder: Path
    phases: Mapping[str, Any]
    env: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Any] | None = None
    project: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, str] = field(default_factory=lambda: AWS)
    more_sources: Mapping[str, Path] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)

    @property
    def source(self) -> Path:
        """Its primary source."""
        folder = self.folder / "source"
        folder.mkdir(exist_ok=True)
        return folder

    def output(self, name: str) -> list[str]:
        """Names of the files in an output artifact."""
        folder = self.folder / "outputs" / name
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())

    def run(self) -> BuildResult:
        spec = {"version": "0.2", "env": self.env, "phases": self.phases}
        if self.artifacts is not None:
            spec["artifacts"] = self.artifacts
        work = self.folder / "work"
        work.mkdir()
        outputs = {name: self.folder / "outputs" / name for name in self.outputs}
        for folder in outputs.values():
            folder.mkdir(parents=True)
        project = {
            "name": "tests",
            "arn": PROJECT,
            "serviceRole": "arn:aws:iam::111111111111:role/tests",
            "source": {"type": "CODEPIPELINE", "buildspec": json.dumps(spec, indent=2)},
            "environment": {"image": "aws/codebuild/standard:7.0", "privilegedMode": False},
            **self.project,
        }
        return run_build(
            BuildRequest(
                project=project,
                build_id="tests:8a4f0c52",
                environment=self.environment,
                sources={"Source": self.source, **self.more_sources},
                primary="Source",
                outputs=outputs,
                folder=work,
                aws=self.aws,
                say=self.lines.append,
                machine=self.machine,
            )
        )

    def told(self) -> list[str]:
        """What its commands wrote, without the machine's own lines."""
        return [line for line in self.lines if not line.startswith("[Container]")]
