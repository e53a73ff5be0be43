"""The way in, link by link: what holds in production leads to the page, and what would break there breaks here."""

import http.client
import socket
import threading
import time
from pathlib import Path

import pytest

from rehearsal.door import Door, DoorError, DoorState
from rehearsal.door.sites import broken_ways, sites, visit
from rehearsal.engine.network import Network
from tests.rehearsal.conftest import SHARED, STAGING, Cloud
from tests.rehearsal.site_template import DOMAIN, HOST, STATIC
from tests.rehearsal.sites import Answer, Site, Target, ask, eventually


def test_a_page_is_reached_by_its_name(state: DoorState, targets: list[Target]) -> None:
    answer = ask(state, f"https://{HOST}/page?q=1")

    assert answer.seen["path"] == "/page?q=1"
    assert answer.seen["headers"]["Host"] == HOST
    assert visit(state, f"https://{HOST}/").status == 200


def test_targets_take_turns(state: DoorState, targets: list[Target]) -> None:

    seen = {ask(state, f"https://{HOST}/").seen["target"] for _ in range(4)}

    assert seen == {target.address for target in targets}


def test_a_target_sees_the_load_balancers_headers(state: DoorState, targets: list[Target]) -> None:
    sent = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http", "X_Invalid": "1", "X-Kept": "1"}

    seen = ask(state, f"https://{HOST}/", headers=sent).seen["headers"]

    assert seen["X-Forwarded-For"] == "203.0.113.7, 127.0.0.1"
    assert seen["X-Forwarded-Proto"] == "https"
    assert seen["X-Forwarded-Port"] == "443"
    assert seen["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert seen["X-Kept"] == "1"
    assert "X_Invalid".lower() not in {name.lower() for name in seen}


def test_a_large_body_arrives_whole(state: DoorState, targets: list[Target]) -> None:

    answer = ask(state, f"https://{HOST}/", method="POST", data=bytes(5_000_000))

    assert answer.body == b"5000000"


def test_plain_http_is_redirected_with_path_and_query(state: DoorState) -> None:
    answer = ask(state, f"http://{HOST}/a/b?c=d")

    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}:443/a/b?c=d")


def test_without_targets_the_load_balancer_is_unavailable(state: DoorState) -> None:
    answer = ask(state, f"https://{HOST}/")

    assert (answer.status, answer.step) == (503, "target group")
    assert "none is registered" in answer.reason
    assert b"503 Service Temporarily Unavailable" in answer.body
    assert answer.headers["Server"] == "awselb/2.0"


def test_a_target_that_refuses_the_connection_costs_nothing_while_another_serves(
    state: DoorState, targets: list[Target]
) -> None:
    targets[0].stop()

    answers = [ask(state, f"https://{HOST}/") for _ in range(6)]

    assert {answer.status for answer in answers} == {200}
    assert {answer.seen["target"] for answer in answers} == {targets[1].address}


def test_targets_that_all_refuse_the_connection_are_a_bad_gateway(
    state: DoorState, site: Site, addresses: Network
) -> None:
    gone = [Target(addresses.address(f"gone {number}")) for number in (1, 2)]
    site.register(*gone)
    for target in gone:
        target.stop()

    answer = eventually(lambda: ask(state, f"https://{HOST}/"), lambda found: found.status != 503)

    site.deregister(*gone)
    assert (answer.status, answer.step) == (502, "target")
    assert all(target.address in answer.reason for target in gone)


def test_a_target_that_breaks_off_is_a_bad_gateway(state: DoorState, targets: list[Target]) -> None:
    answer = ask(state, f"https://{HOST}/broken")

    assert (answer.status, answer.step) == (502, "target")
    assert "ended the connection before it answered" in answer.reason


def test_a_target_that_is_silent_for_the_idle_timeout_is_a_gateway_timeout(
    state: DoorState, targets: list[Target]
) -> None:
    began = time.monotonic()

    answer = ask(state, f"https://{HOST}/silent")

    assert (answer.status, answer.step) == (504, "target")
    assert 1.9 < time.monotonic() - began < 6
    assert "silent for 2 s" in answer.reason


def test_the_door_tells_every_link_of_the_chain(state: DoorState, site: Site) -> None:
    first, static = sites(state)

    assert [first.url, static.url] == [f"https://{HOST}/", f"https://{STATIC}/"]
    assert f"zone {DOMAIN}" in first.chain[0]
    assert f"NS {HOST} leads to zone {HOST} ({site.zone_id} in account {STAGING})" in first.chain[1]
    assert first.chain[-1].endswith(site.outputs["Balancer"])
    assert "distribution" in static.chain[-1]
    assert list(broken_ways(state)) == []


def test_a_rule_decides_by_path(state: DoorState, site: Site, targets: list[Target]) -> None:
    elbv2 = site.cloud.client("elbv2")
    fixed = {"StatusCode": "410", "ContentType": "text/plain", "MessageBody": "gone"}
    rule = elbv2.create_rule(
        ListenerArn=site.outputs["Https"],
        Priority=5,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/old/*"]}}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
    )["Rules"][0]["RuleArn"]
    answer: Answer = eventually(
        lambda: ask(state, f"https://{HOST}/old/page"), lambda found: found.status == 410
    )
    other = ask(state, f"https://{HOST}/new/page")
    elbv2.delete_rule(RuleArn=rule)

    assert (answer.status, answer.body) == (410, b"gone")
    assert other.status == 200


def test_a_connection_is_kept_after_answers_of_the_load_balancer_itself(state: DoorState) -> None:
    port = int(state.proxy.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(3):
        connection.request("GET", f"http://{HOST}/a")
        assert connection.getresponse().read() == b""
    kept = connection.sock
    connection.request("GET", f"http://{HOST}/b")
    assert connection.getresponse().status == 301
    assert connection.sock is kept
    connection.close()


def test_a_connection_whose_request_was_not_read_is_closed_and_says_so(state: DoorState) -> None:
    answer = ask(state, f"http://{HOST}/", method="POST", data=bytes(3_000_000))

    assert (answer.status, answer.headers["Connection"]) == (301, "close")


def test_a_name_outside_of_the_domain_is_not_reached(state: DoorState) -> None:
    answer = ask(state, "http://www.example.org/")

    assert (answer.status, answer.step) == (502, "outside")


def test_the_emulator_itself_is_reached_and_nothing_else_of_this_machine(
    cloud: Cloud, state: DoorState
) -> None:
    assert ask(state, f"{cloud.emulator.endpoint}/_ministack/health").status == 200
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = ask(state, f"https://127.0.0.1:{other.getsockname()[1]}/")
    assert refused.step == "tunnel"


def test_many_requests_at_once_are_all_answered(state: DoorState, targets: list[Target]) -> None:
    statuses: list[int] = []

    def several() -> None:
        statuses.extend(ask(state, f"https://{HOST}/").status for _ in range(3))

    threads = [threading.Thread(target=several) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 180


def test_a_door_is_found_again_and_ends(cloud: Cloud, tmp_path: Path) -> None:
    door = Door(tmp_path / "door")
    opened = door.start(
        cloud.emulator, domain=DOMAIN, parent_account=SHARED, parent_zone=None, sites=[], detached=True
    )
    again = Door(tmp_path / "door")
    assert again.state() == opened
    again.stop()
    door.stop()
    with pytest.raises(DoorError, match="no door was opened"):
        again.state()
    port = int(opened.proxy.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)
