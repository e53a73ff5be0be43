"""A pipeline as it was deployed: stages, actions, roles and artifact stores, every reference resolved."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.emulator.calls import client
from rehearsal.emulator.shapes import to_request


@dataclass(frozen=True)
class Action:
    """One action of a stage.

    Args:
        name: its name; unique within the stage.
        category: such as Build or Approval.
        provider: such as CodeBuild or Manual.
        run_order: actions with the same number run side by side.
        configuration: as the provider wants it, with its #{variables}.
        inputs: names of its input artifacts.
        outputs: names of its output artifacts.
        role_arn: the role that it works with; the pipeline's own if empty.
        region: where it works; the pipeline's own region if empty.
        namespace: of the variables that it gives; empty if it gives none.
    """

    name: str
    category: str
    provider: str
    run_order: int
    configuration: Mapping[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    role_arn: str
    region: str
    namespace: str


@dataclass(frozen=True)
class Stage:
    """One stage.

    Args:
        name: its name.
        actions: its actions, in the order of the definition.
    """

    name: str
    actions: tuple[Action, ...]

    def steps(self) -> tuple[tuple[Action, ...], ...]:
        """Give the actions that run side by side, step after step."""
        ordered = sorted(self.actions, key=lambda action: action.run_order)
        return tuple(tuple(group) for _, group in itertools.groupby(ordered, key=lambda a: a.run_order))


@dataclass(frozen=True)
class Store:
    """Where artifacts of one region are kept.

    Args:
        bucket: the bucket.
        key: ARN of its key or of the key's alias; empty for S3's own key.
    """

    bucket: str
    key: str


@dataclass(frozen=True)
class Definition:
    """A pipeline's definition.

    Args:
        name: its name.
        role_arn: the role that CodePipeline works with.
        stages: its stages, in order.
        stores: region -> artifact store.
        restart_on_update: whether an update starts it again.
        structure: the definition as the API tells it, without its version.
    """

    name: str
    role_arn: str
    stages: tuple[Stage, ...]
    stores: Mapping[str, Store]
    restart_on_update: bool
    structure: Mapping[str, Any]

    def stage(self, name: str) -> Stage | None:
        """Find a stage; None if there is none of this name."""
        return next((stage for stage in self.stages if stage.name == name), None)


def read_definition(name: str, region: str, properties: Mapping[str, Any]) -> Definition:
    """Read the resolved properties of an AWS::CodePipeline::Pipeline.

    Args:
        name: the pipeline's physical name.
        region: its region.
        properties: the properties.

    Raises:
        ValueError: CodePipeline would refuse it.
    """
    structure = to_request(client("codepipeline", region=region), "CreatePipeline", {"Pipeline": properties})[
        "pipeline"
    ]
    # CloudFormation has a list here, the API a map.
    listed = {str(item["Region"]): item["ArtifactStore"] for item in properties.get("ArtifactStores") or []}
    single = properties.get("ArtifactStore")
    stores = {where: _store(store) for where, store in (listed or {region: single or {}}).items()}
    structure["name"] = name
    if listed:
        structure["artifactStores"] = {where: _store_structure(store) for where, store in stores.items()}
    stages = tuple(_stage(stage) for stage in structure.get("stages", []))
    _check(name, stages, stores, region)
    return Definition(
        name=name,
        role_arn=str(structure["roleArn"]),
        stages=stages,
        stores=stores,
        restart_on_update=str(properties.get("RestartExecutionOnUpdate", "")).lower() == "true",
        structure=structure,
    )


def _store(properties: Mapping[str, Any]) -> Store:
    return Store(
        str(properties.get("Location", "")), str((properties.get("EncryptionKey") or {}).get("Id", ""))
    )


def _store_structure(store: Store) -> dict[str, Any]:
    key = {"encryptionKey": {"id": store.key, "type": "KMS"}} if store.key else {}
    return {"type": "S3", "location": store.bucket, **key}


def _stage(structure: Mapping[str, Any]) -> Stage:
    return Stage(str(structure["name"]), tuple(_action(action) for action in structure["actions"]))


def _action(structure: Mapping[str, Any]) -> Action:
    kind = structure["actionTypeId"]
    return Action(
        name=str(structure["name"]),
        category=str(kind["category"]),
        provider=str(kind["provider"]),
        run_order=int(structure.get("runOrder", 1)),
        configuration=structure.get("configuration", {}),
        inputs=tuple(item["name"] for item in structure.get("inputArtifacts", [])),
        outputs=tuple(item["name"] for item in structure.get("outputArtifacts", [])),
        role_arn=str(structure.get("roleArn", "")),
        region=str(structure.get("region", "")),
        namespace=str(structure.get("namespace", "")),
    )


def _check(name: str, stages: tuple[Stage, ...], stores: Mapping[str, Store], region: str) -> None:
    """Refuse what CodePipeline would refuse (its user guide, Pipeline structure reference)."""
    if len(stages) < 2:  # noqa: PLR2004 (a source and something to do with it)
        raise ValueError(f"Pipeline {name} should have at least 2 stages")
    if any(action.category != "Source" for action in stages[0].actions):
        raise ValueError(f"Pipeline {name} must start with a stage that only contains source actions")
    made: set[str] = set()
    for stage in stages:
        for step in stage.steps():
            for action in step:
                absent = [artifact for artifact in action.inputs if artifact not in made]
                if absent:
                    raise ValueError(
                        f"Input Artifact Bundle {absent[0]} in action {action.name} is not declared as an Output "
                        "Artifact Bundle in any of the preceding actions"
                    )
                if (action.region or region) not in stores:
                    raise ValueError(
                        f"Action {action.name} is in region {action.region or region}, which has no artifact store"
                    )
            made.update(artifact for action in step for artifact in action.outputs)
