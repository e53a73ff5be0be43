"""Roles of shared services that other accounts assume."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


def outputs_reader_role(
    scope: Construct,
    construct_id: str,
    *,
    role_name: str,
    stack_name: str,
    accounts: Sequence[str],
    principal_arn: str,
) -> iam.Role:
    """Make a role that can read one stack's outputs and nothing else.

    The trust names accounts and narrows them by a condition, not by a role principal: IAM refuses a principal that
    does not exist yet, and this role is made before the accounts that use it are.

    Args:
        scope: the stack.
        construct_id: id within the stack.
        role_name: name that the other accounts know.
        stack_name: the stack whose outputs may be read.
        accounts: ids of the accounts that may assume the role.
        principal_arn: pattern that the assuming role's ARN must match.
    """
    stack = cdk.Stack.of(scope)
    return iam.Role(
        scope,
        construct_id,
        role_name=role_name,
        description=f"Reads the outputs of {stack_name}",
        assumed_by=iam.CompositePrincipal(
            *(iam.AccountPrincipal(account) for account in accounts)
        ).with_conditions({"ArnLike": {"aws:PrincipalArn": principal_arn}}),
        inline_policies={
            "ReadOutputs": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=["cloudformation:DescribeStacks"],
                        resources=[
                            stack.format_arn(
                                service="cloudformation", resource="stack", resource_name=f"{stack_name}/*"
                            )
                        ],
                    )
                ]
            )
        },
    )
