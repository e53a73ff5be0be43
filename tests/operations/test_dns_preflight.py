import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

import boto3
import dns.message
import dns.rcode
import dns.rrset
import pytest

from config import load
from operations import cli
from operations.commands import dns_preflight as command_module
from operations.dns_preflight import Answer, agree, ask, zone_name_servers
from operations.errors import CommandError
from tests import documents
from tests.operations.support import scripted

DOMAIN = "acme.example"
ZONE = frozenset({"ns-1.awsdns.example", "ns-2.awsdns.example"})

Reply = Callable[[dns.message.Message], dns.message.Message]


def answering(*name_servers: str) -> Reply:
    def reply(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        if name_servers:
            answer.answer.append(dns.rrset.from_text(f"{DOMAIN}.", 300, "IN", "NS", *name_servers))
        return answer

    return reply


def refusing(code: dns.rcode.Rcode) -> Reply:
    def reply(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.set_rcode(code)
        return answer

    return reply


@contextmanager
def resolver(reply: Reply) -> Iterator[str]:
    """Run a resolver that gives one reply to everybody, and yield its address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        address = server.getsockname()

        def serve() -> None:
            while True:
                data, client = server.recvfrom(4096)
                if not data:
                    return
                server.sendto(reply(dns.message.from_wire(data)).to_wire(), client)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{address[1]}"
        finally:
            server.sendto(b"", address)
            thread.join()


def asked(reply: Reply) -> Answer:
    with resolver(reply) as address:
        return ask(DOMAIN, [address], timeout_seconds=5)[0]


def test_name_servers_are_compared_without_case_order_and_last_dot() -> None:
    answer = asked(answering("NS-2.AWSDNS.example.", "ns-1.awsdns.example."))
    assert answer.name_servers == ZONE
    assert agree([answer], ZONE)


@pytest.mark.parametrize(
    "reply",
    [
        answering("ns.parking.example."),
        answering("ns-1.awsdns.example."),
        answering("ns-1.awsdns.example.", "ns-2.awsdns.example.", "ns.parking.example."),
        answering(),
        refusing(dns.rcode.NXDOMAIN),
        refusing(dns.rcode.SERVFAIL),
    ],
)
def test_one_name_server_too_many_or_too_few_is_no_agreement(reply: Reply) -> None:
    assert not agree([asked(reply)], ZONE)


def test_why_a_resolver_gives_no_name_servers_is_told() -> None:
    assert "NXDOMAIN" in asked(refusing(dns.rcode.NXDOMAIN)).problem
    assert "SERVFAIL" in asked(refusing(dns.rcode.SERVFAIL)).problem


def test_everybody_who_answers_must_agree() -> None:
    with (
        resolver(answering(*(f"{name}." for name in ZONE))) as fresh,
        resolver(answering("old.example.")) as stale,
    ):
        answers = ask(DOMAIN, [fresh, stale], timeout_seconds=5)
    assert [answer.resolver for answer in answers] == [fresh, stale]
    assert not agree(answers, ZONE)


def test_a_resolver_that_cannot_be_reached_does_not_count() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with resolver(answering(*(f"{name}." for name in ZONE))) as working:
            answers = ask(DOMAIN, [address, working], timeout_seconds=0.5)
    assert [answer.reached for answer in answers] == [False, True]
    assert agree(answers, ZONE)


def test_fails_if_nobody_can_be_reached() -> None:
    with pytest.raises(CommandError, match="no resolver answered") as caught:
        agree([Answer("192.0.2.1", reached=False)], ZONE)
    assert "port 53" in str(caught.value)


@pytest.mark.parametrize("address", ["dns.example", "1.1.1.1:domain", "", "::1:53x"])
def test_fails_on_what_is_no_address(address: str) -> None:
    with pytest.raises(CommandError, match="not the address of a resolver"):
        ask(DOMAIN, [address], timeout_seconds=1)


def test_the_name_servers_are_read_from_the_stacks_output() -> None:
    output = {"OutputKey": "ParentNameServers", "OutputValue": "ns-1.awsdns.example,NS-2.awsdns.example."}
    stack = {"StackName": "SharedServices-Dns", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE"}
    client = scripted(
        "cloudformation",
        (
            "describe_stacks",
            {"StackName": "SharedServices-Dns"},
            {"Stacks": [{**stack, "Outputs": [output]}]},
        ),
        ("describe_stacks", None, {"Stacks": [stack]}),
    )
    assert zone_name_servers(client, "SharedServices-Dns") == ZONE
    with pytest.raises(CommandError, match="has no output ParentNameServers"):
        zone_name_servers(client, "SharedServices-Dns")


def run(monkeypatch: pytest.MonkeyPatch, reply: Reply, *more: str) -> int:
    """Run the command against a resolver, as if shared services had been asked."""
    session = boto3.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(command_module, "assumed_session", lambda *_, **__: session)
    monkeypatch.setattr(command_module, "zone_name_servers", lambda *_: ZONE)
    with resolver(reply) as address:
        return cli.main(["dns-preflight", "--config", str(documents.SAMPLE), "--resolver", address, *more])


def lines_of(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines()]


def test_the_command_passes_once_the_world_agrees(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, answering(*(f"{name}." for name in ZONE))) == 0
    assert "acme.example is delegated to its zone" in lines_of(capsys.readouterr().out)


def test_the_command_says_what_to_enter_at_the_registrar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, answering("ns.parking.example.")) == 1
    told = capsys.readouterr().out
    assert "At its registrar, replace its name servers by these:" in " ".join(told.split())
    assert [line for line in lines_of(told) if line.endswith("awsdns.example.")] == [
        f"{name}." for name in sorted(ZONE)
    ]
    assert "TTL" in told


def test_with_a_zone_that_was_there_before_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configuration = load()
    there = configuration.model_copy(
        update={"dns": configuration.dns.model_copy(update={"parent": "Z0123456789"})}
    )
    monkeypatch.setattr(command_module, "load", lambda _: there)
    assert cli.main(["dns-preflight", "--config", str(documents.SAMPLE)]) == 0
    assert "nothing to check" in capsys.readouterr().out
