"""Names resolved from the parent zone on, and certificates chosen by name."""

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.door.certificates import Certificate, choose, issued
from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import Moment
from rehearsal.door.names import Names, Resolved

PARENT, CHILD = "222222222222", "333333333333"
BALANCER = "site-1.eu-west-1.elb.amazonaws.com"
Records = Sequence[Mapping[str, Any]]


class Zones:
    """Route 53 of two accounts, as look-ups answer it."""

    def __init__(self, parent: Records, child: Records, *, private: bool = False) -> None:
        self.emulator = SimpleNamespace(accounts=(PARENT, CHILD))
        self._zones = {
            PARENT: ("acme.example.", "ns-p.", parent),
            CHILD: ("shop.acme.example.", "ns-c.", child),
        }
        self._private = private

    async def call(self, service: str, account: str, operation: str, **_: Any) -> Any:
        name, server, records = self._zones[account]
        config = {"PrivateZone": self._private and account == CHILD}
        return {
            "list_hosted_zones": {
                "HostedZones": [{"Id": "/hostedzone/Z" + account[0], "Name": name, "Config": config}]
            },
            "get_hosted_zone": {"DelegationSet": {"NameServers": [server]}},
            "list_resource_record_sets": {"ResourceRecordSets": records},
        }[operation]


def alias(name: str, target: str, kind: str = "A") -> dict[str, Any]:
    return {"Name": name, "Type": kind, "AliasTarget": {"DNSName": target}}


def plain(name: str, kind: str, *values: str) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "ResourceRecords": [{"Value": value} for value in values]}


DELEGATION = plain("shop.acme.example.", "NS", "ns-c.")


def resolve(name: str, parent: Records, child: Records = (), **options: Any) -> Resolved:
    zones: Any = Zones(parent, child, private=options.pop("private", False))
    names = Names(zones, domain="acme.example", parent_account=PARENT, parent_zone=options.get("zone"))
    return asyncio.run(names.resolve(name))


def test_a_record_of_the_parent_zone_itself_is_found() -> None:
    assert (
        resolve("WWW.acme.example.", [alias("www.acme.example.", f"dualstack.{BALANCER}.")]).target
        == BALANCER
    )


def test_a_cname_and_an_alias_lead_on() -> None:
    child = [
        plain("shop.acme.example.", "CNAME", "real.shop.acme.example"),
        alias("real.shop.acme.example.", "other.shop.acme.example."),
        alias("other.shop.acme.example.", BALANCER, "AAAA"),
    ]
    found = resolve("shop.acme.example", [DELEGATION], child)

    assert found.target == BALANCER
    assert len(found.chain) == 3 * 2 + 3


def test_a_wildcard_answers_for_names_without_any_record() -> None:
    child = [alias("\\052.shop.acme.example.", BALANCER), plain("mail.shop.acme.example.", "MX", "1 mail")]

    assert resolve("a.b.shop.acme.example", [DELEGATION], child).target == BALANCER
    with pytest.raises(ChainError, match="only MX"):
        resolve("mail.shop.acme.example", [DELEGATION], child)


def test_aliases_in_a_circle_end() -> None:
    child = [
        alias("shop.acme.example.", "b.shop.acme.example."),
        alias("b.shop.acme.example.", "shop.acme.example."),
    ]
    with pytest.raises(ChainError, match="more than 8 aliases"):
        resolve("shop.acme.example", [DELEGATION], child)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (plain("shop.acme.example.", "A", "192.0.2.1"), "nothing in the rehearsal answers there"),
        (plain("shop.acme.example.", "CNAME", "shop.example.org"), "leads to shop.example.org"),
    ],
)
def test_a_way_out_of_the_rehearsal_is_told(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(ChainError, match=reason) as caught:
        resolve("shop.acme.example", [DELEGATION], [record])
    assert caught.value.step == "outside"


def test_a_private_zone_is_not_the_worlds() -> None:
    with pytest.raises(ChainError, match="SERVFAIL"):
        resolve("shop.acme.example", [DELEGATION], [alias("shop.acme.example.", BALANCER)], private=True)


def test_the_parent_zone_may_be_given_by_its_id() -> None:
    record = [alias("acme.example.", BALANCER)]

    assert resolve("acme.example", record, zone="Z2").target == BALANCER
    with pytest.raises(ChainError, match="has no public zone Z9") as caught:
        resolve("acme.example", record, zone="Z9")
    assert caught.value.step == "parent zone"


ONE, STAR = (
    Certificate("one", ("shop.acme.example",)),
    Certificate("star", ("*.acme.example", "acme.example")),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop.acme.example", (ONE, True)),
        ("Other.acme.example", (STAR, True)),
        ("acme.example", (STAR, True)),
        ("a.b.acme.example", (ONE, False)),
        (None, (ONE, False)),
    ],
)
def test_a_certificate_is_chosen_by_name(name: str | None, expected: tuple[Certificate, bool]) -> None:
    assert choose([ONE, STAR], name) == expected


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"Status": "PENDING_VALIDATION"}, "which is PENDING_VALIDATION"),
        (
            {"Status": "ISSUED", "NotAfter": datetime.datetime(2020, 2, 1, tzinfo=datetime.UTC)},
            "expired on 01 February",
        ),
    ],
)
def test_a_certificate_that_cannot_be_shown_is_told(described: dict[str, Any], reason: str) -> None:
    class Acm:
        async def call(self, *_: Any, **__: Any) -> Any:
            return {"Certificate": {"DomainName": "acme.example", **described}}

    look_ups: Any = Acm()
    arn = f"arn:aws:acm:eu-west-1:{CHILD}:certificate/x"
    with pytest.raises(ChainError, match=reason):
        asyncio.run(issued(look_ups, arn, account=CHILD, region="eu-west-1", used_by="listener"))


def test_who_asks_at_the_same_time_gets_one_answer_and_later_a_new_one() -> None:
    calls: list[int] = []

    async def find() -> int:
        calls.append(1)
        await asyncio.sleep(0.01)
        return len(calls)

    async def run() -> tuple[list[int], int, int]:
        moment = Moment(0.1)
        together = await asyncio.gather(*(moment.get("x", find) for _ in range(5)))
        soon = await moment.get("x", find)
        await asyncio.sleep(0.12)
        return together, soon, await moment.get("x", find)

    assert asyncio.run(run()) == ([1] * 5, 1, 2)


def test_a_failure_is_an_answer_too_and_is_forgotten_as_one() -> None:
    async def fail() -> int:
        raise ChainError("record", "gone")

    async def works() -> int:
        return 1

    async def run() -> int:
        moment = Moment(0.05)
        for _ in range(2):
            with pytest.raises(ChainError):
                await moment.get("x", fail)
        await asyncio.sleep(0.06)
        return await moment.get("x", works)

    assert asyncio.run(run()) == 1
