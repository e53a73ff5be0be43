"""A buildspec: what CodeBuild is told to run, as its reference describes version 0.2."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

PHASES = ("install", "pre_build", "build", "post_build")
DEFAULT_FILE = "buildspec.yml"


class BuildspecError(Exception):
    """A buildspec that CodeBuild would refuse, or that asks for what is not rehearsed."""


def _as_list(value: Any) -> Any:
    """Take one text for a list of one, as CodeBuild does."""
    return [value] if isinstance(value, str) else value


def _filled(value: Any) -> Any:
    """Take an empty section for an absent one."""
    return {} if value is None or value == "" else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Phase(_Part):
    """One phase.

    Args:
        commands: run one after the other; the first that fails ends them.
        finally_: run after them, whatever came of them.
        on_failure: what comes after a failure; None: what the phase's place says.
        runtime_versions: language -> version; of the install phase.
        run_as: another user of the machine.
    """

    commands: Texts = ()
    finally_: Texts = Field(default=(), alias="finally")
    on_failure: str | None = Field(default=None, alias="on-failure")
    runtime_versions: Mapping[str, str] = Field(default={}, alias="runtime-versions")
    run_as: str | None = Field(default=None, alias="run-as")


class Artifact(_Part):
    """What is handed over at the end.

    Args:
        files: patterns, relative to the base directory.
        exclude_paths: patterns of what is left out, relative to the base directory too.
        base_directory: relative to the source.
        discard_paths: put every file at the top.
        name: of the archive; CodePipeline does not use it.
        enable_symlinks: keep symbolic links; otherwise the files that they point to are taken.
        s3_prefix: not used with CodePipeline.
    """

    files: Texts = ()
    exclude_paths: Texts = Field(default=(), alias="exclude-paths")
    base_directory: str = Field(default=".", alias="base-directory")
    discard_paths: bool = Field(default=False, alias="discard-paths")
    name: str | None = None
    enable_symlinks: bool = Field(default=False, alias="enable-symlinks")
    s3_prefix: str | None = Field(default=None, alias="s3-prefix")


class Artifacts(Artifact):
    """The primary artifact, and those with a name."""

    secondary: Mapping[str, Artifact] = Field(default={}, alias="secondary-artifacts")


class Environment(_Part):
    """Variables.

    Args:
        shell: `sh` or `bash`.
        variables: name -> value.
        parameter_store: name -> name of an SSM parameter.
        secrets_manager: name -> `secret-id:json-key:version-stage:version-id`.
        exported_variables: names that later actions of the pipeline may use.
        git_credential_helper: lets git use CodeBuild's own credentials.
    """

    shell: Literal["sh", "/bin/sh", "bash"] = "sh"
    variables: Mapping[str, str] = {}
    parameter_store: Mapping[str, str] = Field(default={}, alias="parameter-store")
    secrets_manager: Mapping[str, str] = Field(default={}, alias="secrets-manager")
    exported_variables: Texts = Field(default=(), alias="exported-variables")
    git_credential_helper: bool = Field(default=False, alias="git-credential-helper")


class Phases(_Part):
    """The phases, in the order in which they run."""

    install: Annotated[Phase | None, BeforeValidator(_filled)] = None
    pre_build: Annotated[Phase | None, BeforeValidator(_filled)] = None
    build: Annotated[Phase | None, BeforeValidator(_filled)] = None
    post_build: Annotated[Phase | None, BeforeValidator(_filled)] = None


class Buildspec(_Part):
    """A whole buildspec.

    Args:
        version: only 0.2, where all commands share one shell.
        env: variables.
        phases: what runs.
        artifacts: what is handed over.
        cache: kept between builds; each of ours starts with an empty machine.
        reports: test reports; not collected.
        proxy: how CodeBuild itself uses a proxy server; it has none here.
        run_as: another user of the machine.
    """

    version: Literal["0.2"]
    env: Annotated[Environment, BeforeValidator(_filled)] = Environment()
    phases: Phases
    artifacts: Annotated[Artifacts, BeforeValidator(_filled)] = Artifacts()
    cache: Any = None
    reports: Any = None
    proxy: Any = None
    run_as: str | None = Field(default=None, alias="run-as")

    def commands(self) -> tuple[str, ...]:
        """Return all commands of all phases."""
        phases = [phase for name in PHASES if (phase := getattr(self.phases, name)) is not None]
        return tuple(command for phase in phases for command in (*phase.commands, *phase.finally_))

    def left_out(self) -> tuple[str, ...]:
        """Name what CodeBuild would do with it and this machine does not."""
        given = {
            "cache": self.cache,
            "reports": self.reports,
            "proxy": self.proxy,
            "run-as": self.run_as,
            "env.git-credential-helper": self.env.git_credential_helper,
        }
        phases = {
            f"{name}.run-as": phase.run_as
            for name in PHASES
            if (phase := getattr(self.phases, name)) is not None
        }
        return tuple(name for name, value in {**given, **phases}.items() if value)


def read_buildspec(given: str, source: Path) -> Buildspec:
    """Read the buildspec of a project.

    Args:
        given: the project's `source.buildspec`: the text itself, the path of a file in the source, or nothing.
        source: folder of the primary source.

    Raises:
        BuildspecError: there is none, or it is not one.
    """
    text, name = (given, "the project's buildspec") if "\n" in given or "{" in given else _file(given, source)
    try:
        # Every scalar stays the text that it is: `0.2`, `yes` and `22` are no numbers to CodeBuild either.
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (makes nothing but texts, lists and mappings)
    except yaml.YAMLError as error:
        raise BuildspecError(f"{name} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise BuildspecError(f"{name} is not a mapping")
    try:
        return Buildspec.model_validate(content)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise BuildspecError("\n".join([f"{name}:", *problems])) from error


def _file(given: str, source: Path) -> tuple[str, str]:
    if given.startswith("arn:"):
        raise BuildspecError(f"{given}: a buildspec in a bucket is not rehearsed; put it into the source")
    name = given or DEFAULT_FILE
    try:
        return (source / name).read_text(encoding="utf-8"), name
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BuildspecError(f"the source has no file {name}") from error
