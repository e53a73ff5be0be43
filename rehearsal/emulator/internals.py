"""Every use of MiniStack's internals, in one place.

MiniStack is pinned (`pyproject.toml`); what is named here is not its public interface. `missing()` says what a new
version has moved, and a test fails with that list before anything else does.
"""

import asyncio
import contextlib
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
    "ministack.core.iam_actions": (
        "SERVICE_TO_IAM_NAMESPACE",
        "_s3_action",
        "s3_service_context",
        "extract_resource_arn",
        "verified_access_resource_arns",
    ),
    "ministack.core.iam_evaluator": (
        "EvalContext",
        "_principal_matches",
        "_resolve_condition_key",
        "_resource_policy",
        "caller_arn",
        "enforce",
        "evaluate_resource_policy",
        "resource_policy_allows",
    ),
    "ministack.core.lambda_runtime": ("_lock", "_workers", "kill_workers"),
    "ministack.core.responses": (
        "AccountRegionScopedDict",
        "AccountScopedDict",
        "get_account_id",
        "get_region",
        "request_scope",
    ),
    "ministack.core.router": ("SERVICE_PATTERNS", "extract_access_key_id"),
    "ministack.services.cloudwatch_logs": ("_log_groups",),
    "ministack.services.codebuild": ("_builds", "_project_shape", "_projects"),
    "ministack.services.ec2": ("_ACTION_MAP", "_route_tables", "_subnets", "_vpcs"),
    "ministack.services.ecs": ("_SecretResolutionError", "_sanitize", "_start_task_worker"),
    "ministack.services.iam": ("_roles", "_users"),
    "ministack.services.lambda_svc": ("_execute_function_with_config_scope",),
    "ministack.services.rds": ("_attach_instance_to_shared_cluster", "_sync_cluster_endpoints"),
    "ministack.services.route53": ("_build_delegation_set_el", "_default_records", "_zones", "_records"),
    "ministack.services.s3": (
        "_bucket_owner_account",
        "_bucket_policies",
        "_foreign_bucket_allows",
        "_policy_is_public",
        "_public_access_blocked",
    ),
    "ministack.services.sts": ("_sessions", "register_session"),
    _CLOUDFORMATION: ("_stacks", "_ACTION_HANDLERS"),
    f"{_CLOUDFORMATION}.custom_resource": ("_pending", "deliver_response"),
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


def internal(module: str, name: str) -> Any:
    """One of the names in `USED`; anything else is a mistake in this package."""
    if name not in USED[module]:
        raise KeyError(f"{module}.{name} is not listed in USED")
    return getattr(importlib.import_module(module), name)


# --- the server ---------------------------------------------------------------------------------------------------


def serve() -> None:
    """Run MiniStack's server on its one port, never on 443, until the process is told to end."""
    app = importlib.import_module("ministack.app")
    # With TLS it would bind 443 too when it may, so that two rehearsals of one root user would differ.
    app._port_is_bindable = lambda *_: False  # type: ignore[attr-defined]
    sys.argv = sys.argv[:1]
    internal("ministack.app", "main")()


def share_session(session: Callable[[], Any]) -> None:
    """Let MiniStack take the models of services from a session that is kept; it makes one for each look.

    Args:
        session: returns it.
    """
    importlib.import_module("botocore.session").get_session = lambda *_, **__: session()  # type: ignore[attr-defined]


def asgi_app() -> Callable[..., Any]:
    """The ASGI callable that answers every request, with authentication and IAM evaluation."""
    application: Callable[..., Any] = internal("ministack.app", "app")
    return application


