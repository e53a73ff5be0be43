"""Every use of MiniStack's IAM and STS internals (see `internals.py`)."""

import hashlib
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulator.internals import account, internal, region, scope
from rehearsal.emulator.internals_threads import on_loop


def access_key(headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """The access key id that signed a request; empty if it was not signed."""
    return str(internal("ministack.core.router", "extract_access_key_id")(headers, query) or "")


def session_credentials(key: str) -> dict[str, str] | None:
    """The STS session behind an access key id, as the `Credentials` of AssumeRole; None for any other key."""
    session = internal("ministack.services.sts", "_sessions").get(key)
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
    internal("ministack.services.sts", "register_session")(
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
    found: Mapping[str, Any] | None = internal("ministack.services.iam", "_roles").get_scoped(
        account_id, None, name
    )
    return found


def user(account_id: str, name: str) -> Mapping[str, Any] | None:
    """An account's IAM user by name (without its path); None if there is none."""
    found: Mapping[str, Any] | None = internal("ministack.services.iam", "_users").get_scoped(
        account_id, None, name
    )
    return found


def caller_arn() -> str:
    """Who signed the request in progress."""
    return str(internal("ministack.core.iam_evaluator", "caller_arn")())


def policy_allows(service: str, resource_arn: str, action: str) -> bool:
    """Whether a resource's own policy lets the caller of another account in.

    Args:
        service: the resource's service.
        resource_arn: the resource.
        action: what the caller wants to do.
    """
    found = internal("ministack.core.iam_evaluator", "_resource_policy")(service, resource_arn)
    context = internal("ministack.core.iam_evaluator", "EvalContext")(
        principal_arn=caller_arn(),
        principal_type="Root",
        principal_account=account(),
        action=action,
        resource_arn=resource_arn,
        region=region(),
    )
    allows = internal("ministack.core.iam_evaluator", "resource_policy_allows")
    return bool(found) and bool(allows(found[0], context, same_account=False))


def may(key: str, action: str, resource_arn: str, context: Mapping[str, str]) -> bool:
    """Whether the caller of the request in progress may do something more than it asked for.

    Args:
        key: its access key id.
        action: the IAM action.
        resource_arn: the resource.
        context: condition keys and their values.
    """
    enforce = internal("ministack.core.iam_evaluator", "enforce")

    def judge() -> bool:
        denied = enforce(
            key, action, "iam", region(), resource_arn=resource_arn, service_context=dict(context)
        )
        return denied is None

    # A step of the pipeline asks from a thread of its own, and somebody may write a policy of that role meanwhile.
    return on_loop(judge)


def find_policies_at_home(services: tuple[str, ...]) -> None:
    """Let IAM read a resource's policy in the account and region of its ARN, not in the caller's.

    Args:
        services: services whose ARNs name both.
    """
    module = importlib.import_module("ministack.core.iam_evaluator")
    original = internal("ministack.core.iam_evaluator", "_resource_policy")

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
    names = ("extract_resource_arn", "verified_access_resource_arns")
    first, more = (internal("ministack.core.iam_actions", name) for name in names)

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
    original = internal("ministack.core.iam_evaluator", "_resolve_condition_key")
    module._resolve_condition_key = wrap(original)  # type: ignore[attr-defined]


def resource_policy_allows(
    policy: str, *, action: str, resource: str, service: str | None, context: Mapping[str, str]
) -> bool:
    """Whether a resource's policy lets an AWS service, or anybody, do something.

    Args:
        policy: the policy; empty if there is none.
        action: such as s3:GetObject.
        resource: ARN of what it is done to.
        service: the calling service, such as cloudfront.amazonaws.com; None for anybody.
        context: condition key -> value, beside those that every request has.
    """
    request = internal("ministack.core.iam_evaluator", "EvalContext")(
        principal_arn="anonymous",
        principal_type="Anonymous",
        principal_account="",
        action=action,
        resource_arn=resource,
        region="",
        secure_transport=True,
        service_context={key.lower(): value for key, value in context.items()},
    )
    judge = internal("ministack.core.iam_evaluator", "evaluate_resource_policy")
    return bool(judge(policy or None, request, service).decision == "Allow")


def s3_action(method: str, path: str, query: Mapping[str, Any]) -> str:
    """The IAM action of a request to S3."""
    named = internal("ministack.core.iam_actions", "_s3_action")(method, path, query)
    return f"s3:{named or ('GetObject' if method in ('GET', 'HEAD') else 'PutObject')}"


def s3_condition_keys(action: str, query: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The condition keys of a request to S3 that are in its query, such as s3:prefix."""
    found = internal("ministack.core.iam_actions", "s3_service_context")(action, query, path, {})
    return {key.lower(): value for key, value in found.items()}


def decide(
    policy: str, *, action: str, resource: str, account_id: str, keys: Mapping[str, Any] | None = None
) -> str:
    """What a resource's policy says to the caller of the request in progress: Allow, Deny or something else.

    Args:
        policy: the policy.
        action: the IAM action.
        resource: ARN of what it is done to.
        account_id: the caller's account.
        keys: condition key, in lower case -> value, beside those that every request has.
    """
    context = internal("ministack.core.iam_evaluator", "EvalContext")(
        principal_arn=caller_arn(),
        principal_type="AssumedRole",
        principal_account=account_id,
        action=action,
        resource_arn=resource,
        region=region(),
        secure_transport=True,
        service_context=dict(keys or {}),
    )
    judge = internal("ministack.core.iam_evaluator", "evaluate_resource_policy")
    return str(judge(policy, context).decision)


def services_are_not_accounts() -> None:
    """Keep an account's root from passing for the AWS service that a policy names, as MiniStack lets it."""
    module = importlib.import_module("ministack.core.iam_evaluator")
    matches = internal("ministack.core.iam_evaluator", "_principal_matches")

    def without_services(principal: Any, caller: str) -> bool:
        if isinstance(principal, dict):
            principal = {kind: names for kind, names in principal.items() if kind != "Service"}
        return bool(matches(principal, caller))

    module._principal_matches = without_services  # type: ignore[attr-defined]
