"""Reads task definitions and services out of the templates."""

from compliance.policies import Statement, identity_statements
from tests.assembly import Assembly, Json, Resource, Stack

PROCESSES = {"Release": "Release", "Web": "Web", "Worker": "Workers", "Beat": "Workers"}
"""Process type -> the stack that holds it."""


def definition(assembly: Assembly, stage_name: str, process: str) -> Resource:
    """Return the task definition of a process type."""
    return assembly[f"{stage_name}-{PROCESSES[process]}"].resource(
        "AWS::ECS::TaskDefinition", f"{process}Definition"
    )


def container(assembly: Assembly, stage_name: str, process: str) -> Json:
    """Return the only container of a process type."""
    (found,) = definition(assembly, stage_name, process).get("ContainerDefinitions")
    body: Json = found
    return body


def variables(assembly: Assembly, stage_name: str, process: str) -> dict[str, str]:
    """Return the environment variables of a process type, as text."""
    stack = definition(assembly, stage_name, process).stack
    found = container(assembly, stage_name, process)["Environment"]
    return {variable["Name"]: stack.text(variable["Value"]) for variable in found}


def secrets(assembly: Assembly, stage_name: str, process: str) -> dict[str, str]:
    """Return where each secret variable of a process type comes from, as text."""
    stack = definition(assembly, stage_name, process).stack
    found = container(assembly, stage_name, process)["Secrets"]
    return {secret["Name"]: stack.text(secret["ValueFrom"]) for secret in found}


def service(stack: Stack, process: str) -> Resource:
    """Return the service that runs a process type."""
    wanted = (
        f"${{{stack.name}/{stack.resource('AWS::ECS::TaskDefinition', f'{process}Definition').logical_id}}}"
    )
    (found,) = [
        each for each in stack.resources("AWS::ECS::Service") if each.text("TaskDefinition") == wanted
    ]
    return found


def permissions(assembly: Assembly, stage_name: str, process: str, role: str = "Task") -> list[Statement]:
    """Return what the task role, or the execution role, of a process type may do."""
    task = definition(assembly, stage_name, process)
    logical_id = task.get(f"{role}RoleArn", "Fn::GetAtt", 0)
    (found,) = [each for each in task.stack.resources("AWS::IAM::Role") if each.logical_id == logical_id]
    return identity_statements(found)
