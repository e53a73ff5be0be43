"""Rules and headers of load balancer and CDN, without a server."""

from typing import Any

import pytest

from rehearsal.door.balancer_headers import to_target
from rehearsal.door.distribution_headers import apply_policy
from rehearsal.door.faults import ChainError
from rehearsal.door.messages import Request, forwardable, nothing
from rehearsal.door.rules import first_match, matches, redirect_location


def request(
    target: str = "/", *, method: str = "GET", port: int = 443, scheme: str = "https", **headers: str
) -> Request:
    given = {"host": "staging.acme.example", **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    return Request(method, target, pairs, nothing(), scheme, port, "198.51.100.7")


def condition(field: str, key: str, *values: Any, **more: Any) -> dict[str, Any]:
    return {"Field": field, key: {"Values": list(values), **more}}


HOST = "host-header", "HostHeaderConfig"
PATH = "path-pattern", "PathPatternConfig"
METHOD = "http-request-method", "HttpRequestMethodConfig"
QUERY = "query-string", "QueryStringConfig"
SOURCE = "source-ip", "SourceIpConfig"
HEADER = "http-header", "HttpHeaderConfig"


@pytest.mark.parametrize(
    ("given", "asked", "expected"),
    [
        (condition(*HOST, "*.acme.example"), request(), True),
        (condition(*HOST, "STAGING.acme.example"), request(), True),
        (condition(*HOST, "staging.acme.example"), request(host="staging.acme.example:443"), True),
        (condition(*HOST, "www.acme.example", "acme.example"), request(), False),
        (condition(*PATH, "/admin/*"), request("/admin/login/?next=/"), True),
        (condition(*PATH, "/admin/*"), request("/Admin/login/"), False),
        (condition(*PATH, "/note?"), request("/notes"), True),
        (condition(*PATH, "/[ab]"), request("/a"), False),
        (condition(*PATH, "/x", "/[ab]"), request("/[ab]"), True),
        ({"Field": "path-pattern", "Values": ["/old"]}, request("/old"), True),
        (condition(*METHOD, "GET", "HEAD"), request(), True),
        (condition(*METHOD, "POST"), request(), False),
        (condition(*QUERY, {"Key": "version", "Value": "2*"}), request("/?a=1&Version=2.1"), True),
        (condition(*QUERY, {"Value": "beta"}), request("/?x=beta"), True),
        (condition(*QUERY, {"Key": "version", "Value": "2"}), request("/?version=3"), False),
        (condition(*SOURCE, "198.51.100.0/24"), request(), True),
        (condition(*SOURCE, "203.0.113.0/24"), request(), False),
        (condition(*HEADER, "*mobile*", HttpHeaderName="User-Agent"), request(user_agent="A Mobile B"), True),
        (condition(*HEADER, "x", HttpHeaderName="X-Test"), request(), False),
    ],
)
def test_a_condition_is_met_or_not(given: dict[str, Any], asked: Request, expected: bool) -> None:  # noqa: FBT001
    assert matches(given, asked) is expected


def test_an_unknown_condition_is_named() -> None:
    with pytest.raises(ChainError, match="does not know the condition moon-phase"):
        matches({"Field": "moon-phase"}, request())


def test_the_rule_of_the_lowest_number_wins_and_the_default_is_last() -> None:
    rules: list[dict[str, Any]] = [
        {"Priority": "default", "IsDefault": True, "Conditions": [], "Name": "default"},
        {"Priority": "20", "Conditions": [condition(*PATH, "/a*")], "Name": "later"},
        {"Priority": "3", "Conditions": [condition(*PATH, "/ab"), condition(*METHOD, "GET")], "Name": "both"},
    ]

    def name(asked: Request) -> str:
        found = first_match(rules, asked)
        assert found is not None
        return str(found["Name"])

    assert name(request("/ab")) == "both"
    assert name(request("/ab", method="POST")) == "later"
    assert name(request("/b")) == "default"
    assert first_match(rules[1:], request("/b")) is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://staging.acme.example:443/a/b?c=d"),
        ({"Host": "www.#{host}", "Query": ""}, "http://www.staging.acme.example:80/a/b"),
        (
            {"Path": "/new/#{path}", "Query": "was=#{path}&#{query}"},
            "http://staging.acme.example:80/new/a/b?was=a/b&c=d",
        ),
    ],
)
def test_a_redirect_fills_in_what_was_asked(config: dict[str, str], expected: str) -> None:
    assert redirect_location(config, request("/a/b?c=d", port=80, scheme="http")) == expected


