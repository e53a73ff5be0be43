"""What a release task says about migrations, and which image a rollback goes to."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.commands.rollback import _tell_what_is_next
from operations.errors import CommandError
from operations.releases.choosing import choose, dangers
from operations.releases.migrations import Concern
from operations.releases.outcome import Listener, explain
from operations.releases.record import AppliedMigration, Nag, ReleaseRecord
from tests import documents

STAGE = documents.configured(documents.sample()).find_stage("production")
A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")
DROP = Concern(rule="ban-drop-column", effect="breaks", text="the version before reads it")


def _heard(*lines: str) -> Listener:
    listener = Listener()
    for line in lines:
        listener.hear(line)
    return listener


def _summary(**changes: Any) -> str:
    summary = {"applied": {"notes": ["0001"]}, "new": ["notes.0001"], "failed": None, **changes}
    return json.dumps({"message": "release: migrations", "release_summary": summary})


def test_the_summary_of_the_task_counts_before_what_django_prints() -> None:
    found = _heard("  Applying other.0009... OK", _summary()).outcome("key", 0)
    assert found.said_by == "summary"
    assert found.applied == {"notes": ("0001",)}
    assert found.new == ("notes.0001",)


def test_a_task_that_says_no_more_than_django_is_understood() -> None:
    lines = ("  Applying notes.0001_initial... OK", '{"message": "Applying notes.0002_more..."}', "Traceback")
    failed = _heard(*lines).outcome("key", 1)
    assert failed.said_by == "django"
    assert failed.new == ("notes.0001_initial",)
    assert failed.failed is not None
    assert failed.failed.migration == "notes.0002_more"
    told = " ".join(explain(failed))
    assert "unless it says atomic = False" in told
    assert "still there: notes.0001_initial" in told
    assert _heard(*lines).outcome("key", 0).new == ("notes.0001_initial", "notes.0002_more")


def test_a_task_that_says_nothing_is_not_taken_for_one_that_did_nothing() -> None:
    found = _heard("bye").outcome("key", 1)
    assert (found.said_by, found.applied, found.failed) == ("nobody", None, None)
    assert "did not say which migrations" in " ".join(explain(found))


def test_a_migration_that_is_not_atomic_is_flagged() -> None:
    failed = {"migration": "notes.0002", "atomic": False, "error": "ProgrammingError: no"}
    assert "NOT atomic" in " ".join(explain(_heard(_summary(failed=failed)).outcome("key", 1)))


@given(st.lists(st.text()))
def test_whatever_a_task_writes_is_no_error(lines: list[str]) -> None:
    assert _heard(*lines, '{"release_summary": 7}', "[]", "{").outcome("key", 0).failed is None


def _record(digest: str, days: int, *new: AppliedMigration, applied: bool = True) -> ReleaseRecord:
    return ReleaseRecord(
        environment=STAGE.key,
        stage=STAGE.stage_name,
        time=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=days),
        execution_id="id",
        commit=None,
        images={STAGE.workload_name: digest},
        revisions={},
        applied={"notes": ("0001",)} if applied else None,
        applied_by="release task",
        new_migrations=new,
        nag=Nag(judged=0, compliant=0, open=0, waived=()),
    )


HISTORY = (_record(C, 3), _record(B, 2), _record(A, 1))


@pytest.mark.parametrize(
    ("running", "wanted", "released", "expected"),
    [
        ([C], None, C, B),  # the release before
        ([B], None, C, A),  # once more, after a rollback
        ([D], None, D, C),  # what was never recorded: to the last good one
        ([C, B], None, C, A),  # between two: to what was before both
        ([C, D], None, D, C),  # ECS took a release's web back, and not its workers
        ([B], C, C, C),  # forward again
        ([C], A[7:19], C, A),
        ([B], D, D, D),  # the image of the release that did not end well
    ],
)
def test_the_image_to_return_to(running: list[str], wanted: str | None, released: str, expected: str) -> None:
    assert choose(STAGE, HISTORY, running, wanted=wanted, released=released).digest == expected


def test_what_ecs_took_back_by_itself_is_not_taken_back_twice() -> None:
    with pytest.raises(CommandError, match="the last good one does already"):
        choose(STAGE, HISTORY, [C], wanted=None, released=D)


def test_nothing_before_and_unknown_digests_are_told() -> None:
    with pytest.raises(CommandError, match="no recorded release before"):
        choose(STAGE, HISTORY, [A], wanted=None, released=A)
    for wanted in ("sha256:12345678", "aaaa", "zzz"):
        with pytest.raises(CommandError, match="not the digest of a recorded image"):
            choose(STAGE, HISTORY, [C], wanted=wanted, released=C)


@pytest.mark.parametrize(
    ("migration", "unsafe"),
    [
        (AppliedMigration(app="notes", name="0002", judged=True, concerns=(DROP,)), True),
        (AppliedMigration(app="notes", name="0002", judged=False), True),
        (AppliedMigration(app="notes", name="0002", judged=True), False),
    ],
)
def test_a_migration_that_came_since_may_stand_against_it(migration: AppliedMigration, unsafe: bool) -> None:  # noqa: FBT001
    history = (_record(C, 3, migration), _record(B, 2), _record(A, 1))
    back = choose(STAGE, history, [C], wanted=None, released=C)
    assert bool(dangers(back, [], recorded_last=history[0])) is unsafe
    forward = choose(STAGE, history, [B], wanted=C, released=C)
    assert dangers(forward, [], recorded_last=history[0]) == ()


def test_what_is_not_known_is_a_danger() -> None:
    choice = choose(STAGE, HISTORY, [C], wanted=None, released=C)
    assert "never judged" in dangers(choice, ["notes.0009"], recorded_last=HISTORY[0])[0]
    unknown = (_record(C, 3, applied=False), *HISTORY[1:])
    choice = choose(STAGE, unknown, [C], wanted=None, released=C)
    assert "is not known" in dangers(choice, [], recorded_last=unknown[0])[0]
    stranger = choose(STAGE, HISTORY, [C], wanted=D, released=C)
    assert "never recorded here" in dangers(stranger, [], recorded_last=HISTORY[0])[0]


@pytest.mark.parametrize(
    ("running", "wanted", "released", "told"),
    [
        ([B], C, C, "the one that was recorded last: CloudFormation knows it"),
        # Its release did not end well, so CloudFormation may have taken the stacks back.
        (
            [C],
            D,
            D,
            "its release was not recorded: where CloudFormation took a stack back, it knows the image before",
        ),
        # Recorded once, and released again after others.
        ([C], A, A, "its release was not recorded"),
        ([C], B, C, "CloudFormation does not know of this."),
    ],
)
def test_what_cloudformation_knows_is_said_as_far_as_it_is_known(
    running: list[str], wanted: str, released: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    choice = choose(STAGE, HISTORY, running, wanted=wanted, released=released)
    _tell_what_is_next(STAGE, (), choice, released=released, again=str)
    assert told in " ".join(capsys.readouterr().out.split())
