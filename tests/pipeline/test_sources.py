"""Where the pipeline takes code from, and that it may."""

import pytest

from compliance.policies import identity_statements
from config import ConfigurationError
from tests import documents
from tests.assembly import Assembly, Json
from tests.conftest import Synthesize
from tests.pipeline.actions import actions, pipeline, role_of, stages


def _sources(assembly: Assembly) -> dict[str, Json]:
    return {
        action.body["Configuration"]["FullRepositoryId"]: action.body["Configuration"]
        for action in actions(assembly, "Source").values()
    }


def test_the_pipeline_follows_the_configured_branch(organization: Assembly) -> None:
    assert _sources(organization) == {
        "acme/landing-zone": {
            "ConnectionArn": documents.CONNECTION,
            "FullRepositoryId": "acme/landing-zone",
            "BranchName": "main",
            # A clone: the default zip loses executable bits.
            "OutputArtifactFormat": "CODEBUILD_CLONE_REF",
        }
    }


def test_every_build_that_clones_may_use_the_connection(organization: Assembly) -> None:
    cloning = [
        action
        for stage in stages(organization)
        for action in actions(organization, stage).values()
        if action.category == "Build"
        and any(each["Name"].endswith("_Source") for each in action.body["InputArtifacts"])
    ]
    assert len(cloning) >= 4
    for action in cloning:
        allowed = [
            statement
            for statement in identity_statements(role_of(organization, action))
            if "codeconnections:UseConnection" in statement.actions and statement.allows
        ]
        assert [*allowed[0].resources] == [documents.CONNECTION], action


@pytest.mark.parametrize("prefix", ["codeconnections", "codestar-connections"])
@pytest.mark.parametrize("workload", [documents.WORKLOAD, "shop"])
def test_an_image_build_may_clone_and_not_push(synthesize: Synthesize, workload: str, prefix: str) -> None:
    assembly = synthesize(documents.with_second_workload())
    using = [
        statement
        for statement in identity_statements(
            role_of(assembly, actions(assembly, "Build")[f"Image-{workload}"])
        )
        if f"{prefix}:UseConnection" in statement.actions
    ]
    assert [statement for statement in using if statement.allows]
    (bound,) = [statement for statement in using if not statement.allows]
    assert [*bound.resources] == ["*"]
    assert bound.body["Condition"] == {
        "StringEquals": {f"{prefix}:ProviderPermissionsRequired": "read_write"}
    }


def test_a_workload_may_have_a_repository_of_its_own(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_second_workload())
    assert _sources(assembly)["acme/shop"]["BranchName"] == "trunk"
    image = actions(assembly, "Build")["Image-shop"]
    assert [each["Name"] for each in image.body["InputArtifacts"]] == [
        "acme_landing_zone_Source",
        "acme_shop_Source",
    ]


def test_a_workload_may_have_a_connection_of_its_own(synthesize: Synthesize) -> None:
    sources = _sources(synthesize(documents.with_second_workload()))
    assert {name: each["ConnectionArn"] for name, each in sources.items()} == {
        "acme/landing-zone": documents.CONNECTION,
        "acme/shop": documents.OTHER_CONNECTION,
    }


def test_workloads_may_share_a_repository(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_shared_repository())
    assert list(_sources(assembly)) == ["acme/landing-zone", "acme/shop"]
    for workload in ("my-django-app", "shop"):
        image = actions(assembly, "Build")[f"Image-{workload}"]
        assert "acme_shop_Source" in str(image.body["InputArtifacts"])


def test_a_workload_in_the_repository_of_the_platform_is_named_by_its_path() -> None:
    document = documents.changed({"workload.source": {"repository": "acme/landing-zone", "branch": "main"}})
    with pytest.raises(ConfigurationError) as caught:
        documents.configured(document)
    (problem,) = caught.value.problems
    assert problem.path == "workloads.my-django-app.source.repository"
    assert "path" in problem.fix


@pytest.mark.parametrize(
    "other",
    [
        {"branch": "main", "connection_arn": documents.OTHER_CONNECTION},
        {"branch": "trunk", "connection_arn": documents.CONNECTION},
    ],
)
def test_one_repository_cannot_be_followed_twice_in_different_ways(other: dict[str, str]) -> None:
    document = documents.with_second_workload()
    document["workloads"][documents.WORKLOAD]["source"] = {"repository": "acme/shop", **other}
    with pytest.raises(ConfigurationError) as caught:
        documents.configured(document)
    (problem,) = caught.value.problems
    assert problem.path == "workloads.shop.source"


@pytest.mark.parametrize("repository", ["acme/landing-zone", "acme/shop"])
def test_a_source_may_use_its_own_connection_under_the_prefix_of_its_arn(
    synthesize: Synthesize, repository: str
) -> None:
    assembly = synthesize(documents.with_second_workload())
    action = next(
        each
        for each in actions(assembly, "Source").values()
        if each.body["Configuration"]["FullRepositoryId"] == repository
    )
    logical_id = action.body["RoleArn"]["Fn::GetAtt"][0]
    (role,) = [
        each for each in assembly["Pipeline"].resources("AWS::IAM::Role") if each.logical_id == logical_id
    ]
    allowed = {
        (name, resource)
        for statement in identity_statements(role)
        for name in statement.actions
        for resource in statement.resources
        if name.endswith(":UseConnection")
    }
    arn = _sources(assembly)[repository]["ConnectionArn"]
    # A connection made since July 2024 is a resource of `codeconnections`, and IAM wants the action of that service.
    assert ("codeconnections:UseConnection", arn) in allowed
    assert {resource for _, resource in allowed} == {arn}


def test_the_artifacts_are_encrypted_with_a_key_that_rotates(organization: Assembly) -> None:
    stores = pipeline(organization).get("ArtifactStores")
    assert {store["Region"] for store in stores} == {"eu-west-1", "us-east-1"}
    assert all(store["ArtifactStore"]["EncryptionKey"]["Type"] == "KMS" for store in stores)
    keys = organization.resources("AWS::KMS::Key")
    assert [key.get("EnableKeyRotation") for key in keys] == [True, True]
