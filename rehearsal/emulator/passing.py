"""iam:PassRole, where roles are handed over in API calls: to tasks, and to CloudFormation.

What CloudFormation itself makes is not asked for: it does not act with a role here.
"""

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.emulator import internals, internals_iam
from rehearsal.emulator.internals import Response

_TASKS = "ecs-tasks.amazonaws.com"
_ROLES = ("taskRoleArn", "executionRoleArn")
_TARGET = "AmazonEC2ContainerServiceV20141113"
_FORBIDDEN = 400  # the status of AccessDeniedException in AWS's JSON protocol


def denial(key: str, role_arn: str, service: str) -> str:
    """Why a caller may not hand a role to a service; empty if it may.

    Args:
        key: the caller's access key id.
        role_arn: the role.
        service: principal of the service that gets it.
    """
    if internals_iam.may(key, "iam:PassRole", role_arn, {"iam:PassedToService": service}):
        return ""
    return (
        f"User: {internals_iam.caller_arn()} is not authorized to perform: iam:PassRole on resource: {role_arn} "
        "because no identity-based policy allows the iam:PassRole action"
    )


async def _task_roles(serve: Any, action: str, sent: Mapping[str, Any]) -> set[str]:
    """The roles that a task or a task definition is given."""
    given = [sent] if action == "RegisterTaskDefinition" else [sent.get("overrides") or {}]
    if action == "RunTask":
        headers = {
            "x-amz-target": f"{_TARGET}.DescribeTaskDefinition",
            "content-type": "application/x-amz-json-1.1",
        }
        question = json.dumps({"taskDefinition": sent.get("taskDefinition")}).encode()
        _, _, answer = await serve("POST", "/", headers, question, {})
        given.append(json.loads(answer).get("taskDefinition") or {})
    return {definition[member] for definition in given for member in _ROLES if definition.get(member)}


def install() -> None:
    """Stand before ECS; `outputs` asks for CloudFormation."""
    handlers = internals.service_handlers()
    serve = handlers["ecs"]

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if action in {"RunTask", "RegisterTaskDefinition"}:
            key = internals_iam.access_key(headers, query)
            for role_arn in sorted(await _task_roles(serve, action, json.loads(body or b"{}"))):
                message = denial(key, role_arn, _TASKS)
                if message:
                    return _refused(message)
        return await serve(method, path, headers, body, query)

    handlers["ecs"] = handle


def _refused(message: str) -> Response:
    body = json.dumps({"__type": "AccessDeniedException", "message": message})
    return _FORBIDDEN, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()
