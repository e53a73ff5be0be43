"""Every use of the internals of MiniStack's other services (see `internals.py`)."""

import importlib
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from rehearsal.emulator import internals_iam
from rehearsal.emulator.internals import USED, Response, account, internal

_S3 = "ministack.services.s3"

# --- Route 53, across accounts ------------------------------------------------------------------------------------


def zones() -> list[tuple[str, str, str]]:
    """Every public hosted zone of every account: account id, zone id, name with its final dot."""
    stored = internal("ministack.services.route53", "_zones")._data
    return [
        (key[0], key[-1], str(zone["name"])) for key, zone in list(stored.items()) if not zone.get("private")
    ]


def records(account_id: str, zone_id: str) -> list[Mapping[str, Any]]:
    """The record sets of one zone (Name, Type, ResourceRecords)."""
    stored = internal("ministack.services.route53", "_records")
    return list(stored.get_scoped(account_id, None, zone_id) or [])


def name_servers(find: Callable[[str, str], list[str]]) -> None:
    """Give each zone name servers of its own; MiniStack gives all the same.

    Args:
        find: (account id, name of the zone with its final dot) -> names of its servers with their final dots.
    """
    module = importlib.import_module("ministack.services.route53")
    describe, first_records = (
        internal("ministack.services.route53", name)
        for name in ("_build_delegation_set_el", "_default_records")
    )

    def described(parent: Any, zone: str) -> None:
        describe(parent, zone)
        servers = parent.find("DelegationSet/NameServers")
        for element, server in zip(servers, find(account(), zone), strict=True):
            element.text = server

    def recorded(zone: str) -> list[dict[str, Any]]:
        servers = find(account(), zone)
        made: list[dict[str, Any]] = first_records(zone)
        for record in made:
            if record["Type"] == "NS":
                record["ResourceRecords"] = list(servers)
            else:
                first = str(record["ResourceRecords"][0]).partition(" ")[2]
                record["ResourceRecords"] = [f"{servers[0]} {first}"]
        return made

    module._build_delegation_set_el = described  # type: ignore[attr-defined]
    module._default_records = recorded  # type: ignore[attr-defined]


# --- ECS ----------------------------------------------------------------------------------------------------------


def wrap_task_start(resolve: Callable[[Any, Any, Any], Any]) -> None:
    """Let something change a task's overrides just before its containers start; the task's record stays as it is.

    Args:
        resolve: (task, task definition, overrides of its containers) -> overrides; its ValueError stops the task.
    """
    module = importlib.import_module("ministack.services.ecs")
    start = internal("ministack.services.ecs", "_start_task_worker")
    failure = internal("ministack.services.ecs", "_SecretResolutionError")

    def started(task: Any, definition: Any, overrides: Any, *rest: Any) -> Any:
        try:
            complete = resolve(task, definition, overrides)
        except ValueError as error:
            raise failure(str(error)) from error
        return start(task, definition, complete, *rest)

    module._start_task_worker = started  # type: ignore[attr-defined]


# --- EC2 ----------------------------------------------------------------------------------------------------------


def ec2_actions() -> MutableMapping[str, Callable[[Mapping[str, list[str]]], Response]]:
    """EC2 API action -> its function."""
    actions: MutableMapping[str, Callable[[Mapping[str, list[str]]], Response]] = internal(
        "ministack.services.ec2", "_ACTION_MAP"
    )
    return actions


def ec2_record(store: str, resource_id: str) -> Mapping[str, Any] | None:
    """A record of the EC2 service in the account and region in scope.

    Args:
        store: `_vpcs`, `_subnets` or `_route_tables`.
        resource_id: the resource's id.
    """
    record: Mapping[str, Any] | None = internal("ministack.services.ec2", store).get(resource_id)
    return record


# --- RDS ----------------------------------------------------------------------------------------------------------


def keep_database_names() -> None:
    """Let clusters and instances without a server keep the endpoints that they were made with.

    With the first instance MiniStack turns the endpoint of its cluster into localhost, but a stack has handed on the
    one it had, and on AWS it never changes.
    """
    module = importlib.import_module("ministack.services.rds")
    attach, sync = (internal("ministack.services.rds", name) for name in USED["ministack.services.rds"])

    def attach_if_served(instance: Any, cluster: Any) -> None:
        if cluster.get("_shared_container_id"):
            attach(instance, cluster)

    def sync_if_served(cluster: Any) -> None:
        if cluster.get("_shared_container_id"):
            sync(cluster)

    module._attach_instance_to_shared_cluster = attach_if_served  # type: ignore[attr-defined]
    module._sync_cluster_endpoints = sync_if_served  # type: ignore[attr-defined]


# --- Lambda ---------------------------------------------------------------------------------------------------------


def wrap_function_execution(wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace the function with which CloudFormation executes a custom resource's Lambda function."""
    module = importlib.import_module("ministack.services.lambda_svc")
    original = internal("ministack.services.lambda_svc", "_execute_function_with_config_scope")
    module._execute_function_with_config_scope = wrap(original)  # type: ignore[attr-defined]


def end_idle_functions(seconds: float) -> None:
    """End the processes of functions that nobody has called for a while; the next call starts a new one.

    Args:
        seconds: since the last call.
    """
    runtime = "ministack.core.lambda_runtime"
    pools, lock = internal(runtime, "_workers"), internal(runtime, "_lock")
    idle = []
    with lock:
        for key, workers in list(pools.items()):
            unused = [one for one in workers if not one.in_use and time.time() - one.last_used >= seconds]
            idle += unused
            pools[key] = [one for one in workers if one not in unused]
            if not pools[key]:
                del pools[key]
    internal(runtime, "kill_workers")(idle)


# --- S3, across accounts ------------------------------------------------------------------------------------------


def bucket_owner(name: str) -> str | None:
    """The account of a bucket; None if there is no such bucket."""
    found: str | None = internal(_S3, "_bucket_owner_account")(name)
    return found


def name_callers_of_buckets() -> None:
    """Judge a call on another account's bucket by who makes it.

    MiniStack takes the root of the caller's account instead, so that a bucket policy that names a role lets nobody in.
    """
    module = importlib.import_module(_S3)
    original = internal(_S3, "_foreign_bucket_allows")
    public, blocked = internal(_S3, "_policy_is_public"), internal(_S3, "_public_access_blocked")

    def allows(
        owner: str, bucket: str, key: str, method: str, query: Mapping[str, Any], caller: str, *rest: Any
    ) -> bool:
        policy = internal(_S3, "_bucket_policies").get_scoped(owner, None, bucket)
        if caller and policy and not (blocked(owner, bucket, "RestrictPublicBuckets") and public(policy)):
            path = f"/{bucket}/{key}" if key else f"/{bucket}"
            action = internals_iam.s3_action(method, path, query)
            keys = internals_iam.s3_condition_keys(action, query, path)
            resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
            decision = internals_iam.decide(
                policy, action=action, resource=resource, account_id=caller, keys=keys
            )
            if decision in ("Allow", "Deny"):
                return bool(decision == "Allow")
        return bool(original(owner, bucket, key, method, query, caller, *rest))

    module._foreign_bucket_allows = allows  # type: ignore[attr-defined]
