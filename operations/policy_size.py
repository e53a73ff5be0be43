"""How long a policy will be once CloudFormation has put the values in: IAM counts all but white space."""

import json
from collections.abc import Mapping
from typing import Any

PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::AccountId": "0" * 12,
    "AWS::Region": "x" * 14,  # as long as ap-southeast-1
    "AWS::NoValue": "",
}

# What only CloudFormation knows is taken to be as long as such a value usually gets. A name that CloudFormation makes
# has stack, logical id and a suffix in it, and 64 characters are the most that a role's name or a bucket's may have.
NAME_LENGTH = 64
ARN_LENGTH = len("arn:aws:codebuild:ap-southeast-1:000000000000:project/") + NAME_LENGTH


def rendered_size(value: Any) -> int:
    """Estimate the characters of a template's value, without white space, once its functions are resolved.

    Args:
        value: a policy document, or any other value of a template.
    """
    return len(_rendered(value, ascii_only=True))


def rendered_bytes(value: Any) -> int:
    """Estimate the bytes of a template's value in UTF-8, without white space, once its functions are resolved.

    Args:
        value: what the template has.
    """
    return len(_rendered(value, ascii_only=False).encode("utf-8", errors="surrogatepass"))


def _rendered(value: Any, *, ascii_only: bool) -> str:
    resolved = _resolve(value)
    if isinstance(resolved, str):
        return resolved
    return json.dumps(resolved, separators=(",", ":"), ensure_ascii=ascii_only)


def _resolve(value: Any) -> Any:
    if isinstance(value, list):
        return [_resolve(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref" or str(function).startswith("Fn::"):
            return _call(str(function), argument)
    return {key: _resolve(each) for key, each in value.items()}


def _call(function: str, argument: Any) -> str:
    match function:
        case "Ref":
            return PSEUDO.get(argument, "x" * NAME_LENGTH)
        case "Fn::Join":
            return _join(argument)
        case "Fn::Sub":
            return _text(argument[0] if isinstance(argument, list) else argument)
        case _:  # GetAtt, ImportValue, GetStackOutput ...
            return "x" * ARN_LENGTH


def _join(argument: Any) -> str:
    separator, parts = argument
    return str(separator).join(_text(_resolve(part)) for part in parts) if isinstance(parts, list) else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
