"""Clients of AWS, as every command makes them. boto3 finds credentials and endpoints in its usual places."""

import boto3
from botocore.config import Config

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
