"""Runs a build: its machine, its phases in one shell, and what it hands over."""

import resource
import subprocess
import time
from pathlib import Path
from typing import Any

from rehearsal.pipeline.builds import BuildRequest, BuildResult
from rehearsal.pipeline.builds.artifacts import ArtifactError, collect
from rehearsal.pipeline.builds.buildspec import Buildspec, BuildspecError, read_buildspec
from rehearsal.pipeline.builds.log import Log
from rehearsal.pipeline.builds.machine import Machine
from rehearsal.pipeline.builds.phases import Failure, Phases
from rehearsal.pipeline.builds.shell import Shell, TimedOutError
from rehearsal.pipeline.builds.toolchain import Toolchain
from rehearsal.pipeline.builds.variables import Clients, VariableError, Variables, resolve

_DEFAULT_MINUTES = 60  # of a project that says nothing
_DOWNLOAD_SOURCE, _UPLOAD_ARTIFACTS, _COMPLETED = "DOWNLOAD_SOURCE", "UPLOAD_ARTIFACTS", "COMPLETED"


def execute(request: BuildRequest) -> BuildResult:
    """Run a build to its end.

    Args:
        request: the build.
    """
    log = Log(request.say)
    began, worked = time.monotonic(), _worked()
    try:
        return _execute(request, log)
    finally:
        seconds, processor = time.monotonic() - began, _worked() - worked
        log.note(f"the build took {seconds:.1f} s, and {processor:.1f} s of processor time")