def main_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that serves requests; None before the server runs."""
    loop: asyncio.AbstractEventLoop | None = internal("ministack.app", "_MAIN_LOOP")
    return loop


def service_handlers() -> MutableMapping[str, Any]:
    """Service name -> its request handler, called after authentication and IAM evaluation."""
    handlers: MutableMapping[str, Any] = internal("ministack.app", "SERVICE_HANDLERS")
    return handlers


def add_service(name: str, target: str, handler: Callable[..., Any]) -> None:
    """Serve a service that MiniStack does not have, with authentication and IAM evaluation.

    Args:
        name: its name, which is also its IAM prefix.
        target: beginning of its X-Amz-Target headers.
        handler: answers its requests.
    """
    internal("ministack.core.router", "SERVICE_PATTERNS")[name] = {"target_prefixes": [target]}
    internal("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE")[name] = name
    service_handlers()[name] = handler


# --- who is asking, and where -------------------------------------------------------------------------------------


def account() -> str:
    """The account of the request or stack that is being worked on."""
    return str(internal("ministack.core.responses", "get_account_id")())


def region() -> str:
    """The region of the request or stack that is being worked on."""
    return str(internal("ministack.core.responses", "get_region")())


@contextlib.contextmanager
def scope(account_id: str, region_name: str) -> Iterator[None]:
    """Work in another account or region for a while."""
    with internal("ministack.core.responses", "request_scope")(account_id, region_name):
        yield


# --- CloudFormation -----------------------------------------------------------------------------------------------


def resource_handlers() -> MutableMapping[str, dict[str, Any]]:
    """CloudFormation type -> its create, update and delete functions."""
    handlers: MutableMapping[str, dict[str, Any]] = internal(
        f"{_CLOUDFORMATION}.provisioners", "_RESOURCE_HANDLERS"
    )
    return handlers


def physical_name(stack: str, logical_id: str, *, length: int, lower: bool = False) -> str:
    """The name that CloudFormation gives a resource whose template does not name it.

    Args:
        stack: name of the stack.
        logical_id: the resource in its template.
        length: longest name that the service accepts, in characters.
        lower: whether it must be lower case.
    """
    make = internal(f"{_CLOUDFORMATION}.provisioners", "_physical_name")
    return str(make(stack, logical_id, max_len=length, lowercase=lower))


def stacks() -> MutableMapping[str, dict[str, Any]]:
    """The stacks of the account and region in scope, by name."""
    found: MutableMapping[str, dict[str, Any]] = internal(_CLOUDFORMATION, "_stacks")
    return found


def stack_actions() -> MutableMapping[str, Callable[[Mapping[str, Any]], Response]]:
    """CloudFormation API action -> its function."""
    actions: MutableMapping[str, Callable[[Mapping[str, Any]], Response]] = internal(
        _CLOUDFORMATION, "_ACTION_HANDLERS"
    )
    return actions


def stack_parameter(parameters: Mapping[str, Any], name: str) -> str:
    """One parameter of a CloudFormation API call; empty if it was not given."""
    return str(internal(f"{_CLOUDFORMATION}.helpers", "_p")(parameters, name))


def stack_error(code: str, message: str) -> Response:
    """An error answer of the CloudFormation API."""
    response: Response = internal(f"{_CLOUDFORMATION}.helpers", "_error")(code, message)
    return response


def run_in_thread(types: frozenset[str]) -> None:
    """Let CloudFormation handle these types in a worker thread, where a handler may wait."""
    stacks_module = importlib.import_module(f"{_CLOUDFORMATION}.stacks")
    original = internal(f"{_CLOUDFORMATION}.stacks", "_runs_on_worker_thread")
    stacks_module._runs_on_worker_thread = lambda rtype: rtype in types or original(rtype)  # type: ignore[attr-defined]


def wrap_resolver(wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace the function that resolves intrinsics, wherever it was imported to."""
    original = internal(f"{_CLOUDFORMATION}.engine", "_resolve_refs")
    replacement = wrap(original)
    for name, module in list(sys.modules.items()):
        if name.startswith(_CLOUDFORMATION) and getattr(module, "_resolve_refs", None) is original:
            module._resolve_refs = replacement  # type: ignore[attr-defined]


def fail_custom_resource(response_url: str, reason: str) -> None:
    """Answer a custom resource's request with a failure, unless it has been answered.

    Args:
        response_url: the ResponseURL of the request; anything else is ignored.
        reason: what the stack's event will say.
    """
    token = response_url.rpartition("/cfn-response/")[2]
    waiting = internal(f"{_CLOUDFORMATION}.custom_resource", "_pending").get(token)
    if waiting is not None and waiting["result"] is None:
        deliver = internal(f"{_CLOUDFORMATION}.custom_resource", "deliver_response")
        deliver(token, {"Status": "FAILED", "Reason": reason})
