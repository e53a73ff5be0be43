"""`Fn::GetStackOutput` across accounts and regions, with the rights that CloudFormation would have.

CloudFormation acts as the stack's execution role, or as the caller if the stack has none; with a `RoleArn` in the
function it assumes that role from there. Both steps are real calls, so trust and policies are tested.
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.emulator import internals, internals_iam, operations, passing
from rehearsal.emulator.calls import client
from rehearsal.emulator.internals import Response

_FUNCTION = "Fn::GetStackOutput"
_SERVICE = "cloudformation.amazonaws.com"
_SESSION = "AWSCloudFormation"

# (account, region, stack) -> the execution role that its last operation named.
_execution_roles: dict[tuple[str, str, str], str] = {}
_WITH_ROLE = ("CreateStack", "UpdateStack", "CreateChangeSet", "DeleteStack")


def execution_role(stack: str) -> str:
    """The role that CloudFormation uses for a stack of the account and region in progress; empty if it has none."""
    return _execution_roles.get((internals.account(), internals.region(), stack), "")


def _identity(stack: str) -> dict[str, str] | None:
    """Credentials of the execution role, or of the caller; None stands for the account's root."""
    role = execution_role(stack)
    return (
        internals_iam.role_session(role, _SESSION)
        if role
        else internals_iam.session_credentials(operations.caller())
    )


def read_output(reader: str, *, stack: str, output: str, region: str, role: str) -> str:
    """One output of another stack.

    Args:
        reader: the stack that asks.
        stack: name of the stack that has the output.
        output: its output.
        region: where that stack is.
        role: ARN of a role in its account; empty for the reader's own account.

    Raises:
        ValueError: the role cannot be assumed, or it may not read the stack, or the stack has no such output.
    """
    identity = _identity(reader)
    where = f"{stack} in {region}" + (f" (as {role})" if role else "")
    try:
        if role:
            sts = client("sts", credentials=identity)
            identity = sts.assume_role(RoleArn=role, RoleSessionName=_SESSION)["Credentials"]
        described = client("cloudformation", region=region, credentials=identity).describe_stacks(
            StackName=stack
        )
    except ClientError as error:
        raise ValueError(f"{_FUNCTION}: cannot read output {output} of stack {where}: {error}") from error
    found = {item["OutputKey"]: item["OutputValue"] for item in described["Stacks"][0].get("Outputs", [])}
    if output not in found:
        have = ", ".join(sorted(found)) or "none"
        raise ValueError(f"{_FUNCTION}: stack {where} has no output {output}; its outputs: {have}")
    return str(found[output])


def _wrap(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver of intrinsics, with this one done here."""

    def resolved(value: Any, *context: Any) -> Any:
        if not (isinstance(value, Mapping) and len(value) == 1 and _FUNCTION in value):
            return resolve(value, *context)
        wanted = {name: str(resolved(part, *context)) for name, part in value[_FUNCTION].items()}
        reader = str(context[-2])  # (resources, params, conditions, mappings, stack_name, stack_id)
        return read_output(
            reader,
            stack=wanted["StackName"],
            output=wanted["OutputName"],
            region=wanted.get("Region") or internals.region(),
            role=wanted.get("RoleArn", ""),
        )

    return resolved


def _remembering_role(
    action: Callable[[Mapping[str, Any]], Response],
) -> Callable[[Mapping[str, Any]], Response]:
    """A stack action that checks and keeps the execution role it is given."""

    def act(parameters: Mapping[str, Any]) -> Response:
        arn = internals.stack_parameter(parameters, "RoleARN")
        if arn and not _assumable(arn):
            message = f"Role {arn} is invalid or cannot be assumed"
            return internals.stack_error("ValidationError", message)
        refusal = passing.denial(operations.caller(), arn, _SERVICE) if arn else ""
        if refusal:
            return internals.stack_error("AccessDenied", refusal)
        response = action(parameters)
        stack = internals.stack_parameter(parameters, "StackName").rsplit(":stack/", 1)[-1].split("/")[0]
        if arn and stack:
            _execution_roles[internals.account(), internals.region(), stack] = arn
        return response

    return act


def _assumable(arn: str) -> bool:
    """Whether CloudFormation can use a role: it is one of this account and trusts the service."""
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[-1]
    role = internals_iam.role(account, name)
    if role is None or account != internals.account():
        return False
    return _SERVICE in str(role["AssumeRolePolicyDocument"])


def install() -> None:
    """Take over the intrinsic, and keep the execution roles of stacks."""
    internals.wrap_resolver(_wrap)
    actions = internals.stack_actions()
    for name in _WITH_ROLE:
        actions[name] = _remembering_role(actions[name])