def _worked() -> float:
    """Return the processor time of all commands that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _execute(request: BuildRequest, log: Log) -> BuildResult:
    source = request.sources[request.primary].resolve()
    log.note(f"CODEBUILD_SRC_DIR={source}")
    try:
        spec = read_buildspec(request.project["source"].get("buildspec") or "", source)
        project = request.project.get("environment") or {}
        variables = resolve(
            project.get("environmentVariables") or [], spec.env, request.environment, _clients(request)
        )
    except BuildspecError as error:
        return _refused(log, "YAML_FILE_ERROR", error)
    except VariableError as error:
        return _refused(log, "CLIENT_ERROR", error)
    for secret in variables.secrets:
        log.hide(secret)
    for name in spec.left_out():
        log.note(f"{name}: not followed in a rehearsal")
    toolchain = Toolchain()
    lent = _lend(toolchain, source, log)
    try:
        return _Execution(request, spec, source, variables, log).run()
    finally:
        changed = toolchain.changed() if lent else ()
        if changed:
            log.note(f"this build changed packages of the project that rehearses: {', '.join(changed)}")
            log.note("they are installed again at the next call of ./lz")


class _Execution:
    """A build whose buildspec is read and whose variables are known."""

    def __init__(
        self, request: BuildRequest, spec: Buildspec, source: Path, variables: Variables, log: Log
    ) -> None:
        self._request = request
        self._spec = spec
        self._source = source
        self._log = log
        privileged = bool((request.project.get("environment") or {}).get("privilegedMode"))
        self._machine = Machine(
            request.folder.resolve(), given=request.machine, aws=request.aws, privileged=privileged
        )
        for program in self._machine.missing(spec.commands()):
            log.note(f"{program} is not installed on this machine, and a build image has it: install it")
        minutes = float(request.project.get("timeoutInMinutes") or _DEFAULT_MINUTES)
        environment = {**self._machine.environment(), **_own_variables(request, source), **variables.values}
        self._shell = Shell(
            "bash" if spec.env.shell == "bash" else "/bin/sh",
            environment=environment,
            directory=source,
            folder=request.folder / "shell",
            tell=log.write,
            deadline=time.monotonic() + minutes * 60,
        )
        self._minutes = minutes

    def run(self) -> BuildResult:
        phases = Phases(self._spec.phases, self._shell, self._log, self._machine.runtimes)
        try:
            failure = phases.run()
            exported = self._exported()
        except TimedOutError:
            problem = f"BUILD_TIMED_OUT: the build did not end within {self._minutes:g} minutes"
            self._log.note(problem)
            return BuildResult(succeeded=False, exit_code=124, phase=phases.current, problem=problem)
        finally:
            self._shell.close()
        if failure is None or phases.uploads:
            failure = self._upload(failure)
        if failure is not None:
            return BuildResult(
                succeeded=False,
                exit_code=failure.exit_code,
                phase=failure.phase,
                problem=failure.problem,
                exported=exported,
            )
        return BuildResult(succeeded=True, exit_code=0, phase=_COMPLETED, problem="", exported=exported)

    def _upload(self, failure: Failure | None) -> Failure | None:
        """Hand over what was made; CodeBuild does so after a failed build too, and the first failure counts."""
        if not self._request.outputs:
            return failure
        self._log.note(f"Entering phase {_UPLOAD_ARTIFACTS}")
        try:
            counts = collect(self._spec.artifacts, self._source, self._request.outputs)
        except ArtifactError as error:
            self._log.note(f"Phase context status code: CLIENT_ERROR Message: {error}")
            return failure or Failure(_UPLOAD_ARTIFACTS, 1, f"CLIENT_ERROR: {error}")
        for name, count in counts.items():
            self._log.note(f"{name}: {count} files")
        return failure

    def _exported(self) -> dict[str, str]:
        found = {}
        for name in self._spec.env.exported_variables:
            file = self._request.folder / "exported"
            self._shell.run(f"printf %s \"${{{name}-}}\" > '{file}'")
            found[name] = file.read_text(encoding="utf-8", errors="replace")
        return found


def _own_variables(request: BuildRequest, source: Path) -> dict[str, str]:
    """Return what CodeBuild tells every build about itself."""
    project = request.project
    arn = str(project.get("arn", ""))
    uuid = request.build_id.rpartition(":")[2]
    found = {
        "CODEBUILD_CI": "true",
        "CI": "true",
        "CODEBUILD_BUILD_ID": request.build_id,
        "CODEBUILD_BUILD_ARN": arn.replace(":project/", ":build/").rpartition("/")[0]
        + f"/{request.build_id}",
        "CODEBUILD_BUILD_IMAGE": str((project.get("environment") or {}).get("image", "")),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_KMS_KEY_ID": str(project.get("encryptionKey", "")),
        "CODEBUILD_LOG_PATH": uuid,
        "CODEBUILD_PROJECT_ARN": arn,
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(int(time.time() * 1000)),
    }
    for name, folder in request.sources.items():
        if name != request.primary:
            found[f"CODEBUILD_SRC_DIR_{name}"] = str(folder.resolve())
    commit = _commit(source)
    if commit:
        found["CODEBUILD_RESOLVED_SOURCE_VERSION"] = commit
    return found


def _commit(source: Path) -> str:
    """Return the commit that was checked out; empty if the source is no clone."""
    if not (source / ".git").exists():
        return ""
    done = subprocess.run(
        ["git", "-C", str(source), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _lend(toolchain: Toolchain, source: Path, log: Log) -> bool:
    """Lend the installed tools to a checkout of this project; say what is done."""
    if not (source / "lz").is_file():
        return False
    if not toolchain.fits(source):
        log.note("lz: other lock files than those of the project that rehearses: it installs for itself")
        return False
    toolchain.lend(source)
    log.note(
        "lz: same lock files as the project that rehearses: its installed tools are lent, none are installed"
    )
    return True


def _clients(request: BuildRequest) -> Clients:
    """Make clients with the build's credentials, for what CodeBuild itself reads in its name."""
    aws = request.aws

    def make(service: str) -> Any:
        import boto3  # noqa: PLC0415 -- half a second to load, and few builds have such variables
        from botocore.config import Config  # noqa: PLC0415

        session = boto3.Session(
            aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=aws.get("AWS_SESSION_TOKEN"),
            region_name=aws["AWS_REGION"],
        )
        config = Config(proxies={}, retries={"max_attempts": 0})
        return session.client(  # type: ignore[call-overload]
            service, endpoint_url=aws["AWS_ENDPOINT_URL"], verify=aws["AWS_CA_BUNDLE"], config=config
        )

    return make


def _refused(log: Log, code: str, error: Exception) -> BuildResult:
    problem = f"{code}: {error}"
    log.note(f"Phase context status code: {code} Message: {error}")
    return BuildResult(succeeded=False, exit_code=1, phase=_DOWNLOAD_SOURCE, problem=problem)
