"""Every use of MiniStack's internals, in one place.

MiniStack is pinned (`pyproject.toml`); what is named here is not its public interface. `missing()` says what a new
version has moved, and a test fails with that list before anything else does.
"""

import asyncio
import contextlib
import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

Properties = dict[str, Any]
Attributes = dict[str, Any]
Created = tuple[str, Attributes]
Response = tuple[int, dict[str, str], bytes]

_CLOUDFORMATION = "ministack.services.cloudformation"

# Module -> names that this package reads, wraps or replaces there.
USED: Mapping[str, tuple[str, ...]] = {
    "ministack.app": ("app", "main", "SERVICE_HANDLERS", "_MAIN_LOOP", "_port_is_bindable"),
    "ministack.core.iam_actions": ("extract_resource_arn", "verified_access_resource_arns"),
    "ministack.core.iam_evaluator": (
        "EvalContext",
        "_resolve_condition_key",
        "_resource_policy",
        "caller_arn",
        "resource_policy_allows",
    ),
    "ministack.core.responses": ("get_account_id", "get_region", "request_scope"),
    "ministack.core.router": ("extract_access_key_id",),
    "ministack.services.ec2": ("_ACTION_MAP", "_route_tables", "_subnets", "_vpcs"),
    "ministack.services.iam": ("_roles", "_users"),
    "ministack.services.route53": ("_zones", "_records"),
    "ministack.services.sts": ("_sessions", "register_session"),
    _CLOUDFORMATION: ("_stacks", "_ACTION_HANDLERS"),
    f"{_CLOUDFORMATION}.engine": ("_resolve_refs",),
    f"{_CLOUDFORMATION}.helpers": ("_error", "_p"),
    f"{_CLOUDFORMATION}.provisioners": ("_RESOURCE_HANDLERS", "_physical_name"),
    f"{_CLOUDFORMATION}.stacks": ("_runs_on_worker_thread",),
}


def missing() -> list[str]:
    """Names in `USED` that the installed MiniStack does not have."""
    absent = []
    for module, names in USED.items():
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            absent.append(module)
            continue
        absent += [f"{module}.{name}" for name in names if not hasattr(loaded, name)]
    return absent


def _of(module: str, name: str) -> Any:
    """One of the names in `USED`; anything else is a mistake in this package."""
    if name not in USED[module]:
        raise KeyError(f"{module}.{name} is not listed in USED")
    return getattr(importlib.import_module(module), name)


# --- the server ---------------------------------------------------------------------------------------------------


def serve() -> None:
    """Run MiniStack's server on its one port, never on 443, until the process is told to end."""
    app = importlib.import_module("ministack.app")
    # With TLS it would bind 443 too when it may, so that two rehearsals of one root user would differ.
    app._port_is_bindable = lambda *_: False
    sys.argv = sys.argv[:1]
    _of("ministack.app", "main")()


def asgi_app() -> Callable[..., Any]:
    """The ASGI callable that answers every request, with authentication and IAM evaluation."""
    application: Callable[..., Any] = _of("ministack.app", "app")
    return application


def main_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that serves requests; None before the server runs."""
    loop: asyncio.AbstractEventLoop | None = _of("ministack.app", "_MAIN_LOOP")
    return loop


def service_handlers() -> MutableMapping[str, Any]:
    """Service name -> its request handler, called after authentication and IAM evaluation."""
    handlers: MutableMapping[str, Any] = _of("ministack.app", "SERVICE_HANDLERS")
    return handlers


# --- who is asking, and where -------------------------------------------------------------------------------------


def account() -> str:
    """The account of the request or stack that is being worked on."""
    return str(_of("ministack.core.responses", "get_account_id")())


def region() -> str:
    """The region of the request or stack that is being worked on."""
    return str(_of("ministack.core.responses", "get_region")())


@contextlib.contextmanager
def scope(account_id: str, region_name: str) -> Iterator[None]:
    """Work in another account or region for a while."""
    with _of("ministack.core.responses", "request_scope")(account_id, region_name):
        yield


def access_key(headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """The access key id that signed a request; empty if it was not signed."""
    return str(_of("ministack.core.router", "extract_access_key_id")(headers, query) or "")


def session_credentials(key: str) -> dict[str, str] | None:
    """The STS session behind an access key id, as the `Credentials` of AssumeRole; None for any other key."""
    session = _of("ministack.services.sts", "_sessions").get(key)
    if session is None:
        return None
    return {
        "AccessKeyId": key,
        "SecretAccessKey": str(session["SecretAccessKey"]),
        "SessionToken": str(session["SessionToken"]),
    }


def role_session(role_arn: str, session_name: str) -> dict[str, str]:
    """Credentials of a role, as an AWS service gets them from a role that trusts it.

    Args:
        role_arn: the role; the caller has checked that it exists and trusts the service.
        session_name: shows in the ARN of the caller.

    Returns:
        The `Credentials` of an AssumeRole answer. The same role gives the same credentials.
    """
    account_id, role_name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{session_name}:{role_arn}".encode()).hexdigest()
    key = f"ASIA{digest[:16].upper()}"
    secret = hashlib.sha256(f"secret:{digest}".encode()).hexdigest()
    token = hashlib.sha256(f"token:{digest}".encode()).hexdigest()
    _of("ministack.services.sts", "register_session")(
        key,
        {
            "Arn": f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{role_name}:{session_name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token}


def role(account_id: str, name: str) -> Mapping[str, Any] | None:
    """An account's IAM role by name (without its path); None if there is none."""
    found: Mapping[str, Any] | None = _of("ministack.services.iam", "_roles").get_scoped(account_id, None, name)
    return found


