"""Asks the world whether the parent domain is delegated to the zone that was made for it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.resolver

from config.naming import NAME_SERVERS_OUTPUT
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

SYSTEM = "system"
# Cloudflare, Google and Quad9, and whatever this machine uses.
RESOLVERS = ("1.1.1.1", "8.8.8.8", "9.9.9.9", SYSTEM)


@dataclass(frozen=True)
class Answer:
    """What one resolver says.

    Args:
        resolver: its address.
        name_servers: name servers of the domain, in lower case and without the last dot.
        problem: why it gives none, such as `NXDOMAIN`.
        reached: whether it answered at all.
    """

    resolver: str
    name_servers: frozenset[str] = frozenset()
    problem: str = ""
    reached: bool = True


def zone_name_servers(cloudformation: "CloudFormationClient", stack_name: str) -> frozenset[str]:
    """Read the name servers of the parent zone from its stack's output.

    Args:
        cloudformation: client of the shared services account.
        stack_name: the stack.

    Raises:
        CommandError: the stack has no such output.
    """
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    for output in stack.get("Outputs", []):
        if output.get("OutputKey") == NAME_SERVERS_OUTPUT:
            return frozenset(map(_normal, output.get("OutputValue", "").split(",")))
    message = f"the stack {stack_name} has no output {NAME_SERVERS_OUTPUT}"
    raise CommandError(message, fix="deploy shared services first; the pipeline does", exit_code=1)


def ask(domain: str, resolvers: Sequence[str], *, timeout_seconds: float) -> tuple[Answer, ...]:
    """Ask each resolver for the domain's name servers, all at once.

    Args:
        domain: the domain.
        resolvers: addresses, with a port if it is not 53 (`127.0.0.1:5353`), or `system`.
        timeout_seconds: how long to wait for each.

    Raises:
        CommandError: an address is none.
    """
    with ThreadPoolExecutor(max_workers=len(resolvers)) as pool:
        return tuple(pool.map(lambda resolver: _ask(domain, resolver, timeout_seconds), resolvers))


def agree(answers: Sequence[Answer], expected: frozenset[str]) -> bool:
    """Tell whether everybody who answered names exactly the zone's name servers.

    Raises:
        CommandError: nobody answered.
    """
    reached = [answer for answer in answers if answer.reached]
    if not reached:
        message = f"no resolver answered: {', '.join(answer.resolver for answer in answers)}"
        fix = (
            "allow DNS (UDP and TCP port 53) out of here, or name a resolver that can be reached: --resolver"
        )
        raise CommandError(message, fix=fix, exit_code=1)
    return all(answer.name_servers == expected for answer in reached)


def _ask(domain: str, address: str, timeout_seconds: float) -> Answer:
    try:
        found = _resolver(address).resolve(f"{domain}.", "NS", lifetime=timeout_seconds)
    except (dns.resolver.LifetimeTimeout, OSError) as error:
        return Answer(address, problem=f"no answer ({type(error).__name__})", reached=False)
    except dns.resolver.NXDOMAIN:
        return Answer(address, problem="the name does not exist (NXDOMAIN)")
    except dns.resolver.NoAnswer:
        return Answer(address, problem="the name has no name servers")
    except dns.resolver.NoNameservers:
        # As while the registrar names servers that do not know the zone.
        return Answer(address, problem="the name cannot be resolved (SERVFAIL)")
    except dns.exception.DNSException as error:
        return Answer(address, problem=str(error), reached=False)
    return Answer(address, name_servers=frozenset(_normal(record.to_text()) for record in found))


def _resolver(address: str) -> dns.resolver.Resolver:
    if address == SYSTEM:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    host, port = address, "53"
    if address.count(":") == 1 or address.startswith("["):  # an IPv6 address with a port stands in brackets
        host, _, port = address.rpartition(":")
    try:
        resolver.nameservers = [host.strip("[]")]
        resolver.port = int(port)
    except ValueError:
        message = f'"{address}" is not the address of a resolver'
        raise CommandError(message, fix="give an IP address, such as 1.1.1.1 or 127.0.0.1:5353") from None
    return resolver


def _normal(name: str) -> str:
    return name.strip().lower().removesuffix(".")
