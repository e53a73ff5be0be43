"""Condition keys that come from the request itself (service authorization reference), which MiniStack does not fill."""

import contextlib
import contextvars
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rehearsal.emulator import internals, internals_iam

# The service that makes a call for somebody, such as S3 when it decrypts an object; empty in requests from outside.
_via: contextvars.ContextVar[str] = contextvars.ContextVar("rehearsal_via_service", default="")

# What the key of a record change is read from, by the end of its name.
_CHANGES = "route53:changeresourcerecordsets"
_ROLE_TAG = "iam:resourcetag/"


@contextlib.contextmanager
def via(service: str) -> Iterator[None]:
    """Make calls from inside the emulator as a service makes them for its caller (kms:ViaService).

    Args:
        service: its name, such as s3.
    """
    token = _via.set(service)
    try:
        yield
    finally:
        _via.reset(token)


def request_key(key: str, service: str, body: bytes, resource_arn: str) -> Any:
    """A condition key's value in a request; None if it is none of those filled here.

    Args:
        key: the key, in any case.
        service: the service that was called.
        body: the request's body.
        resource_arn: the resource that IAM judges the call on.
    """
    name = key.lower()
    if name.startswith(_CHANGES) and service == "route53":
        return _record_changes(name.removeprefix(_CHANGES), body)
    if name == "kms:viaservice":
        return f"{_via.get()}.{internals.region()}.amazonaws.com" if _via.get() else None
    if name == "ecs:cluster" and service == "ecs":
        return _cluster(body)
    if name.startswith(_ROLE_TAG) and ":role/" in resource_arn:
        role = internals_iam.role(resource_arn.split(":")[4], resource_arn.rsplit("/", 1)[-1])
        tags = {tag["Key"].lower(): tag["Value"] for tag in (role or {}).get("Tags", [])}
        return tags.get(name.removeprefix(_ROLE_TAG))
    return None


def _record_changes(what: str, body: bytes) -> list[str] | None:
    """The actions, names or types of all record changes of a request."""
    read: Mapping[str, Callable[[ET.Element], str]] = {
        "actions": lambda change: change.findtext("{*}Action", ""),
        "normalizedrecordnames": lambda change: _normalized(
            change.findtext("{*}ResourceRecordSet/{*}Name", "")
        ),
        "recordtypes": lambda change: change.findtext("{*}ResourceRecordSet/{*}Type", ""),
    }
    if what not in read:
        return None
    try:
        document = ET.fromstring(body)  # noqa: S314 (written by an SDK on this machine)
    except ET.ParseError:
        return None
    return [read[what](change) for change in document.iter() if change.tag.endswith("}Change")]


def _normalized(name: str) -> str:
    """A record's name in the spelling that the condition key has: lower case, no final dot."""
    return name.lower().rstrip(".")


def _cluster(body: bytes) -> str:
    """The ARN of the cluster that a request names."""
    try:
        named = str(json.loads(body or b"{}").get("cluster") or "default")
    except ValueError:
        named = "default"
    if named.startswith("arn:"):
        return named
    return f"arn:aws:ecs:{internals.region()}:{internals.account()}:cluster/{named}"
