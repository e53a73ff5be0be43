"""Policies that name a role or a user which does not exist are refused, as AWS does.

It is the error that a deployment in the wrong order meets, for example a key policy that names a role of an account
that is not bootstrapped yet.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from rehearsal.emulator import internals, internals_iam
from rehearsal.emulator.internals import Properties, Response
from rehearsal.emulator.resources import refuse

# Set by the controller: the accounts of the rehearsal, whose roles and users are all known here.
ACCOUNTS_VARIABLE = "REHEARSAL_ACCOUNTS"
_PRINCIPAL = re.compile(r"arn:[^:]+:iam::(\d{12}):(role|user)/(?:.*/)?([^/]+)$")
_BAD_REQUEST = 400


def missing_principals(document: Any) -> list[str]:
    """The roles and users that a policy names and that do not exist in their account.

    Args:
        document: a policy, as JSON text or parsed. Accounts outside the rehearsal are taken on trust.
    """
    known = set(os.environ.get(ACCOUNTS_VARIABLE, "").split(","))
    absent = []
    for principal in _aws_principals(document):
        named = _PRINCIPAL.match(principal)
        if named is None or named[1] not in known:
            continue
        find = internals_iam.role if named[2] == "role" else internals_iam.user
        found = find(named[1], named[3])
        if found is None or found["Arn"] != principal:
            absent.append(principal)
    return absent


def _aws_principals(document: Any) -> Iterator[str]:
    """Every AWS principal of every statement."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") if isinstance(statement, Mapping) else None
        named = principal.get("AWS", []) if isinstance(principal, Mapping) else []
        yield from [named] if isinstance(named, str) else named


def _iam_message(absent: list[str]) -> str:
    return f'Invalid principal in policy: "AWS":"{absent[0]}"'


def _kms_message(absent: list[str]) -> str:
    return f"Policy contains a statement with one or more invalid principals. ({', '.join(absent)})"


def _s3_message(absent: list[str]) -> str:
    return f"Invalid principal in policy ({', '.join(absent)})"


def _ecr_message(absent: list[str]) -> str:
    return (
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided' "
        f"(principal not found: {', '.join(absent)})"
    )


# CloudFormation type -> the property with its policy, the error's code and its message.
_TYPES: Mapping[str, tuple[str, str, Callable[[list[str]], str]]] = {
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", "MalformedPolicyDocument", _iam_message),
    "AWS::KMS::Key": ("KeyPolicy", "MalformedPolicyDocumentException", _kms_message),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "MalformedPolicy", _s3_message),
    "AWS::ECR::Repository": ("RepositoryPolicyText", "InvalidParameterException", _ecr_message),
}


def _check(member: str, code: str, message: Callable[[list[str]], str]) -> Callable[[Properties], None]:
    """A check of one property of a resource type."""

    def check(properties: Properties) -> None:
        absent = missing_principals(properties.get(member))
        if absent:
            raise ValueError(f"{code}: {message(absent)}")

    return check


def _xml_error(code: str, message: str) -> Response:
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return _BAD_REQUEST, {"Content-Type": "text/xml"}, f"{body}</ErrorResponse>".encode()


def _s3_error(code: str, message: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return _BAD_REQUEST, {"Content-Type": "application/xml"}, body.encode()


def _json_error(code: str, message: str) -> Response:
    body = json.dumps({"__type": code, "message": message})
    return _BAD_REQUEST, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()


Request = tuple[str, Mapping[str, str], bytes, Mapping[str, Any]]  # method, headers, body, query


def _iam_policy(request: Request) -> Any:
    """The trust policy in an IAM request; None in any other."""
    sent = {name: values[0] for name, values in parse_qs(request[2].decode(errors="replace")).items()}
    member = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}
    return sent.get(member.get(sent.get("Action", ""), ""))


def _json_policy(actions: Mapping[str, str]) -> Callable[[Request], Any]:
    """Where a JSON service's requests have their policy: action -> member."""

    def policy(request: Request) -> Any:
        member = actions.get(request[1].get("x-amz-target", "").rsplit(".", 1)[-1])
        return json.loads(request[2] or b"{}").get(member) if member else None

    return policy


def _bucket_policy(request: Request) -> Any:
    """The policy in a PutBucketPolicy request; None in any other."""
    return request[2].decode(errors="replace") if request[0] == "PUT" and "policy" in request[3] else None


_APIS: Mapping[str, tuple[Callable[[Request], Any], str, Callable[[str, str], Response]]] = {
    "iam": (_iam_policy, "AWS::IAM::Role", _xml_error),
    "kms": (_json_policy({"CreateKey": "Policy", "PutKeyPolicy": "Policy"}), "AWS::KMS::Key", _json_error),
    "ecr": (_json_policy({"SetRepositoryPolicy": "policyText"}), "AWS::ECR::Repository", _json_error),
    "s3": (_bucket_policy, "AWS::S3::BucketPolicy", _s3_error),
}


def install() -> None:
    """Check the policies of both the resource types and the API calls."""
    for name, (member, code, message) in _TYPES.items():
        refuse(name, _check(member, code, message))
    handlers = internals.service_handlers()
    for service, (policy, type_name, error) in _APIS.items():
        _, code, message = _TYPES[type_name]
        handlers[service] = _checked(handlers[service], policy, code, message, error)


def _checked(
    handler: Callable[..., Any],
    policy: Callable[[Request], Any],
    code: str,
    message: Callable[[list[str]], str],
    error: Callable[[str, str], Response],
) -> Callable[..., Any]:
    """A service's request handler that looks at policies first."""

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        document = policy((method, headers, body, query))
        absent = missing_principals(document) if document else []
        if absent:
            return error(code, message(absent))
        return await handler(method, path, headers, body, query)

    return handle
