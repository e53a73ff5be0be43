"""The world's DNS in a rehearsal, asked by the preflight itself."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from operations.dns_preflight import Answer, ask
from rehearsal.door.names import Names
from rehearsal.door.resolver import Registrar, Resolver
from tests.rehearsal.test_door_names import DELEGATION, PARENT, Records, Zones

DOMAIN = "acme.example"
ENTERED = ("ns-p",)


def preflight(folder: Path, name: str, entered: Sequence[str], parent: Records = ()) -> Answer:
    """Ask over UDP."""
    zones: Any = Zones(parent, [], private=False)
    names = Names(zones, domain=DOMAIN, parent_account=PARENT, parent_zone=None)
    registrar = Registrar(folder)
    if entered:
        registrar.enter(DOMAIN, entered)

    async def run() -> Answer:
        resolver = Resolver(names, registrar, DOMAIN)
        port = await resolver.serve()
        (answer,) = await asyncio.to_thread(ask, name, [f"127.0.0.1:{port}"], timeout_seconds=5)
        resolver.close()
        return answer

    return asyncio.run(run())


def test_a_domain_that_nobody_entered_at_its_registrar_does_not_exist(tmp_path: Path) -> None:
    answer = preflight(tmp_path, DOMAIN, ())

    assert answer.reached
    assert "NXDOMAIN" in answer.problem


def test_entered_name_servers_are_answered(tmp_path: Path) -> None:
    assert preflight(tmp_path, DOMAIN, ENTERED).name_servers == set(ENTERED)


@pytest.mark.parametrize("entered", [("ns-x",), ("ns-p", "ns-x")])
def test_name_servers_that_do_not_know_the_zone_fail(tmp_path: Path, entered: tuple[str, ...]) -> None:
    assert "SERVFAIL" in preflight(tmp_path, DOMAIN, entered).problem


def test_a_delegated_zone_answers_with_its_own_servers(tmp_path: Path) -> None:
    answer = preflight(tmp_path, f"shop.{DOMAIN}", ENTERED, [DELEGATION])

    assert answer.name_servers == {"ns-c"}


def test_a_name_that_is_no_zone_has_no_name_servers(tmp_path: Path) -> None:
    assert "no name servers" in preflight(tmp_path, f"www.{DOMAIN}", ENTERED).problem


def test_names_of_the_internet_are_refused(tmp_path: Path) -> None:
    assert preflight(tmp_path, "example.com", ENTERED).name_servers == frozenset()
