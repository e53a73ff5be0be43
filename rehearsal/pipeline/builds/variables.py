"""Environment variables of a build that are kept elsewhere: in Parameter Store and in Secrets Manager."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.pipeline.builds.buildspec import Environment

_ARN_PARTS = 7  # arn:aws:secretsmanager:region:account:secret:name


class VariableError(Exception):
    """A variable whose value cannot be had."""


Clients = Callable[[str], Any]
"""Makes a boto3 client of a service, with the build's credentials."""


@dataclass(frozen=True)
class Variables:
    """Values, and which of them are secrets.

    Args:
        values: name -> value.
        secrets: values that no log may show.
    """

    values: Mapping[str, str]
    secrets: tuple[str, ...]


def resolve(
    project: Sequence[Mapping[str, str]], buildspec: Environment, action: Mapping[str, str], clients: Clients
) -> Variables:
    """Return all variables; the action's win over the project's, and those over the buildspec's.

    Args:
        project: the project's, as BatchGetProjects returns them.
        buildspec: the buildspec's.
        action: the pipeline action's.
        clients: makes clients with the build's credentials.

    Raises:
        VariableError: a parameter or a secret is missing, or may not be read.
    """
    wanted = {name: ("PLAINTEXT", value) for name, value in buildspec.variables.items()}
    wanted |= {name: ("PARAMETER_STORE", value) for name, value in buildspec.parameter_store.items()}
    wanted |= {name: ("SECRETS_MANAGER", value) for name, value in buildspec.secrets_manager.items()}
    wanted |= {item["name"]: (item.get("type", "PLAINTEXT"), item["value"]) for item in project}
    wanted |= {name: ("PLAINTEXT", value) for name, value in action.items()}
    if all(kind == "PLAINTEXT" for kind, _ in wanted.values()):
        return Variables({name: value for name, (_, value) in wanted.items()}, ())
    from botocore.exceptions import ClientError  # noqa: PLC0415 -- slow to load, and few builds need it

    sources = {"PARAMETER_STORE": _parameter, "SECRETS_MANAGER": _secret}
    values, secrets = {}, []
    for name, (kind, value) in wanted.items():
        if kind not in sources:
            values[name] = value
            continue
        try:
            values[name] = sources[kind](clients, value)
        except ClientError as error:
            raise VariableError(f"{name}: {value} could not be read: {error}") from error
        secrets.append(values[name])
    return Variables(values, tuple(secrets))


def _parameter(clients: Clients, name: str) -> str:
    answer = clients("ssm").get_parameter(Name=name, WithDecryption=True)
    value: str = answer["Parameter"]["Value"]
    return value


def _secret(clients: Clients, reference: str) -> str:
    """Read `secret-id:json-key:version-stage:version-id`; the id may be an ARN, and what follows it may be left out."""
    parts = reference.split(":")
    size = _ARN_PARTS if reference.startswith("arn:") else 1
    secret_id, rest = ":".join(parts[:size]), parts[size:]
    key, stage, version = [*rest, "", "", ""][:3]
    options = {"VersionStage": stage, "VersionId": version}
    answer = clients("secretsmanager").get_secret_value(
        SecretId=secret_id, **{name: value for name, value in options.items() if value}
    )
    text: str = answer["SecretString"]
    if not key:
        return text
    try:
        value = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        raise VariableError(f"the secret {secret_id} has no key {key}") from None
    return value if isinstance(value, str) else json.dumps(value)
