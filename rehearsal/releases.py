"""The release step of a rehearsal: the workload's release task, started and followed as the pipeline does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config import Configuration, StageRef
from config.assembly import AssembledStack
from config.naming import Names
from operations.errors import CommandError as TaskError
from operations.releases.outcome import SUMMARY
from operations.task_place import PLACE_PARAMETERS, RELEASING, read_parameters, task_place
from operations.tasks import TaskRun
from rehearsal.emulator import Emulator
from rehearsal.processes import CommandError

RELEASE_STACK = "Release"
_POLL_SECONDS = 0.5  # the pipeline looks every five; here nobody pays for it
_DEADLINE_SECONDS = 300.0
_BUILD_SERVICE = "codebuild.amazonaws.com"


def around_release(
    stacks: Sequence[AssembledStack],
) -> tuple[tuple[AssembledStack, ...], tuple[AssembledStack, ...]]:
    """Split a stage's stacks where the pipeline runs its release step.

    Args:
        stacks: the stage's stacks, each after those that it depends on.

    Returns:
        What comes before the step, and what depends on its stack; nothing comes after it without one.
    """
    names = {stack.name for stack in stacks if stack.path.rpartition("/")[2] == RELEASE_STACK}
    release = set(names)
    for stack in stacks:
        if names.intersection(stack.dependencies):
            names.add(stack.name)
    after = tuple(stack for stack in stacks if stack.name in names - release)
    return tuple(stack for stack in stacks if stack not in after), after


class ReleaseStep:
    """Runs release tasks with the rights of the pipeline's step, and no others.

    Args:
        emulator: the running emulator.
        configuration: the organization.
        logs: folder for what the tasks write.
    """

    def __init__(self, emulator: Emulator, configuration: Configuration, logs: Path) -> None:
        self._emulator = emulator
        self._configuration = configuration
        self._logs = logs

    def run(self, stage: StageRef) -> None:
        """Run one environment's release task.

        Args:
            stage: the environment.

        Raises:
            CommandError: it failed; its log is the task's.
        """
        title = f"the release task of {stage.key}"
        log = self._logs / f"release-{stage.stage_name}.log"

        def say(line: str) -> None:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

        def show(line: str) -> None:
            if SUMMARY not in line:  # it is for the pipeline, and long
                say(line)

        session = self._runner(stage)
        values = read_parameters(session("ssm"), stage.stage_name, PLACE_PARAMETERS, published_by=RELEASING)
        task = TaskRun(
            session("ecs"),
            session("logs"),
            task_place(values),
            title="release task",
            started_by="lz-release",
            say=say,
            show=show,
            poll_seconds=_POLL_SECONDS,
        )
        try:
            task.start()
            code = task.follow(deadline_seconds=_DEADLINE_SECONDS)
        except TaskError as error:
            say(str(error))
            raise CommandError(title, 1, log) from error
        if code != 0:
            raise CommandError(title, code, log)

    def _runner(self, stage: StageRef) -> Any:
        """Take the step's role in tooling, as CodeBuild has it, and with it the runner's role in the account."""
        names, tooling = Names(self._configuration), self._configuration.accounts.tooling
        step = names.role_arn(tooling, names.release_step_role(stage.key))
        credentials = self._emulator.service_session(step, _BUILD_SERVICE)
        sts = self._emulator.client("sts", tooling, credentials=credentials)
        runner = names.role_arn(stage.account_id, names.release_runner_role(stage.key))
        given = sts.assume_role(RoleArn=runner, RoleSessionName="lz-release")["Credentials"]
        return lambda service: self._emulator.client(service, stage.account_id, credentials=given)
