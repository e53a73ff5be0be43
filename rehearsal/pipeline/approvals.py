"""Manual approval: the action waits until somebody answers."""

from rehearsal.pipeline import records
from rehearsal.pipeline.errors import ActionStopped
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.records import new_id
from rehearsal.pipeline.transfer import Transfer


def act(work: Work, _transfer: Transfer) -> None:
    """Wait for an answer; it is noted by whoever gives it.

    Args:
        work: the action.

    Raises:
        ActionStopped: its execution does not go on.
    """
    changed, run = work.pipeline.changed, work.run
    with changed:
        run.token = new_id()
        run.summary = work.run.configuration.get("CustomData", "")
        run.external_url = work.run.configuration.get("ExternalEntityLink", "")
        changed.notify_all()
        changed.wait_for(
            lambda: run.status != records.IN_PROGRESS or work.execution.has_ended or work.is_given_up
        )
        if run.status == records.IN_PROGRESS:
            raise ActionStopped
