"""Looks whether every account that the configuration names is bootstrapped, and trusts tooling."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from config.models import Configuration
from config.naming import Names
from operations.aws import CLIENT
from operations.bootstrap import bootstraps
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

AT_ONCE = 8
PURPOSE = "lz-doctor"
# What the pipeline uses in every account; the look-up role was assumed when these are looked at.
TRUSTING_ROLES = ("deploy-role", "file-publishing-role")
EXECUTION_ROLE = "cfn-exec-role"
REFUSED = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True)
class Place:
    """One region of one account that must be bootstrapped.

    Args:
        account_name: `tooling`, `shared_services`, or the name of a workload account.
        account_id: its id.
        region: the region.
    """

    account_name: str
    account_id: str
    region: str


@dataclass(frozen=True)
class Health:
    """What was found in a place.

    Args:
        place: the place.
        problem: what is wrong; empty if all is well.
    """

    place: Place
    problem: str = ""


def places(configuration: Configuration) -> tuple[Place, ...]:
    """List every account and region that a stack of the configuration needs, in the order of the bootstrap."""
    return tuple(
        Place(call.account_name, call.account_id, environment.rpartition("/")[2])
        for call in bootstraps(configuration)
        for environment in call.environments
    )


def examine(configuration: Configuration, session: boto3.Session) -> tuple[Health, ...]:
    """Look at every place, several at once.

    The look-up role of each place is assumed, which its trust in tooling must allow; with it, and nothing but the
    right to read the bootstrap's roles, the trust of the roles that deploy is read. What they may do is not used.

    Args:
        configuration: the organization.
        session: credentials of the tooling account.

    Raises:
        CommandError: the credentials are of another account.
    """
    sts = session.client("sts", config=CLIENT)
    caller, tooling = sts.get_caller_identity(), configuration.accounts.tooling
    if caller["Account"] != tooling:
        message = f"{caller['Arn']} is not of the tooling account, and it is tooling that must be trusted"
        raise CommandError(message, fix=f"use credentials of account {tooling}, such as --profile NAME")
    examiner = _Examiner(configuration, sts, session.region_name)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return tuple(pool.map(examiner.look, places(configuration)))


class _Examiner:
    def __init__(self, configuration: Configuration, sts: "STSClient", region: str) -> None:
        self._names = Names(configuration)
        self._tooling = configuration.accounts.tooling
        self._qualifier = configuration.organization.qualifier
        self._sts = sts
        self._region = region

    def look(self, place: Place) -> Health:
        role_arn = self._names.bootstrap_role_arn(place.account_id, "lookup-role", place.region)
        try:
            given = self._sts.assume_role(
                RoleArn=role_arn, RoleSessionName=PURPOSE, Policy=self._narrowed(place)
            )["Credentials"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSED:
                raise
            return Health(place, "not bootstrapped, or bootstrapped without trust in tooling for look-ups")
        iam = boto3.Session(
            region_name=self._region,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        ).client("iam", config=CLIENT)
        missing, untrusting = self._roles(iam, place)
        if missing:
            return Health(place, f"its bootstrap is not whole: {', '.join(missing)} missing")
        if untrusting:
            return Health(place, f"bootstrapped without trust in tooling: {', '.join(untrusting)}")
        return Health(place)

    def _narrowed(self, place: Place) -> str:
        """Return the policy of the session: of all that the look-up role may read, the bootstrap's roles alone."""
        roles = self._names.role_arn(place.account_id, f"cdk-{self._qualifier}-*")
        statement = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": roles}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def _roles(self, iam: "IAMClient", place: Place) -> tuple[list[str], list[str]]:
        """Return which roles of the bootstrap are missing, and which do not trust tooling."""
        missing, untrusting = [], []
        for kind in (*TRUSTING_ROLES, EXECUTION_ROLE):
            arn = self._names.bootstrap_role_arn(place.account_id, kind, place.region)
            try:
                role = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
            except iam.exceptions.NoSuchEntityException:
                missing.append(kind)
                continue
            document: Any = role["AssumeRolePolicyDocument"]  # boto3 has decoded it, whatever its stubs say
            if kind in TRUSTING_ROLES and not trusts(document, self._tooling):
                untrusting.append(kind)
        return missing, untrusting


def trusts(document: Mapping[str, Any], account_id: str) -> bool:
    """Tell whether a trust policy lets an account as a whole assume its role, as the bootstrap's do.

    Args:
        document: the policy.
        account_id: the account.
    """
    for statement in _listed(document.get("Statement", [])):
        principal = statement.get("Principal")
        named = _listed(principal.get("AWS", [])) if isinstance(principal, dict) else []
        if (
            statement.get("Effect") == "Allow"
            and "sts:AssumeRole" in _listed(statement.get("Action", []))
            and any(name == account_id or name.endswith(f"::{account_id}:root") for name in named)
        ):
            return True
    return False


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
