"""Reads the pipeline out of its template."""

import json
from dataclasses import dataclass

from tests.assembly import Assembly, Json, Resource


@dataclass(frozen=True)
class Action:
    """One action of a stage of the pipeline.

    Args:
        name: its name.
        category: Source, Build, Deploy or Approval.
        order: its run order; equal ones run at the same time.
        body: all that the template says about it.
    """

    name: str
    category: str
    order: int
    body: Json


def pipeline(assembly: Assembly) -> Resource:
    """Return the pipeline."""
    return assembly["Pipeline"].resource("AWS::CodePipeline::Pipeline")


def stages(assembly: Assembly) -> list[str]:
    """Return the names of its stages in their order."""
    return [stage["Name"] for stage in pipeline(assembly).get("Stages")]


def actions(assembly: Assembly, stage_name: str) -> dict[str, Action]:
    """Return the actions of a stage by their name, in the order in which they run."""
    stage = next(stage for stage in pipeline(assembly).get("Stages") if stage["Name"] == stage_name)
    found = [
        Action(body["Name"], body["ActionTypeId"]["Category"], body["RunOrder"], body)
        for body in stage["Actions"]
    ]
    return {action.name: action for action in sorted(found, key=lambda action: action.order)}


def project(assembly: Assembly, action: Action) -> Resource:
    """Return the CodeBuild project that an action runs."""
    reference = action.body["Configuration"]["ProjectName"]["Ref"]
    return assembly["Pipeline"].resource("AWS::CodeBuild::Project", reference)


def _specification(assembly: Assembly, action: Action) -> Json:
    text: str = project(assembly, action).get("Source", "BuildSpec")
    if text.startswith("buildspec-"):
        text = (assembly.directory / text).read_text(encoding="utf-8")
    specification: Json = json.loads(text)
    return specification


def environment_of(assembly: Assembly, action: Action) -> Json:
    """Return the environment that an action's build specification asks for."""
    found: Json = _specification(assembly, action)["env"]
    return found


def commands(assembly: Assembly, action: Action) -> list[str]:
    """Return all commands of an action's build specification, from install to build."""
    phases: Json = _specification(assembly, action)["phases"]
    return [
        command
        for phase in ("install", "pre_build", "build")
        for command in phases.get(phase, {}).get("commands", [])
    ]


def role_of(assembly: Assembly, action: Action) -> Resource:
    """Return the role that an action's project runs with."""
    logical_id = project(assembly, action).get("ServiceRole", "Fn::GetAtt", 0)
    return next(
        role for role in assembly["Pipeline"].resources("AWS::IAM::Role") if role.logical_id == logical_id
    )


def environment(assembly: Assembly, action: Action) -> Json:
    """Return the machine that an action's project runs on."""
    found: Json = project(assembly, action).get("Environment")
    return found


def variables(action: Action) -> list[Json]:
    """Return the environment variables that an action hands to its project."""
    found: list[Json] = json.loads(action.body["Configuration"].get("EnvironmentVariables", "[]"))
    return found
