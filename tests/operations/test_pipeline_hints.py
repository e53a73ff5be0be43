"""What `./lz pipeline status` tells a person to do next."""

from pathlib import Path
from typing import Any

import pytest

from operations.errors import CommandError
from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import FAILED, IN_PROGRESS, SUCCEEDED, ActionView, PipelineView, StageView
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
        "if the cause is gone: ./lz pipeline retry --profile tooling; if it is in the code, correct it and push",
    ), "not the profile of the pipeline's account"
    assert _hints(stage, failed, other, rehearsed=True) == (
        f"why its tasks stopped: ./lz {of_this} --rehearsal",
        "if the cause is gone: ./lz pipeline retry --rehearsal; if it is in the code, correct it and push",
    )


def test_what_a_retry_does_not_mend_is_no_reason_to_retry() -> None:
    refused = ActionView(
        f"RefusePlaceholder-{documents.STAGING}", "Build", 1, status=FAILED, error="no image"
    )
    assert _hints(documents.STAGING, refused) == ()


def test_who_was_refused_may_ask_again() -> None:
    rejected = ActionView(f"Approve-{documents.PRODUCTION}", "Approval", 1, status=FAILED, error="Rejected")
    assert _hints(documents.PRODUCTION, rejected, rehearsed=True) == (
        "to be asked again: ./lz pipeline retry --rehearsal; or push something better",
    )


def _failed(*names: str) -> PipelineView:
    shown = tuple(StageView(name, FAILED, "id", 0, ()) for name in names)
    return PipelineView("line", 1, "id", FAILED, "", (StageView("Source", SUCCEEDED, "id", 0, ()), *shown))


def test_the_stage_to_retry_is_the_one_that_failed() -> None:
    access = PipelineAccess(None, "line", documents.configured(documents.sample()))
    assert access.failed_stage(_failed("Build"), None).name == "Build"
    assert access.failed_stage(_failed("Build", "Assets"), "Assets").name == "Assets"
    for found, name, message in (
        (_failed(), None, "no stage has failed"),
        (_failed("Build", "Assets"), None, "several stages have failed: Build, Assets"),
        (_failed("Build"), "Source", "no stage Source has failed\n    fix: these have: Build"),
    ):
        with pytest.raises(CommandError, match=message):
            access.failed_stage(found, name)


def test_a_stage_that_is_retried_is_asked_about_if_it_deploys_production() -> None:
    document = documents.changed({"pipeline.wave_size": 4}, documents.with_twenty_environments())
    access = PipelineAccess(None, "line", documents.configured(document))
    # The CDK cuts a wave of many actions into several stages.
    for name, count in (("ProductionWave1.2", 4), ("ProductionWave1", 4), ("App4Staging", 1), ("Build", 0)):
        found = access.environments(StageView(name, FAILED, "id", 0, ()))
        assert len(found) == count
        assert all(one.is_production == name.startswith("Production") for one in found)


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
