"""Clients of AWS, as every command makes them. boto3 finds credentials and endpoints in its usual places."""

import getpass
import re

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ClientError, NoCredentialsError

from config import StageRef
from config.naming import Names
from operations.errors import CommandError
from operations.rehearsed import use_kept_rehearsal

LONGEST_SESSION_NAME = 64  # AWS STS API Reference, AssumeRole
# Adaptive: a throttled call waits and comes again, and the calls after it come more slowly.
CLIENT = Config(
    retries={"mode": "adaptive", "max_attempts": 10},
    connect_timeout=10,
    read_timeout=60,
    user_agent_extra="lz",
)


def session(region: str) -> boto3.Session:
    """Return a session with the caller's own credentials.

    Args:
        region: AWS region.
    """
    return boto3.Session(region_name=region)


def assumed_session(role_arn: str, *, region: str, purpose: str) -> boto3.Session:
    """Return a session with the credentials of a role, for one hour.

    Args:
        role_arn: the role.
        region: AWS region.
        purpose: name of the session, as CloudTrail shows it.
    """
    sts = session(region).client("sts", config=CLIENT)
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName=purpose)["Credentials"]
    return boto3.Session(
        region_name=region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def operator_session(role_arn: str, *, region: str, purpose: str, profile: str | None) -> boto3.Session:
    """Return a session with the credentials of a role, renewed as long as the caller's own hold.

    A session of a role that was assumed with another role's credentials, as those of single sign-on are, ends after
    an hour; a command may take longer.

    Args:
        role_arn: the role.
        region: AWS region.
        purpose: such as `lz-run`; CloudTrail shows it, and the person's name behind it.
        profile: AWS profile of the caller; what boto3 finds if None.

    Raises:
        CommandError: the caller may not assume the role.
    """
    own = boto3.Session(region_name=region, profile_name=profile)
    source = own.get_credentials()
    if source is None:
        raise NoCredentialsError
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=own._session.create_client,
        source_credentials=source,
        role_arn=role_arn,
        extra_args={"RoleSessionName": session_name(purpose)},
    )
    credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    try:
        credentials.get_frozen_credentials()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        caller = own.client("sts", config=CLIENT).get_caller_identity()["Arn"]
        account = role_arn.split(":")[4]
        message = f"{caller} may not assume {role_arn}"
        fix = (
            f"use credentials of account {account}, such as --profile NAME, whose permission set allows "
            "sts:AssumeRole on this role; if the role does not exist yet, deploy the environment first"
        )
        raise CommandError(message, fix=fix, exit_code=1) from error
    assumed = botocore.session.get_session()
    assumed._credentials = credentials  # type: ignore[attr-defined]  # botocore has no other way to hand them over
    return boto3.Session(botocore_session=assumed, region_name=region)


def environment_session(
    names: Names, stage: StageRef, role: str, *, purpose: str, rehearsal: bool, profile: str | None
) -> boto3.Session:
    """Return a session with the credentials of a person's role in an environment, as `operator_session` renews them.

    Args:
        names: all names.
        stage: the environment.
        role: the role's name.
        purpose: such as `lz-run`.
        rehearsal: in the rehearsal that is up instead of AWS; then every client of this process works there.
        profile: AWS profile of the caller; what boto3 finds if None.

    Raises:
        CommandError: the caller may not assume the role, or no rehearsal is up, or it is to take a profile.
    """
    if rehearsal:
        use_kept_rehearsal(stage.account_id, profile=profile)
    return operator_session(
        names.role_arn(stage.account_id, role),
        region=names.configuration.organization.region,
        purpose=purpose,
        profile=profile,
    )


def session_name(purpose: str) -> str:
    r"""Return a name for a session, with the person's name; STS takes `[\w+=,.@-]`, in ASCII alone.

    Args:
        purpose: such as `lz-run`.
    """
    return re.sub(r"[^\w+=,.@-]", "-", f"{purpose}-{getpass.getuser()}", flags=re.ASCII)[
        :LONGEST_SESSION_NAME
    ]
