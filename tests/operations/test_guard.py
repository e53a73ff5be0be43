"""The guard: what a release would lose stops it, unless the configuration names that change."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from config import load_text
from config.assembly import read_assembly
from config.models import Acknowledgement
from operations import cli
from operations.errors import CommandError
from operations.guard import LONGEST, Danger, find_dangers, judge
from operations.releases.templates import (
    StackTemplate,
    Templates,
    deployed_by,
    merged,
    read_templates,
    stack_templates,
)
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.operations.packet.templates import STAGE, resource, stack, template

TODAY = date(2026, 11, 27)
BUCKET = resource("S3::Bucket", {"BucketName": "photos"})
DANGER = Danger("ShopProduction-Media: remove", "it would be gone", "do not")


def _names(before: list[StackTemplate], after: list[StackTemplate]) -> list[str]:
    return [danger.change for danger in find_dangers(before, after)]


def _acknowledged(until: date) -> dict[str, Acknowledgement]:
    return {DANGER.change: Acknowledgement(reason="It was copied yesterday.", until=str(until))}


def test_what_stays_is_no_danger() -> None:
    assert not _names([stack()], [stack()])
    grown = template(Bucket=BUCKET, Role=resource("IAM::Role"))
    assert not _names([stack(template(Bucket=BUCKET))], [stack(grown), stack(name="Queues")])


def test_a_stack_that_is_gone_or_renamed_would_be_left_to_itself() -> None:
    (danger,) = find_dangers([stack(), stack(name="Web")], [stack(name="Web"), stack(name="Pictures")])
    assert danger.change == "ShopProduction-Media: remove"
    assert (
        "If it is ShopProduction-Pictures now: to AWS that is another one, made anew and empty" in danger.what
    )
    assert "account 444444444444, region eu-west-1" in danger.fix


def test_a_stage_that_is_gone_renamed_or_moved_is_one_danger() -> None:
    before = [stack(), stack(name="Web")]
    (danger,) = find_dangers(before, [])
    assert danger.change == "ShopProduction: remove"
    assert "2 deployed stacks in account 444444444444" in danger.what
    (renamed,) = find_dangers(before, [stack(stage="ShopProd"), stack(name="Web", stage="ShopProd")])
    assert "If it is ShopProd now" in renamed.what
    (moved,) = find_dangers(before, [stack(account="5" * 12), stack(name="Web", account="5" * 12)])
    assert moved.change == "ShopProduction: remove"
    assert "If it is in account 555555555555 now" in moved.what


def test_a_resource_with_data_that_leaves_is_a_danger_and_its_fate_is_told() -> None:
    kept = "it stays in the account, and nothing uses it any more"
    fates = {
        "Delete": "it is deleted with what is in it",
        "Snapshot": "it is deleted, a snapshot is kept",
        "Retain": kept,
        "RetainExceptOnCreate": kept,
    }
    clusters = {policy: resource("RDS::DBCluster", DeletionPolicy=policy) for policy in fates}
    found = find_dangers([stack(template(Bucket=BUCKET, **clusters))], [stack(template(Bucket=BUCKET))])
    assert len(found) == len(fates)
    for danger in found:
        policy = danger.change.removeprefix("ShopProduction-Media/").removesuffix(": remove")
        assert fates[policy] in danger.what


def test_a_renamed_construct_is_recognized() -> None:
    (danger,) = find_dangers([stack(template(Bucket=BUCKET))], [stack(template(Photos=BUCKET))])
    assert danger.change == "ShopProduction-Media/Bucket: remove"
    assert "AWS::S3::Bucket ShopProduction/Media/Photos now" in danger.what


def test_a_replaced_bucket_is_a_danger_and_its_cause_is_named() -> None:
    renamed = resource("S3::Bucket", {"BucketName": "pictures"}, UpdateReplacePolicy="Retain")
    (danger,) = find_dangers([stack(template(Bucket=BUCKET))], [stack(template(Bucket=renamed))])
    assert danger.change == "ShopProduction-Media/Bucket: replace"
    assert "is replaced by a new, empty one because BucketName changes" in danger.what
    assert danger.fix.startswith("undo the change of BucketName")


def test_of_a_network_no_data_is_spoken_but_who_relies_on_it() -> None:
    before, after = (
        template(Vpc=resource("EC2::VPC", {"CidrBlock": block})) for block in ("10.1.0.0/20", "10.2.0.0/20")
    )
    (replaced,) = find_dangers([stack(before)], [stack(after)])
    (removed,) = find_dangers([stack(before)], [stack(template(Net=before["Resources"]["Vpc"]))])
    assert {replaced.kind, removed.kind} == {"identity"}
    for danger in (replaced, removed):
        text = f"{danger.what} {danger.fix}"
        assert "tasks of other stacks are in it" in text
        assert "move what relies on it" in text
        assert not [word for word in ("data ", "empty", "what is in it") if word in text]


def test_a_type_that_changes_is_a_replacement() -> None:
    (danger,) = find_dangers(
        [stack(template(Bucket=BUCKET))], [stack(template(Bucket=resource("SQS::Queue")))]
    )
    assert danger.change == "ShopProduction-Media/Bucket: replace"


def test_a_new_task_definition_is_no_danger() -> None:
    before = template(Web=resource("ECS::TaskDefinition", {"Family": "a"}))
    after = template(Web=resource("ECS::TaskDefinition", {"Family": "b"}))
    assert not _names([stack(before)], [stack(after)])


@pytest.mark.parametrize("days", [0, 7, LONGEST.days])
def test_an_acknowledgement_lets_its_change_through_until_its_day(days: int) -> None:
    verdict = judge([DANGER], _acknowledged(TODAY + timedelta(days=days)), today=TODAY)
    assert not verdict.open
    assert not verdict.warnings
    ((danger, entry),) = verdict.let_through
    assert (danger, entry.reason) == (DANGER, "It was copied yesterday.")


@pytest.mark.parametrize(
    ("days", "warning"), [(-1, "which is over"), (LONGEST.days + 1, "more than 31 days ahead")]
)
def test_an_acknowledgement_past_its_day_or_too_far_ahead_does_nothing(days: int, warning: str) -> None:
    verdict = judge([DANGER], _acknowledged(TODAY + timedelta(days=days)), today=TODAY)
    assert verdict.open == (DANGER,)
    assert warning in verdict.warnings[0]


def test_an_acknowledgement_of_something_else_warns_and_lets_nothing_through() -> None:
    other = Danger("ShopProduction-Queues/Queue: remove", "", "")
    verdict = judge([other], _acknowledged(TODAY), today=TODAY)
    assert verdict.open == (other,)
    assert verdict.warnings == (
        "ShopProduction-Media: remove: acknowledged, and nothing of that name changes; remove the entry",
    )


def test_every_danger_has_a_name_that_the_configuration_takes() -> None:
    gone = [stack(), stack(name="Web"), stack(stage="SharedServices", name="Dns"), stack(stage="")]
    found = find_dangers(
        [*gone, stack(template(A=BUCKET, B=BUCKET), name="Kept")],
        [stack(template(A=resource("S3::Bucket", {"BucketName": "other"})), name="Kept")],
    )
    assert len(found) == 6
    until = str(TODAY)
    document = documents.sample()
    document["acknowledged_changes"] = {
        danger.change: {"reason": "We mean it.", "until": until} for danger in found
    }
    acknowledged = load_text(json.dumps(document), "accounts.json").acknowledged_changes
    assert not judge(found, acknowledged, today=TODAY).open


def _release(hour: int, stage: str, *stacks: StackTemplate) -> Templates:
    return Templates(
        time=datetime(2026, 11, 1, hour, tzinfo=UTC), execution_id="1", stage=stage, stacks=stacks
    )


def test_of_shared_stacks_the_newest_release_counts_and_of_each_stage_its_own() -> None:
    old, new = template(Old=BUCKET), template(New=BUCKET)
    shared = [stack(content, stage="SharedServices", name="Dns") for content in (old, new)]
    former = stack(stage="SharedServices", name="Former")
    found = merged(
        [
            _release(2, STAGE, shared[1], stack(new)),
            _release(1, "ShopStaging", former, shared[0], stack(old, stage="ShopStaging")),
        ]
    )
    assert {each.name: each.template for each in found} == {
        "SharedServices-Dns": new,
        "ShopProduction-Media": new,
        "ShopStaging-Media": old,
    }


def test_recorded_templates_are_read_as_they_were_written(organization: Assembly) -> None:
    stacks = read_assembly(organization.directory)
    written = deployed_by(
        stacks, stage_name=documents.STAGING, time=datetime(2026, 11, 1, tzinfo=UTC), execution_id="1"
    )
    assert {each.stage for each in written.stacks} == {"", "SharedServices", documents.STAGING}
    content = written.to_bytes()
    assert read_templates(content, "s3://b/k") == written
    assert len(content) < 100_000
    for broken in (b"", b"{}", content[:100]):
        with pytest.raises(CommandError, match="s3://b/k does not hold the templates of a release"):
            read_templates(broken, "s3://b/k")


def test_the_command_passes_what_is_the_same_and_stops_a_renamed_environment(
    organization: Assembly, synthesize: Synthesize, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = str(organization.directory)
    assert cli.main(["guard", "--baseline", base, "--assembly", base]) == 0
    assert f"{len(organization.stacks)} released stacks compared" in capsys.readouterr().out
    other = str(synthesize(documents.with_third_environment()).directory)
    assert cli.main(["guard", "--baseline", base, "--assembly", other]) == 0, (
        "a new environment loses nothing"
    )
    capsys.readouterr()
    assert cli.main(["guard", "--baseline", other, "--assembly", base]) == 1
    told = capsys.readouterr().out
    assert "MyDjangoAppPreview: remove" in told
    assert '"MyDjangoAppPreview: remove": { "reason": "...", "until": "' in told


def test_the_command_writes_json_with_what_was_acknowledged(
    organization: Assembly, synthesize: Synthesize, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = documents.sample()
    until = str(datetime.now(tz=UTC).date())
    document["acknowledged_changes"] = {
        "MyDjangoAppPreview: remove": {"reason": "It served its purpose.", "until": until}
    }
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    before = str(synthesize(documents.with_third_environment()).directory)
    arguments = ["guard", "--baseline", before, "--assembly", str(organization.directory), "--json"]
    assert cli.main([*arguments, "--config", str(file)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [each["reason"] for each in result["acknowledged"]] == ["It served its purpose."]
    assert not result["open"]


def test_an_assembly_is_no_danger_to_itself(every_organization: Assembly) -> None:
    stacks = stack_templates(read_assembly(every_organization.directory))
    assert not find_dangers(stacks, stacks)
