"""The phases of a build, one after the other, as CodeBuild goes from one to the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.pipeline.builds.buildspec import PHASES, Phase
from rehearsal.pipeline.builds.buildspec import Phases as Wanted
from rehearsal.pipeline.builds.log import Log
from rehearsal.pipeline.builds.shell import Shell

_ABORT, _CONTINUE = "ABORT", "CONTINUE"
_SUCCEEDING = "CODEBUILD_BUILD_SUCCEEDING"
_COMMAND_ERROR, _YAML_ERROR = "COMMAND_EXECUTION_ERROR", "YAML_FILE_ERROR"


@dataclass(frozen=True)
class Failure:
    """What went wrong first.

    Args:
        phase: the phase, as CodeBuild names it.
        exit_code: of the command.
        problem: what CodeBuild's console would say.
    """

    phase: str
    exit_code: int
    problem: str


class Phases:
    """Runs the phases of a buildspec in one shell.

    Args:
        wanted: the phases.
        shell: the shell.
        log: the build's log.
        runtimes: language -> version that this machine offers.

    Attributes:
        current: the phase that runs.
        uploads: whether artifacts are handed over, although something failed.
    """

    def __init__(self, wanted: Wanted, shell: Shell, log: Log, runtimes: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._shell = shell
        self._log = log
        self._runtimes = runtimes
        self._first: Failure | None = None
        self.current = ""
        self.uploads = False

    def run(self) -> Failure | None:
        """Run them; return the first failure, or None.

        A failure in `install` or `pre_build` ends the build. After one in `build`, `post_build` still runs and
        artifacts are handed over; `on-failure` says otherwise.

        Raises:
            TimedOutError: the build's time is over.
        """
        for name in PHASES:
            phase: Phase | None = getattr(self._wanted, name)
            self.current = name.upper()
            failure = self._enter(phase or Phase())
            if failure is None:
                continue
            self._first = self._first or failure
            self._shell.export(_SUCCEEDING, "0")
            on_failure = phase.on_failure if phase is not None else None
            if on_failure not in (None, _ABORT, _CONTINUE):
                self._log.note(
                    f"on-failure {on_failure}: not followed in a rehearsal; it is taken as {_ABORT}"
                )
            if not _goes_on(name, on_failure):
                return self._first
        self.uploads = True
        return self._first

    def _enter(self, phase: Phase) -> Failure | None:
        self._log.note(f"Entering phase {self.current}")
        first = self._offer(phase.runtime_versions) or self._all(phase.commands)
        last = self._all(
            phase.finally_
        )  # whatever came of the commands; a failure of theirs fails the phase too
        failure = first or last
        code, _, message = failure.problem.partition(": ") if failure is not None else ("", "", "")
        self._log.note(
            f"Phase complete: {self.current} State: {'SUCCEEDED' if failure is None else 'FAILED'}"
        )
        self._log.note(f"Phase context status code: {code} Message: {message}")
        return failure

    def _all(self, commands: tuple[str, ...]) -> Failure | None:
        """Run commands up to the first that fails."""
        for command in commands:
            self._log.note(f"Running command {command}")
            code = self._shell.run(command)
            if code != 0:
                self._log.note(f"Command did not exit successfully {command} exit status {code}")
                problem = (
                    f"{_COMMAND_ERROR}: Error while executing command: {command}. Reason: exit status {code}"
                )
                return Failure(self.current, code, problem)
        return None

    def _offer(self, wanted: Mapping[str, str]) -> Failure | None:
        """Say which version of a language stands in for the one that is wanted."""
        for language, version in wanted.items():
            offered = self._runtimes.get(language)
            if offered is None:
                known = ", ".join(self._runtimes)
                problem = f"{_YAML_ERROR}: a rehearsal offers no runtime {language}, only {known}"
                return Failure(self.current, 1, problem)
            if not offered.startswith(f"{version}."):
                self._log.note(f"{language} {version} is wanted; the rehearsal offers {offered}")
        return None


def _goes_on(name: str, on_failure: str | None) -> bool:
    """Whether the next phase runs after a failure: CodeBuild's transitions, or what the buildspec says."""
    return on_failure == _CONTINUE or (on_failure is None and name in ("build", "post_build"))
