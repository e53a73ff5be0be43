"""The builds of a rehearsed pipeline: what CodeBuild would run, run as processes of this machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["BuildRequest", "BuildResult", "run_build"]


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
        machine: what the rehearsal tells the build's machine: where the person's packages come from
            (`rehearsal.engine.cache.build_environment`), and the names of `rehearsal.pipeline.builds.machine`.
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
    """Run a build to its end; what it starts ends with it.

    Args:
        request: the build.
    """
    from rehearsal.pipeline.builds.execution import execute  # noqa: PLC0415 -- it works with the classes above

    return execute(request)
