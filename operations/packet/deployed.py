"""Reads what is deployed, with the bootstrap's look-up role and no right to write."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from config.naming import Names
from operations.aws import CLIENT
from operations.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

PURPOSE = "lz-packet"
AT_ONCE = 8
# There is no stack yet, or no more: a change set alone makes REVIEW_IN_PROGRESS.
NOT_THERE = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"})
# The look-up role may read much more. The session that is used here may not.
READING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["cloudformation:GetTemplate", "cloudformation:ListStacks"],
            "Resource": "*",
        }
    ],
}


@dataclass(frozen=True)
class DeployedStack:
    """A stack as it is in AWS.

    Args:
        name: its name.
        account: account id.
        region: AWS region.
        state: such as `UPDATE_COMPLETE`.
        template: as it was deployed.
    """

    name: str
    account: str
    region: str
    state: str
    template: dict[str, Any] = field(repr=False)


def deployed_stacks(
    session: boto3.Session, names: Names, *, account: str, regions: Sequence[str], prefix: str
) -> tuple[DeployedStack, ...]:
    """Read every stack of a stage.

    Args:
        session: credentials that the look-up roles trust: the tooling account's.
        names: names of the organization.
        account: account id.
        regions: AWS regions.
        prefix: what the names of its stacks start with.

    Raises:
        CommandError: the account does not let itself be read.
    """
    found: list[DeployedStack] = []
    for region in regions:
        client = _reader(session, names, account, region)
        summaries = list(_summaries(client, prefix))
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            templates = pool.map(partial(_template, client), [name for name, _ in summaries])
            found += [
                DeployedStack(name, account, region, state, template)
                for (name, state), template in zip(summaries, templates, strict=True)
            ]
    return tuple(found)


def _reader(session: boto3.Session, names: Names, account: str, region: str) -> "CloudFormationClient":
    role_arn = names.bootstrap_role_arn(account, "lookup-role", region)
    sts = session.client("sts", config=CLIENT)
    try:
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName=PURPOSE, Policy=json.dumps(READING))
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}:
            raise
        caller = sts.get_caller_identity()["Arn"]
        message = f"{caller} may not assume {role_arn}"
        fix = "use credentials of the tooling account, such as --profile NAME, and look at ./lz doctor"
        raise CommandError(message, fix=fix, exit_code=1) from error
    credentials = given["Credentials"]
    assumed = boto3.Session(
        region_name=region,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    return assumed.client("cloudformation", config=CLIENT)


def _summaries(client: "CloudFormationClient", prefix: str) -> Iterator[tuple[str, str]]:
    """Yield name and state of the stacks that are there; a nested one belongs to its parent."""
    for page in client.get_paginator("list_stacks").paginate():
        for summary in page["StackSummaries"]:
            mine = summary["StackName"].startswith(prefix) and "ParentId" not in summary
            if mine and summary["StackStatus"] not in NOT_THERE:
                yield summary["StackName"], summary["StackStatus"]


def _template(client: "CloudFormationClient", name: str) -> dict[str, Any]:
    body: Any = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    template: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body)
    return template
