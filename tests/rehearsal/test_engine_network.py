"""Addresses of tasks, and the agent that hands out their credentials."""

import json
import random
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from rehearsal.engine.agent import Agent
from rehearsal.engine.network import AGENT_PORT, Network, NetworkError, check_port, claim

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")

ROLE = "arn:aws:iam::333333333333:role/task"


@pytest.fixture
def network() -> Iterator[Network]:
    network = claim()
    yield network
    network.agent.close()


def test_two_rehearsals_have_networks_of_their_own() -> None:
    networks = [claim() for _ in range(5)]
    assert len({one.agent_address for one in networks}) == 5
    for one in networks:
        one.agent.close()


def test_a_network_that_is_taken_is_left_alone(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = [int(part) for part in network.agent_address.split(".")[1:3]]
    dice = iter([*taken, *taken, 77, 77])

    class Loaded:
        def randint(self, _low: int, _high: int) -> int:
            return next(dice)

    monkeypatch.setattr(random, "SystemRandom", Loaded)
    other = claim()

    assert other.agent_address == "127.77.77.1"
    other.agent.close()


def test_containers_of_one_task_share_an_address_and_others_do_not(network: Network) -> None:
    first = network.address("task-1")

    assert network.address("task-1") == first
    assert network.address("task-2") != first
    assert first.rpartition(".")[0] == network.agent_address.rpartition(".")[0]


def test_an_address_is_given_again_as_late_as_possible(network: Network) -> None:
    first = network.address("a")
    network.address("a")
    network.release("a")
    assert network.address("a") == first
    for _ in range(2):
        network.release("a")

    others = [network.address(f"b{number}") for number in range(244)]

    assert first not in others
    assert network.address("last") == first
    with pytest.raises(NetworkError, match="in use"):
        network.address("too many")


def test_elsewhere_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(NetworkError, match="only Linux and WSL"):
        claim()


def test_a_program_that_listens_everywhere_is_told(network: Network) -> None:
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))  # noqa: S104
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(NetworkError, match=f"sport = :{port}"):
            check_port(network.agent_address, port)
    check_port(network.agent_address, port)


@pytest.fixture
def agent(network: Network) -> Iterator[Agent]:
    agent = Agent(
        network.agent,
        credentials=lambda role, session: {
            "AccessKeyId": role.rpartition("/")[2],
            "SecretAccessKey": "s",
            "SessionToken": session,
        },
        trusts=lambda role, service: (role, service) == (ROLE, "codebuild.amazonaws.com"),
        metadata=lambda path: (200, json.dumps({"path": path}).encode()),
    )
    yield agent
    agent.close()


def get(uri: str, token: str = "") -> Any:
    request = urllib.request.Request(uri, headers={"Authorization": token} if token else {})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy this machine has
    with direct.open(request) as answer:
        return json.load(answer)


def refused(uri: str, token: str = "") -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(uri, token)
    caught.value.close()
    return caught.value.code


def test_a_task_gets_its_role_s_credentials_with_its_own_token(agent: Agent) -> None:
    one, other = agent.grant(ROLE, "task-1"), agent.grant(ROLE, "task-2")

    given = get(one.uri, one.token)

    assert (given["RoleArn"], given["AccessKeyId"], given["Token"]) == (ROLE, "task", "task-1")
    assert given["Expiration"].endswith("Z")
    assert refused(one.uri) == 403
    assert refused(one.uri, other.token) == 403
    agent.revoke(one)
    assert refused(one.uri, one.token) == 404
    assert refused(f"{agent.endpoint}/elsewhere", one.token) == 404


def test_a_service_gets_a_role_that_trusts_it_with_the_rehearsal_s_token(agent: Agent) -> None:
    uri = f"{agent.endpoint}/service/codebuild.amazonaws.com/{quote(ROLE)}"

    assert get(uri, agent.service_token)["Token"] == "codebuild"
    assert refused(uri, "guess") == 403
    assert refused(uri.replace("codebuild", "lambda"), agent.service_token) == 403
    assert refused(uri, agent.grant(ROLE, "task-1").token) == 403


def test_metadata_is_passed_on(agent: Agent) -> None:
    assert get(f"{agent.endpoint}/v4/token/task") == {"path": "/v4/token/task"}


def test_the_agent_is_where_the_first_address_is(agent: Agent, network: Network) -> None:
    assert agent.endpoint == f"http://{network.agent_address}:{AGENT_PORT}"
