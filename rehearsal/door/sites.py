"""A visit through the door, as any client would make it."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rehearsal.door.controller import DoorState
from rehearsal.door.faults import STEP_HEADER

_TIMEOUT_SECONDS = 90.0  # a request may wait for a database that wakes up
# Where the way ends and the workload begins: what fails there says nothing about names, listeners and certificates.
WORKLOAD_STEPS = ("target group", "target", "object")


@dataclass(frozen=True)
class Site:
    """How a site is reached.

    Args:
        url: its address.
        chain: the links on the way.
        step: the link that does not hold; empty if all do.
        problem: what is wrong with it.
    """

    url: str
    chain: tuple[str, ...] = ()
    step: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Visit:
    """What a client gets.

    Args:
        url: the address.
        status: HTTP status; 0 if there was no connection.
        problem: why there was none, as the client tells it.
        step: the link of the chain that does not hold; empty if all do.
    """

    url: str
    status: int
    problem: str = ""
    step: str = ""


def sites(state: DoorState) -> list[Site]:
    """Ask the door by which chain it reaches its sites.

    Args:
        state: the open door.
    """
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{state.proxy}/", timeout=_TIMEOUT_SECONDS) as answer:
        found = json.load(answer)["sites"]
    return [
        Site(entry["url"], tuple(entry.get("chain", ())), entry.get("step", ""), entry.get("problem", ""))
        for entry in found
    ]


def opener(state: DoorState, *handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """A client of Python's own that uses the door and checks certificates.

    Args:
        state: the open door.
        handlers: more handlers, such as one that does not follow redirects.
    """
    context = ssl.create_default_context(cafile=state.ca_file)
    proxies = {"http": state.proxy, "https": state.proxy}
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=context), *handlers
    )


def visit(state: DoorState, url: str) -> Visit:
    """Make one request.

    Args:
        state: the open door.
        url: the address.
    """
    header = STEP_HEADER.decode()
    try:
        with opener(state).open(url, timeout=_TIMEOUT_SECONDS) as answer:
            return Visit(url, answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return Visit(url, error.code, str(error), error.headers.get(header) or "")
    except OSError as error:
        return Visit(url, 0, str(error), "connection")


def broken_ways(state: DoorState) -> Iterator[str]:
    """Say what is wrong on the way to each site, up to the workload itself.

    Args:
        state: the open door.
    """
    found: Sequence[Site] = sites(state)
    for site in found:
        if site.problem:
            yield f"{site.url}: {site.step}: {site.problem}"
            continue
        tried = visit(state, site.url)
        if tried.step and tried.step not in WORKLOAD_STEPS:
            yield f"{site.url}: {tried.step}: {tried.problem}"
