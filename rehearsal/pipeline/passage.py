"""An execution's way through the stages: it waits for its turn, runs step after step, and stops at what fails."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.pipeline import records
from rehearsal.pipeline.definition import Action, Stage
from rehearsal.pipeline.errors import ActionError, ActionStopped
from rehearsal.pipeline.records import ActionRun, Execution, StageRun

if TYPE_CHECKING:
    from rehearsal.pipeline.pipelines import Pipeline

_LOG = logging.getLogger(__name__)
MOST_SIDE_BY_SIDE = 8  # AWS has no such limit; here they share one machine


@dataclass(frozen=True)
class Work:
    """An action to be done.

    Args:
        pipeline: the pipeline.
        execution: the execution.
        run: the action's run, where the outcome is noted.
    """

    pipeline: "Pipeline"
    execution: Execution
    run: ActionRun

    @property
    def action(self) -> Action:
        """The action's definition."""
        return self.run.action

    @property
    def region(self) -> str:
        """Where the action works."""
        return self.action.region or self.pipeline.region

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.execution.abandoned

    def check(self) -> None:
        """Go on only while somebody waits for it.

        Raises:
            ActionStopped: the execution does not go on, and does not wait.
        """
        if self.is_given_up:
            raise ActionStopped


class Passage:
    """Takes the executions of one pipeline through its stages.

    Args:
        pipeline: the pipeline.
        perform: does an action's work; raises ActionError or ActionStopped.
    """

    def __init__(self, pipeline: "Pipeline", perform: Callable[[Work], None]) -> None:
        self._pipeline = pipeline
        self._perform = perform
        self._queues: dict[str, list[str]] = {}

    def waiting(self, stage: str) -> list[str]:
        """Ids of the executions that wait before a stage."""
        return self._queues.get(stage, [])[1:]

    def begin(self, execution: Execution, stage: str, *, again: str = "") -> None:
        """Take an execution from a stage on; a rollback through that stage alone.

        Args:
            execution: the execution; the caller holds the pipeline's lock.
            stage: the stage.
            again: `all` or `failed`: actions of that stage to run again.
        """
        names = [one.name for one in execution.definition.stages]
        stages = execution.definition.stages[names.index(stage) :]
        if execution.kind == records.ROLLBACK:
            stages = stages[:1]
        self._queues.setdefault(stage, []).append(execution.id)
        threading.Thread(
            target=self._go, args=(execution, stages, again), daemon=True, name=f"pipeline-{execution.id[:8]}"
        ).start()

    def _go(self, execution: Execution, stages: tuple[Stage, ...], again: str) -> None:
        changed = self._pipeline.changed
        for stage in stages:
            if not self._enter(execution, stage.name):
                break
            through = self._through(execution, stage, again)
            status = self._run(execution, stage, through, again)
            again = ""
            with changed:
                through.status = status
                if status == records.FAILED and not execution.is_over:
                    failed = [run for run in through.actions if run.status == records.FAILED]
                    execution.end(records.FAILED, failed[-1].error_message)
                self._queues[stage.name].remove(execution.id)
                changed.notify_all()
                if execution.is_over:
                    break
        with changed:
            if execution.status == records.STOPPING:
                execution.end(records.STOPPED, execution.stop_reason)
            elif execution.status == records.IN_PROGRESS:
                execution.end(records.SUCCEEDED)
            changed.notify_all()

    def _enter(self, execution: Execution, stage: str) -> bool:
        """Wait until a stage is free; whether the execution still goes on."""
        changed = self._pipeline.changed
        with changed:
            queue = self._queues.setdefault(stage, [])
            if execution.id not in queue:
                queue.append(execution.id)
            changed.wait_for(lambda: execution.is_over or queue[0] == execution.id)
            if execution.is_over:
                queue.remove(execution.id)
                changed.notify_all()
                return False
        return True

    def _through(self, execution: Execution, stage: Stage, again: str) -> StageRun:
        with self._pipeline.changed:
            if again:
                return execution.stages[stage.name]
            through = StageRun(stage.name, execution.id, execution.kind)
            execution.stages[stage.name] = through
            self._pipeline.passages.setdefault(stage.name, []).append(through)
            return through

    def _run(self, execution: Execution, stage: Stage, through: StageRun, again: str) -> str:
        """Run a stage's steps; gives its status."""
        for step in stage.steps():
            wanted = [action for action in step if not _is_done(through, action, again)]
            if not wanted:
                continue
            with self._pipeline.changed:
                if execution.is_over:
                    return records.CANCELLED if execution.status == records.CANCELLED else records.STOPPED
                runs = [ActionRun(execution.id, stage.name, action, execution.version) for action in wanted]
                through.actions += runs
                self._pipeline.changed.notify_all()
            with ThreadPoolExecutor(min(len(runs), MOST_SIDE_BY_SIDE)) as pool:
                list(pool.map(lambda run: self._act(execution, run), runs))
            if any(run.status == records.FAILED for run in runs):
                return records.FAILED
            if any(run.status == records.ABANDONED for run in runs):
                return records.CANCELLED if execution.status == records.CANCELLED else records.STOPPED
        return records.SUCCEEDED

    def _act(self, execution: Execution, run: ActionRun) -> None:
        code, message, status = "", "", records.SUCCEEDED
        try:
            self._perform(Work(self._pipeline, execution, run))
        except ActionStopped:
            status = records.ABANDONED
        except ActionError as error:
            status, code, message = records.FAILED, error.code, error.message
        except Exception as error:  # a mistake of ours: the pipeline tells and goes on, the log has the place
            _LOG.exception("%s/%s", run.stage, run.action.name)
            status, code, message = records.FAILED, records.INTERNAL_ERROR, _mistake(error)
        with self._pipeline.changed:
            if run.status == records.IN_PROGRESS:
                run.end(status, summary=run.summary, code=code, message=message)
            if run.status == records.SUCCEEDED:
                execution.artifacts |= run.outputs
                if run.action.namespace:
                    execution.variables[run.action.namespace] = run.variables
                if run.revision is not None:
                    kept = [one for one in execution.revisions if one["name"] != run.revision["name"]]
                    execution.revisions = [*kept, run.revision]
            self._pipeline.changed.notify_all()


def _mistake(error: Exception) -> str:
    """A mistake of ours in one line."""
    said = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {said} (a mistake of the rehearsal; the emulator's log has its place)"


def _is_done(through: StageRun, action: Action, again: str) -> bool:
    """Whether a retry leaves an action out."""
    last = through.latest(action.name)
    return again == "failed" and last is not None and last.status == records.SUCCEEDED
