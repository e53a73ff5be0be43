"""`lz dns-preflight`."""

from collections.abc import Sequence
from pathlib import Path

import click

from config import load
from config.naming import Names
from operations.aws import CLIENT, assumed_session
from operations.configuration import config_option
from operations.dns_preflight import RESOLVERS, Answer, agree, ask, zone_name_servers
from operations.output import paragraph, say, table


@click.command()
@click.option(
    "--resolver",
    "resolvers",
    multiple=True,
    metavar="ADDRESS[:PORT]",
    envvar="LZ_DNS_RESOLVERS",
    help="Ask this resolver, or the machine's own as `system`; may be repeated. Several public ones if left out.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for a resolver.",
)
@config_option
def command(*, resolvers: tuple[str, ...], timeout: float, config: Path | None) -> int:
    """Check that the world can resolve the parent domain.

    It compares the name servers of the zone in shared services with those that public resolvers give. If they
    differ it says what to enter at the registrar, and the exit code is 1.
    """
    configuration = load(config)
    domain = configuration.organization.domain
    if configuration.dns.parent != "create":
        say(f"{domain}: the zone {configuration.dns.parent} is there already, nothing to check")
        return 0
    names = Names(configuration)
    session = assumed_session(
        names.role_arn(configuration.accounts.shared_services, names.dns_reader_role),
        region=configuration.organization.region,
        purpose="lz-dns-preflight",
    )
    expected = zone_name_servers(session.client("cloudformation", config=CLIENT), names.dns_stack)
    answers = ask(domain, resolvers or RESOLVERS, timeout_seconds=timeout)
    table(("resolver", f"name servers of {domain}"), [(one.resolver, _describe(one)) for one in answers])
    if agree(answers, expected):
        say(f"{domain} is delegated to its zone")
        return 0
    _instruct(domain, sorted(expected))
    return 1


def _describe(answer: Answer) -> str:
    return answer.problem or ", ".join(sorted(answer.name_servers))


def _instruct(domain: str, name_servers: Sequence[str]) -> None:
    say("")
    paragraph(
        f"{domain} is not delegated to its zone yet. At its registrar, replace its name servers by these:"
    )
    say("")
    for name_server in name_servers:
        say(f"    {name_server}.")
    say("")
    paragraph(
        f"If {domain} lies below a zone of yours, add an NS record for {domain} with these values there instead, "
        "with a TTL of 300 seconds until all works. The change is seen after minutes at best, and after the old "
        "record's TTL at the latest (two days for most registrars). Then: ./lz pipeline retry"
    )