def user(account_id: str, name: str) -> Mapping[str, Any] | None:
    """An account's IAM user by name (without its path); None if there is none."""
    found: Mapping[str, Any] | None = _of("ministack.services.iam", "_users").get_scoped(account_id, None, name)
    return found


def caller_arn() -> str:
    """Who signed the request in progress."""
    return str(_of("ministack.core.iam_evaluator", "caller_arn")())


def policy_allows(service: str, resource_arn: str, action: str) -> bool:
    """Whether a resource's own policy lets the caller of another account in.

    Args:
        service: the resource's service.
        resource_arn: the resource.
        action: what the caller wants to do.
    """
    found = _of("ministack.core.iam_evaluator", "_resource_policy")(service, resource_arn)
    context = _of("ministack.core.iam_evaluator", "EvalContext")(
        principal_arn=caller_arn(),
        principal_type="Root",
        principal_account=account(),
        action=action,
        resource_arn=resource_arn,
        region=region(),
    )
    allows = _of("ministack.core.iam_evaluator", "resource_policy_allows")
    return bool(found) and bool(allows(found[0], context, same_account=False))


def find_policies_at_home(services: tuple[str, ...]) -> None:
    """Let IAM read a resource's policy in the account and region of its ARN, not in the caller's.

    Args:
        services: services whose ARNs name both.
    """
    module = importlib.import_module("ministack.core.iam_evaluator")
    original = _of("ministack.core.iam_evaluator", "_resource_policy")

    def look_up(service: str, resource_arn: str) -> Any:
        parts = resource_arn.split(":")
        if service not in services or len(parts) < 5 or not parts[4]:  # noqa: PLR2004 (arn:aws:service:region:account)
            return original(service, resource_arn)
        with scope(parts[4], parts[3]):
            return original(service, resource_arn)

    module._resource_policy = look_up  # type: ignore[attr-defined]


def wrap_resources(find: Callable[[str, bytes, Mapping[str, Any], str, str], list[str]]) -> None:
    """Let IAM judge calls on resources that MiniStack does not see in them.

    Args:
        find: (service, body, parameters, region, account) -> ARNs; none leaves the call to MiniStack. Of EC2 calls all
            of them must be allowed, of others the first.
    """
    module = importlib.import_module("ministack.core.iam_actions")
    first, more = (_of("ministack.core.iam_actions", name) for name in USED["ministack.core.iam_actions"])

    def resource(service: str, *request: Any) -> str:
        # (method, path, headers, body, parameters, region, account)
        found = find(service, *request[3:7])
        return found[0] if found else str(first(service, *request))

    def resources(parameters: Mapping[str, Any], region_name: str, account_id: str) -> list[str]:
        found: list[str] = find("ec2", b"", parameters, region_name, account_id)
        return found or list(more(parameters, region_name, account_id))

    module.extract_resource_arn = resource  # type: ignore[attr-defined]
    module.verified_access_resource_arns = resources  # type: ignore[attr-defined]


