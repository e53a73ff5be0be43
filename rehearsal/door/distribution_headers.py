"""What a response headers policy of CloudFront does to a response."""

import fnmatch
from collections.abc import Mapping
from typing import Any

from rehearsal.door.messages import Headers, Request


def apply_policy(config: Mapping[str, Any], request: Request, headers: Headers) -> Headers:
    """Return the headers of a response after the policy.

    Args:
        config: the policy's ResponseHeadersPolicyConfig.
        request: the request: CORS answers its Origin.
        headers: the headers so far.
    """
    removed = {
        str(entry["Header"]).lower() for entry in config.get("RemoveHeadersConfig", {}).get("Items", [])
    }
    result = [(name, value) for name, value in headers if name.decode().lower() not in removed]
    if config.get("CorsConfig"):
        override = bool(config["CorsConfig"].get("OriginOverride"))
        for name, value in _cors(config["CorsConfig"], request):
            _set(result, name, value, override=override)
    for name, value, override in _security(config.get("SecurityHeadersConfig", {})):
        _set(result, name, value, override=override)
    for entry in config.get("CustomHeadersConfig", {}).get("Items", []):
        _set(result, str(entry["Header"]), str(entry["Value"]), override=bool(entry["Override"]))
    return result


def _set(headers: Headers, name: str, value: str, *, override: bool) -> None:
    """Set a header; without override, one of the origin stays."""
    there = [index for index, (other, _) in enumerate(headers) if other.decode().lower() == name.lower()]
    if there and not override:
        return
    for index in reversed(there):
        del headers[index]
    headers.append((name.encode(), value.encode("latin-1")))


def _cors(config: Mapping[str, Any], request: Request) -> list[tuple[str, str]]:
    """The CORS headers for a request; none if its origin is not on the list."""
    origin = request.header(b"origin")
    allowed = [str(item) for item in config.get("AccessControlAllowOrigins", {}).get("Items", [])]
    if "*" in allowed:
        headers = [("Access-Control-Allow-Origin", "*")]
    elif origin and any(fnmatch.fnmatchcase(origin.lower(), item.lower()) for item in allowed):
        headers = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
    else:
        return []
    if config.get("AccessControlAllowCredentials"):
        headers.append(("Access-Control-Allow-Credentials", "true"))
    exposed = config.get("AccessControlExposeHeaders", {}).get("Items", [])
    if exposed:
        headers.append(("Access-Control-Expose-Headers", ", ".join(map(str, exposed))))
    if request.method == "OPTIONS" and request.header(b"access-control-request-method"):
        methods = config.get("AccessControlAllowMethods", {}).get("Items", [])
        wanted = config.get("AccessControlAllowHeaders", {}).get("Items", [])
        headers.append(("Access-Control-Allow-Methods", ", ".join(map(str, methods))))
        headers.append(("Access-Control-Allow-Headers", ", ".join(map(str, wanted))))
        if config.get("AccessControlMaxAgeSec"):
            headers.append(("Access-Control-Max-Age", str(config["AccessControlMaxAgeSec"])))
    return headers


def _security(config: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Name, value and override of each security header."""
    found = []
    if transport := config.get("StrictTransportSecurity"):
        value = f"max-age={transport['AccessControlMaxAgeSec']}"
        value += "; includeSubDomains" if transport.get("IncludeSubdomains") else ""
        value += "; preload" if transport.get("Preload") else ""
        found.append(("Strict-Transport-Security", value, bool(transport["Override"])))
    if options := config.get("ContentTypeOptions"):
        found.append(("X-Content-Type-Options", "nosniff", bool(options["Override"])))
    for key, name, member in (
        ("FrameOptions", "X-Frame-Options", "FrameOption"),
        ("ReferrerPolicy", "Referrer-Policy", "ReferrerPolicy"),
        ("ContentSecurityPolicy", "Content-Security-Policy", "ContentSecurityPolicy"),
    ):
        if entry := config.get(key):
            found.append((name, str(entry[member]), bool(entry["Override"])))
    return found
