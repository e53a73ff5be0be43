"""Listener rules of an Application Load Balancer: which one matches a request, and its redirects."""

import fnmatch
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from rehearsal.door.faults import ChainError
from rehearsal.door.messages import Request

Rule = Mapping[str, Any]


def host_of(request: Request) -> str:
    """Return the host that a request names, in lower case and without a port."""
    return re.sub(r":\d+$", "", request.header(b"host")).lower()


def first_match(rules: Sequence[Rule], request: Request) -> Rule | None:
    """Return the rule that a request falls under: by priority, the default one last.

    Args:
        rules: the listener's rules, as the API describes them.
        request: the request.
    """

    def priority(rule: Rule) -> float:
        return float("inf") if rule.get("IsDefault") else float(rule["Priority"])

    for rule in sorted(rules, key=priority):
        if all(matches(condition, request) for condition in rule.get("Conditions", [])):
            return rule
    return None


def matches(condition: Mapping[str, Any], request: Request) -> bool:
    """Tell whether a request meets one condition; its values are alternatives."""
    field = condition["Field"]
    if field == "query-string":
        wanted = condition.get("QueryStringConfig", {}).get("Values", [])
        return any(_query_matches(value, request.query) for value in wanted)
    if field == "source-ip":
        address = ipaddress.ip_address(request.client)
        networks = condition.get("SourceIpConfig", {}).get("Values", [])
        return any(address in ipaddress.ip_network(network) for network in networks)
    key, actual = _actual(condition, request)
    values = condition.get(key, {}).get("Values") or condition.get("Values") or []
    if field == "http-request-method":
        return actual in values
    if field == "path-pattern":
        return any(_is_like(actual, value) for value in values)
    return any(_is_like(actual.lower(), value.lower()) for value in values)


def _actual(condition: Mapping[str, Any], request: Request) -> tuple[str, str]:
    """Where a condition keeps its values, and what the request has there."""
    match condition["Field"]:
        case "host-header":
            return "HostHeaderConfig", host_of(request)
        case "path-pattern":
            return "PathPatternConfig", request.path
        case "http-request-method":
            return "HttpRequestMethodConfig", request.method
        case "http-header":
            name = str(condition["HttpHeaderConfig"]["HttpHeaderName"])
            return "HttpHeaderConfig", request.header(name.encode())
        case field:
            raise ChainError("rule", f"the rehearsal does not know the condition {field}", status=500)


def redirect_location(config: Mapping[str, str], request: Request) -> str:
    """Return where a redirect action sends a request.

    Args:
        config: the action's RedirectConfig.
        request: the request.
    """
    known = {
        "protocol": request.scheme,
        "host": host_of(request),
        "port": str(request.port),
        "path": request.path.removeprefix("/"),
        "query": request.query,
    }

    def fill(text: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda found: known.get(found[1], found[0]), text)

    protocol = fill(config.get("Protocol", "#{protocol}")).lower()
    host = fill(config.get("Host", "#{host}"))
    port = fill(config.get("Port", "#{port}"))
    path = fill(config.get("Path", "/#{path}"))
    query = fill(config.get("Query", "#{query}"))
    # A load balancer always writes the port, 443 too.
    return f"{protocol}://{host}:{port}{path}" + (f"?{query}" if query else "")


def _query_matches(wanted: Mapping[str, str], query: str) -> bool:
    for key, value in parse_qsl(query, keep_blank_values=True):
        if "Key" in wanted and not _is_like(key.lower(), wanted["Key"].lower()):
            continue
        if _is_like(unquote(value).lower(), wanted["Value"].lower()):
            return True
    return False


def _is_like(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern with * and ?; brackets are ordinary characters."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))
