"""CloudFormation actions, as separate calls with the action's role; CloudFormation gets the stack's role passed."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.pipeline.artifacts import read_member
from rehearsal.pipeline.errors import ActionError
from rehearsal.pipeline.passage import Work
from rehearsal.pipeline.transfer import Transfer

_POLL_SECONDS = 0.3
_REVIEW = "REVIEW_IN_PROGRESS"
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_SUMMARIES = 3  # resources named in an error; CloudFormation cancels the others because of them


def act(work: Work, transfer: Transfer) -> None:
    """Do it.

    Args:
        work: the action.
        transfer: its artifacts and clients.

    Raises:
        ActionError: the stack, or the request, failed.
    """
    mode = work.run.configuration.get("ActionMode", "")
    perform = _MODES.get(mode)
    if perform is None:
        raise ActionError("ConfigurationError", f"ActionMode {mode} does not run in a rehearsal")
    stack = work.run.configuration["StackName"]
    work.run.external_id = stack
    perform(work, transfer, transfer.client("cloudformation"), stack)


def _replace_change_set(work: Work, transfer: Transfer, cloudformation: Any, stack: str) -> None:
    name = work.run.configuration["ChangeSetName"]
    status = _status(cloudformation, stack)
    _refuse_unusable(stack, status)
    if _describe_change_set(cloudformation, stack, name) is not None:
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
    request = _request(work, transfer)
    kind = "CREATE" if status in ("", _REVIEW) else "UPDATE"
    cloudformation.create_change_set(StackName=stack, ChangeSetName=name, ChangeSetType=kind, **request)
    while True:
        work.check()
        made = _describe_change_set(cloudformation, stack, name) or {}
        if not str(made.get("Status", "")).endswith(("_PENDING", "_IN_PROGRESS")):
            break
        time.sleep(_POLL_SECONDS)
    if made.get("Status") == "FAILED" and not _is_empty(str(made.get("StatusReason", ""))):
        raise ActionError("JobFailed", f"the change set of {stack} failed: {made.get('StatusReason')}")
    work.run.summary = (
        "no changes" if made.get("Status") == "FAILED" else f"{len(made.get('Changes', []))} changes"
    )


def _execute_change_set(work: Work, _transfer: Transfer, cloudformation: Any, stack: str) -> None:
    name = work.run.configuration["ChangeSetName"]
    made = _describe_change_set(cloudformation, stack, name)
    if made is None:
        raise ActionError("JobFailed", f"stack {stack} has no change set {name}")
    if made["Status"] == "FAILED" and _is_empty(str(made.get("StatusReason", ""))):
        work.run.summary = "no changes"
    else:
        cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
        _follow(work, cloudformation, stack)
    _give_outputs(work, cloudformation, stack)


def _create_or_update(work: Work, transfer: Transfer, cloudformation: Any, stack: str) -> None:
    status = _status(cloudformation, stack)
    _refuse_unusable(stack, status)
    operate = cloudformation.update_stack if status else cloudformation.create_stack
    try:
        operate(StackName=stack, **_request(work, transfer))
    except ClientError as error:
        if not _is_empty(str(error)):
            raise
        work.run.summary = "no changes"
    else:
        _follow(work, cloudformation, stack)
    _give_outputs(work, cloudformation, stack)


def _delete(work: Work, _transfer: Transfer, cloudformation: Any, stack: str) -> None:
    if not _status(cloudformation, stack):
        return
    role = work.run.configuration.get("RoleArn")
    cloudformation.delete_stack(StackName=stack, **({"RoleARN": role} if role else {}))
    while (status := _status(cloudformation, stack)).endswith("_IN_PROGRESS"):
        work.check()
        time.sleep(_POLL_SECONDS)
    if status:
        raise ActionError("JobFailed", _explain(cloudformation, stack, status))


_MODES: Mapping[str, Callable[[Work, Transfer, Any, str], None]] = {
    "CHANGE_SET_REPLACE": _replace_change_set,
    "CHANGE_SET_EXECUTE": _execute_change_set,
    "CREATE_UPDATE": _create_or_update,
    "DELETE_ONLY": _delete,
}


def _request(work: Work, transfer: Transfer) -> dict[str, Any]:
    """What a stack is made of: template, capabilities, parameters, tags, and the role to pass."""
    configuration = work.run.configuration
    contents: dict[str, bytes] = {}

    def read(reference: str) -> str:
        artifact, _, path = reference.partition("::")
        if artifact not in contents:
            contents[artifact] = transfer.get(artifact)
        return read_member(contents[artifact], artifact, path)

    request: dict[str, Any] = {
        "TemplateBody": read(configuration["TemplatePath"]),
        "Capabilities": [part for part in configuration.get("Capabilities", "").split(",") if part],
    }
    settings: Mapping[str, Any] = {}
    if configuration.get("TemplateConfiguration"):
        settings = json.loads(read(configuration["TemplateConfiguration"]))
    parameters = {
        **settings.get("Parameters", {}),
        **json.loads(configuration.get("ParameterOverrides") or "{}"),
    }
    request["Parameters"] = [{"ParameterKey": key, "ParameterValue": str(v)} for key, v in parameters.items()]
    if "Tags" in settings:
        request["Tags"] = [{"Key": key, "Value": str(value)} for key, value in settings["Tags"].items()]
    if configuration.get("RoleArn"):
        request["RoleARN"] = configuration["RoleArn"]
    return request


def _status(cloudformation: Any, stack: str) -> str:
    """A stack's status; empty if there is no such stack."""
    try:
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return ""
        raise
    return "" if status == "DELETE_COMPLETE" else str(status)


def _describe_change_set(cloudformation: Any, stack: str, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
    except ClientError as error:
        if error.response["Error"]["Code"].startswith("ChangeSetNotFound") or "does not exist" in str(error):
            return None
        raise
    return found


def _refuse_unusable(stack: str, status: str) -> None:
    """Stop as CloudFormation does before a stack whose creation failed."""
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
        raise ActionError(
            "JobFailed", f"Stack {stack} is in {status} state and can not be updated; delete it first"
        )


def _is_empty(reason: str) -> bool:
    return any(text in reason for text in _NO_CHANGES)


def _follow(work: Work, cloudformation: Any, stack: str) -> None:
    """Wait for a stack.

    Raises:
        ActionError: it failed, or was rolled back.
    """
    while (status := _status(cloudformation, stack)).endswith("_IN_PROGRESS"):
        work.check()
        time.sleep(_POLL_SECONDS)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise ActionError("JobFailed", _explain(cloudformation, stack, status))


def _explain(cloudformation: Any, stack: str, status: str) -> str:
    """The resources that failed, as far as the role may see them."""
    try:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    except ClientError:
        return f"stack {stack} ended as {status}"
    failed = []
    for event in events:  # the newest first
        if event["LogicalResourceId"] == stack:
            if event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                break  # what came before belongs to an earlier operation
        elif event["ResourceStatus"].endswith("_FAILED"):
            reason = event.get("ResourceStatusReason", "no reason given")
            failed.append(f"{event['LogicalResourceId']} [{event['ResourceType']}]: {reason}")
    failed = [text for text in reversed(failed) if "cancelled" not in text] or failed
    return f"stack {stack} ended as {status}: {'; '.join(failed[:_SUMMARIES]) or 'no resource tells why'}"


def _give_outputs(work: Work, cloudformation: Any, stack: str) -> None:
    """Give the stack's outputs as variables."""
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    work.run.variables = {item["OutputKey"]: item["OutputValue"] for item in described.get("Outputs", [])}
