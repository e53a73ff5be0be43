"""The builds of a rehearsed pipeline: what CodeBuild would run, run as processes of this machine."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["BuildRequest", "BuildResult", "run_build"]

_PHASES = ("install", "pre_build", "build", "post_build")


@dataclass(frozen=True)
class BuildRequest:
    """A build, as the pipeline hands it over. It runs in a process of its own, which the rehearsal ends.

    Args:
        project: the project, as codebuild BatchGetProjects returns it.
        build_id: as StartBuild returned it.
        environment: the action's environment variables, resolved.
        sources: input artifact -> unpacked folder.
        primary: name of the primary input artifact.
        outputs: output artifact -> empty folder, to be filled as the buildspec says.
        folder: private folder of the build.
        aws: what reaches the rehearsed AWS: endpoint, authority, region, and the service role's session credentials.
        say: told each line of output.
        machine: variables of the build's machine: proxy and authorities for the rehearsal's names, its resolver.
    """

    project: Mapping[str, Any]
    build_id: str
    environment: Mapping[str, str]
    sources: Mapping[str, Path]
    primary: str
    outputs: Mapping[str, Path]
    folder: Path
    aws: Mapping[str, str] = field(repr=False)
    say: Callable[[str], None]
    machine: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BuildResult:
    """How a build ended.

    Args:
        succeeded: whether every phase did.
        exit_code: of the command that failed; 0 if none did.
        phase: the phase that it ended in, as CodeBuild names them, such as BUILD.
        problem: what went wrong; empty if nothing did.
        exported: the buildspec's exported variables, for later actions.
    """

    succeeded: bool
    exit_code: int
    phase: str
    problem: str
    exported: Mapping[str, str] = field(default_factory=dict)


def run_build(request: BuildRequest) -> BuildResult:
    """Run an inline buildspec's commands, one after the other; the first that fails ends the build.

    Args:
        request: the build.
    """
    spec = json.loads(request.project["source"]["buildspec"])
    source = request.sources[request.primary]
    environment = {**request.machine, **request.aws, **request.environment, "PATH": "/usr/bin:/bin"}
    for phase in _PHASES:
        for command in spec.get("phases", {}).get(phase, {}).get("commands", []):
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=source,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            for line in done.stdout.splitlines():
                request.say(line)
            if done.returncode:
                problem = f"{command}: exit status {done.returncode}"
                return BuildResult(
                    succeeded=False, exit_code=done.returncode, phase=phase.upper(), problem=problem
                )
    for folder in request.outputs.values():
        base = spec.get("artifacts", {}).get("base-directory", ".")
        shutil.copytree(source / base, folder, dirs_exist_ok=True)
    return BuildResult(succeeded=True, exit_code=0, phase="COMPLETED", problem="")
