"""Artifacts: every build may read its own inputs and write its own outputs, and no object of another step."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from compliance.policies import Statement, identity_statements
from config.artifacts import folder_of
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import Action, actions, role_of, stages

READ, WRITE = (
    ("s3:GetObject", "s3:GetObjectVersion"),
    ("s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"),
)


def builds(assembly: Assembly) -> Iterator[Action]:
    for stage in stages(assembly):
        for action in actions(assembly, stage).values():
            if action.body["ActionTypeId"]["Provider"] == "CodeBuild":
                yield action


def artifacts(action: Action, side: str) -> set[str]:
    return {each["Name"] for each in action.body.get(side, ())}


def may(statements: list[Statement], action: str, artifact: str) -> bool:
    """Whether IAM would allow it, for an object where CodePipeline puts that artifact."""
    bucket = next(text for each in statements for text in each.resources if "ArtifactsBucket" in text)
    key = f"Pipeline-Pipeline985/{folder_of(artifact)}/a1B2c3D"
    resource = f"{bucket.removesuffix('/*')}/{key}"
    covered = f"arn:aws:s3:::bucket/{key}"

    def applies(each: Statement) -> bool:
        if not any(fnmatchcase(action, pattern) for pattern in each.actions):
            return False
        spared = each.body.get("NotResource")
        if spared is not None:
            patterns = [spared] if isinstance(spared, str) else spared
            return not any(fnmatchcase(covered, pattern) for pattern in patterns)
        return any(fnmatchcase(resource, pattern) for pattern in each.resources)

    found = [each for each in statements if applies(each)]
    return any(each.allows for each in found) and all(each.allows for each in found)


def check(assembly: Assembly) -> None:
    everything = {
        name
        for stage in stages(assembly)
        for action in actions(assembly, stage).values()
        for name in artifacts(action, "OutputArtifacts")
    }
    uses: dict[str, tuple[list[Statement], set[str], set[str]]] = {}
    for action in builds(assembly):  # some share a role
        role = role_of(assembly, action)
        _, reads, writes = uses.setdefault(role.logical_id, (identity_statements(role), set(), set()))
        reads |= artifacts(action, "InputArtifacts")
        writes |= artifacts(action, "OutputArtifacts")
    assert len(uses) > 5
    for role_id, (statements, reads, writes) in uses.items():
        for wanted, given in ((READ, reads), (WRITE, writes)):
            folders = {folder_of(name) for name in given}
            for name in everything:
                found = {may(statements, action, name) for action in wanted}
                assert found == {folder_of(name) in folders}, (role_id, wanted, name)


def test_a_build_touches_the_artifacts_of_its_own_step_and_no_others(organization: Assembly) -> None:
    check(organization)


def test_so_it_is_with_images_in_groups_and_workloads_whose_names_begin_alike(synthesize: Synthesize) -> None:
    many = synthesize(documents.with_twenty_environments())
    check(many)
    images = [action for action in builds(many) if action.name.startswith("Image-")]
    folders = {folder_of(name) for image in images for name in artifacts(image, "OutputArtifacts")}
    assert len(folders) == len(images) > 1


def test_a_workloads_own_repository_is_read_by_its_own_build_alone(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    check(assembly)
    readers = {
        action.name
        for action in builds(assembly)
        if "acme_shop_Source" in artifacts(action, "InputArtifacts")
    }
    assert readers == {"Image-shop"}
