"""What `./lz pipeline status` tells a person to do next."""

from pathlib import Path
from typing import Any

import pytest

from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import FAILED, IN_PROGRESS, ActionView, PipelineView, StageView
from tests import documents

BREAKER = "stack x ended as UPDATE_ROLLBACK_COMPLETE: Service: ECS Deployment Circuit Breaker was triggered."


def _hints(stage: str, *actions: ActionView, **given: Any) -> tuple[str, ...]:
    access = PipelineAccess(None, "line", documents.configured(documents.sample()), **given)
    shown = StageView(stage, FAILED, "id", 0, actions)
    return access.hints(PipelineView("line", 1, "id", FAILED, "", (shown,)))


@pytest.mark.parametrize(
    ("stage", "action"),
    [(documents.STAGING, "Web.Deploy"), ("StagingWave1", f"{documents.STAGING}.Web.Deploy")],
)
def test_a_service_that_failed_is_looked_at_in_its_environment(stage: str, action: str) -> None:
    failed = ActionView(action, "Deploy", 1, status=FAILED, error=BREAKER)
    other = ActionView("Workers.Deploy", "Deploy", 1, status=FAILED, error="no bucket of that name")
    of_this = "status --env my-django-app/staging"
    assert _hints(stage, failed, other, profile="tooling") == (
        f"why its tasks stopped, with a profile of account 333333333333: ./lz {of_this} --profile PROFILE",
    ), "not the profile of the pipeline's account"
    assert _hints(stage, failed, other, rehearsed=True) == (
        f"why its tasks stopped: ./lz {of_this} --rehearsal",
    )


def test_an_approval_that_waits_is_shown_and_answered_where_it_is() -> None:
    waits = ActionView(f"Approve-{documents.PRODUCTION}", "Approval", 1, status=IN_PROGRESS, token="t")
    assert _hints(documents.PRODUCTION, waits, rehearsed=True) == (
        "what changes: ./lz packet --env my-django-app/production --waiting --rehearsal",
        "let it go on: ./lz approve my-django-app/production --rehearsal",
        "stop it: ./lz reject my-django-app/production --reason TEXT --rehearsal",
    )


def test_what_is_printed_works_with_the_profile_and_the_configuration_that_were_given() -> None:
    waits = ActionView(f"Approve-{documents.PRODUCTION}", "Approval", 1, status=IN_PROGRESS, token="t")
    given = "--profile acme-tooling --config 'our files/accounts.json'"
    assert _hints(
        documents.PRODUCTION, waits, profile="acme-tooling", config=Path("our files/accounts.json")
    ) == (
        f"what changes: ./lz packet --env my-django-app/production --waiting {given}",
        f"let it go on: ./lz approve my-django-app/production {given}",
        f"stop it: ./lz reject my-django-app/production --reason TEXT {given}",
    )