def sent(attributes: dict[str, str], asked: Request) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in to_target(attributes, asked)}


def test_the_load_balancers_attributes_decide_over_headers() -> None:
    asked = request(x_forwarded_for="203.0.113.1", x_amzn_trace_id="Root=1-1-a")

    assert sent({}, asked)["x-forwarded-for"] == "203.0.113.1, 198.51.100.7"
    assert (
        sent({"routing.http.xff_header_processing.mode": "preserve"}, asked)["x-forwarded-for"]
        == "203.0.113.1"
    )
    assert "x-forwarded-for" not in sent({"routing.http.xff_header_processing.mode": "remove"}, asked)
    trace = sent({}, asked)["x-amzn-trace-id"]
    assert trace.startswith("Self=1-")
    assert trace.endswith(";Root=1-1-a")


def test_the_host_gets_a_port_that_is_not_the_usual_one_unless_it_is_preserved() -> None:
    asked = request(port=8443)

    assert sent({}, asked)["host"] == "staging.acme.example:8443"
    assert sent({}, request())["host"] == "staging.acme.example"
    preserved = {"routing.http.preserve_host_header.enabled": "true"}
    assert sent(preserved, asked)["host"] == "staging.acme.example"


def test_headers_of_a_connection_stay_on_it() -> None:
    headers = [(b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"Keep-Alive", b"1"), (b"Accept", b"*/*")]

    assert forwardable(headers) == [(b"Accept", b"*/*")]


POLICY: dict[str, Any] = {
    "CorsConfig": {
        "AccessControlAllowCredentials": False,
        "AccessControlAllowHeaders": {"Items": ["*"]},
        "AccessControlAllowMethods": {"Items": ["GET", "HEAD"]},
        "AccessControlAllowOrigins": {"Items": ["https://*.acme.example"]},
        "AccessControlExposeHeaders": {"Items": ["ETag"]},
        "AccessControlMaxAgeSec": 60,
        "OriginOverride": True,
    },
    "SecurityHeadersConfig": {
        "StrictTransportSecurity": {"Override": True, "AccessControlMaxAgeSec": 9, "IncludeSubdomains": True},
        "ContentTypeOptions": {"Override": True},
        "FrameOptions": {"Override": False, "FrameOption": "DENY"},
    },
    "CustomHeadersConfig": {"Items": [{"Header": "X-Own", "Value": "1", "Override": False}]},
    "RemoveHeadersConfig": {"Items": [{"Header": "server"}]},
}


def answered(asked: Request, *headers: tuple[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in apply_policy(POLICY, asked, list(headers))}


def test_a_policy_sets_replaces_and_removes_headers() -> None:
    found = answered(
        request(), (b"Server", b"AmazonS3"), (b"X-Frame-Options", b"SAMEORIGIN"), (b"X-Own", b"origin")
    )

    assert found == {
        "X-Frame-Options": "SAMEORIGIN",
        "X-Own": "origin",
        "Strict-Transport-Security": "max-age=9; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
    }


def test_a_preflight_learns_methods_headers_and_how_long_it_holds() -> None:
    asked = request(method="OPTIONS", origin="https://app.acme.example", access_control_request_method="GET")
    found = answered(asked)

    assert found["Access-Control-Allow-Origin"] == "https://app.acme.example"
    assert found["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert found["Access-Control-Allow-Headers"] == "*"
    assert found["Access-Control-Expose-Headers"] == "ETag"
    assert found["Access-Control-Max-Age"] == "60"


def test_an_origin_that_is_not_on_the_list_learns_nothing() -> None:
    found = answered(request(origin="https://acme.example.evil.example"))

    assert not any(name.startswith("Access-Control") for name in found)
