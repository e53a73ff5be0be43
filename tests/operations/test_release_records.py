"""Release records and migrations.json: written, read again, and refused when they are something else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.naming import current_record_key, record_key, record_prefix
from operations.errors import CommandError
from operations.releases.migrations import Concern, Migration, Migrations, Operation, read_migrations
from operations.releases.record import AppliedMigration, Nag, ReleaseRecord, Waived, read_record

DROP = Concern(rule="drop-column", effect="breaks", text="the version before still reads the column")
LOCK = Concern(rule="index", effect="locks", text="writes wait until the index is there")
OWN_CODE = Concern(rule="run-python", effect="unknown", text="code of the project's own")


def _migration(name: str, *concerns: Concern, replaces: tuple[str, ...] = ()) -> Migration:
    operation = Operation(kind="AddField", description="Add field", concerns=concerns)
    return Migration(app="notes", name=name, operations=(operation,), replaces=replaces)


def _record(**changes: object) -> ReleaseRecord:
    found = ReleaseRecord(
        environment="my-django-app/staging",
        stage="MyDjangoAppStaging",
        time=datetime(2026, 11, 1, 12, 30, 5, tzinfo=UTC),
        execution_id="0f1e2d3c",
        commit="abc",
        images={"my-django-app": f"sha256:{'1' * 64}"},
        revisions={"my-django-app": None},
        applied={"notes": ("0001_initial",)},
        applied_by="release task",
        new_migrations=(AppliedMigration(app="notes", name="0001_initial", judged=True, concerns=(LOCK,)),),
        nag=Nag(
            judged=2,
            compliant=1,
            open=0,
            waived=(Waived(report="r", rule="AwsSolutions-S1", resource="a/b", reason="because"),),
        ),
    )
    return found.model_copy(update=changes)


@pytest.mark.parametrize(
    ("concerns", "verdict"),
    [((), "expand"), ((DROP,), "contract"), ((LOCK,), "contract"), ((OWN_CODE,), "unknown")],
)
def test_a_migration_has_the_verdict_of_its_worst_operation(
    concerns: tuple[Concern, ...], verdict: str
) -> None:
    assert _migration("0002", *concerns).verdict == verdict
    if verdict != "contract":
        assert _migration("0002", *concerns, DROP).verdict == "contract"


@pytest.mark.parametrize(
    ("concerns", "judged", "safe"),
    [
        ((), True, True),
        ((LOCK,), True, True),
        ((DROP,), True, False),
        ((OWN_CODE,), True, False),
        ((), False, False),
    ],
)
def test_a_lock_is_over_when_the_release_is_and_the_rest_stays(
    concerns: tuple[Concern, ...],
    judged: bool,  # noqa: FBT001 -- a parameter of the test
    safe: bool,  # noqa: FBT001
) -> None:
    applied = AppliedMigration(app="notes", name="0002", judged=judged, concerns=concerns)
    assert applied.lets_the_version_before_run is safe


def test_what_a_database_lacks_is_pending_and_what_was_squashed_is_not() -> None:
    squashed = _migration("0001_squashed", replaces=("notes.0001", "notes.0002"))
    migrations = Migrations(
        workload="app", digest="sha256:1", inspected=True, migrations=(squashed, _migration("0003"))
    )
    assert [each.name for each in migrations.pending({})] == ["0001_squashed", "0003"]
    assert [each.name for each in migrations.pending({"notes": ["0001"]})] == ["0001_squashed", "0003"]
    assert [each.name for each in migrations.pending({"notes": ["0001", "0002"]})] == ["0003"]
    assert not migrations.pending({"notes": ["0001_squashed", "0003"], "other": ["0001"]})


def test_migrations_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "migrations.json"
    written = Migrations(
        workload="app", digest="sha256:1", inspected=True, django="5.2", migrations=(_migration("1", DROP),)
    )
    file.write_text(written.model_dump_json(), encoding="utf-8")
    assert read_migrations(file) == written


def test_a_missing_or_foreign_migrations_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is missing"):
        read_migrations(tmp_path / "migrations.json")
    (tmp_path / "migrations.json").write_text('{"version": 1}', encoding="utf-8")
    with pytest.raises(CommandError, match=r"is not what \./lz image writes"):
        read_migrations(tmp_path / "migrations.json")


def test_a_record_is_read_as_it_was_written() -> None:
    for record in (_record(), _record(applied=None, applied_by="unknown", commit=None)):
        assert read_record(record.to_json(), "s3://b/k") == record


def test_something_else_is_no_record() -> None:
    with pytest.raises(CommandError, match="s3://b/k is no release record"):
        read_record(b'{"version": 2}', "s3://b/k")


@given(st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), min_size=2))  # noqa: DTZ001 -- hypothesis wants them naive
def test_keys_sort_by_time_and_the_current_one_is_none_of_them(times: list[datetime]) -> None:
    keys = [record_key("Stage", time.replace(microsecond=0, tzinfo=UTC), "id") for time in sorted(times)]
    assert keys == sorted(keys)
    assert all(key.startswith(record_prefix("Stage")) for key in [*keys, current_record_key("Stage")])
    assert current_record_key("Stage") not in keys
