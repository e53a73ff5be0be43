"""What `./lz pipeline status` tells a person to do next."""

import pytest

from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import FAILED, IN_PROGRESS, ActionView, PipelineView, StageView
from tests import documents

BREAKER = "stack x ended as UPDATE_ROLLBACK_COMPLETE: Service: ECS Deployment Circuit Breaker was triggered."


def _hints(stage: str, *actions: ActionView, rehearsed: bool = False) -> tuple[str, ...]:
    access = PipelineAccess(None, "line", documents.configured(documents.sample()), rehearsed=rehearsed)
    shown = StageView(stage, FAILED, "id", 0, actions)
    return access.hints(PipelineView("line", 1, "id", FAILED, "", (shown,)))


@pytest.mark.parametrize(
    ("stage", "action"),
    [(documents.STAGING, "Web.Deploy"), ("StagingWave1", f"{documents.STAGING}.Web.Deploy")],
)
def test_a_service_that_failed_is_looked_at_in_its_environment(stage: str, action: str) -> None:
    failed = ActionView(action, "Deploy", 1, status=FAILED, error=BREAKER)
    other = ActionView("Workers.Deploy", "Deploy", 1, status=FAILED, error="no bucket of that name")
    assert _hints(stage, failed, other) == ("why its tasks stopped: ./lz status --env my-django-app/staging",)


def test_an_approval_that_waits_is_shown_and_answered_where_it_is() -> None:
    waits = ActionView(f"Approve-{documents.PRODUCTION}", "Approval", 1, status=IN_PROGRESS, token="t")
    assert _hints(documents.PRODUCTION, waits, rehearsed=True) == (
        "what changes: ./lz packet --env my-django-app/production --waiting --rehearsal",
        "let it go on: ./lz approve my-django-app/production --rehearsal",
        "stop it: ./lz reject my-django-app/production --reason TEXT --rehearsal",
    )