def wrap_condition_keys(wrap: Callable[[Callable[[str, Any], Any]], Callable[[str, Any], Any]]) -> None:
    """Replace the function that gives a condition key its value in a request's context."""
    module = importlib.import_module("ministack.core.iam_evaluator")
    original = _of("ministack.core.iam_evaluator", "_resolve_condition_key")
    module._resolve_condition_key = wrap(original)  # type: ignore[attr-defined]


# --- Route 53, across accounts ------------------------------------------------------------------------------------


def zones() -> list[tuple[str, str, str]]:
    """Every public hosted zone of every account: account id, zone id, name with its final dot."""
    stored = _of("ministack.services.route53", "_zones")._data
    return [(key[0], key[-1], str(zone["name"])) for key, zone in list(stored.items()) if not zone.get("private")]


def records(account_id: str, zone_id: str) -> list[Mapping[str, Any]]:
    """The record sets of one zone (Name, Type, ResourceRecords)."""
    stored = _of("ministack.services.route53", "_records")
    return list(stored.get_scoped(account_id, None, zone_id) or [])


# --- CloudFormation -----------------------------------------------------------------------------------------------


def resource_handlers() -> MutableMapping[str, dict[str, Any]]:
    """CloudFormation type -> its create, update and delete functions."""
    handlers: MutableMapping[str, dict[str, Any]] = _of(f"{_CLOUDFORMATION}.provisioners", "_RESOURCE_HANDLERS")
    return handlers


def physical_name(stack: str, logical_id: str, *, length: int, lower: bool = False) -> str:
    """The name that CloudFormation gives a resource whose template does not name it.

    Args:
        stack: name of the stack.
        logical_id: the resource in its template.
        length: longest name that the service accepts, in characters.
        lower: whether it must be lower case.
    """
    make = _of(f"{_CLOUDFORMATION}.provisioners", "_physical_name")
    return str(make(stack, logical_id, max_len=length, lowercase=lower))


def stacks() -> MutableMapping[str, dict[str, Any]]:
    """The stacks of the account and region in scope, by name."""
    found: MutableMapping[str, dict[str, Any]] = _of(_CLOUDFORMATION, "_stacks")
    return found


def stack_actions() -> MutableMapping[str, Callable[[Mapping[str, Any]], Response]]:
    """CloudFormation API action -> its function."""
    actions: MutableMapping[str, Callable[[Mapping[str, Any]], Response]] = _of(_CLOUDFORMATION, "_ACTION_HANDLERS")
    return actions


def stack_parameter(parameters: Mapping[str, Any], name: str) -> str:
    """One parameter of a CloudFormation API call; empty if it was not given."""
    return str(_of(f"{_CLOUDFORMATION}.helpers", "_p")(parameters, name))


def stack_error(code: str, message: str) -> Response:
    """An error answer of the CloudFormation API."""
    response: Response = _of(f"{_CLOUDFORMATION}.helpers", "_error")(code, message)
    return response


def run_in_thread(types: frozenset[str]) -> None:
    """Let CloudFormation handle these types in a worker thread, where a handler may wait."""
    stacks_module = importlib.import_module(f"{_CLOUDFORMATION}.stacks")
    original = _of(f"{_CLOUDFORMATION}.stacks", "_runs_on_worker_thread")
    stacks_module._runs_on_worker_thread = lambda rtype: rtype in types or original(rtype)  # type: ignore[attr-defined]


def wrap_resolver(wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace the function that resolves intrinsics, wherever it was imported to."""
    original = _of(f"{_CLOUDFORMATION}.engine", "_resolve_refs")
    replacement = wrap(original)
    for name, module in list(sys.modules.items()):
        if name.startswith(_CLOUDFORMATION) and getattr(module, "_resolve_refs", None) is original:
            module._resolve_refs = replacement  # type: ignore[attr-defined]


# --- EC2 ----------------------------------------------------------------------------------------------------------


def ec2_actions() -> MutableMapping[str, Callable[[Mapping[str, list[str]]], Response]]:
    """EC2 API action -> its function."""
    actions: MutableMapping[str, Callable[[Mapping[str, list[str]]], Response]] = _of(
        "ministack.services.ec2", "_ACTION_MAP"
    )
    return actions


def ec2_record(store: str, resource_id: str) -> Mapping[str, Any] | None:
    """A record of the EC2 service in the account and region in scope.

    Args:
        store: `_vpcs`, `_subnets` or `_route_tables`.
        resource_id: the resource's id.
    """
    record: Mapping[str, Any] | None = _of("ministack.services.ec2", store).get(resource_id)
    return record
