"""The image registry: one repository per workload, pulled by its own environments alone."""

import json

from compliance.policies import statements
from tests import documents
from tests.assembly import Assembly, Resource
from tests.conftest import Synthesize


def _repositories(assembly: Assembly) -> dict[str, Resource]:
    return {
        each.get("RepositoryName"): each for each in assembly["Registry"].resources("AWS::ECR::Repository")
    }


def test_a_tag_never_moves_and_every_image_is_scanned(organization: Assembly) -> None:
    repository = _repositories(organization)["acme/my-django-app"]
    assert repository.get("ImageTagMutability") == "IMMUTABLE"
    assert repository.get("ImageScanningConfiguration") == {"ScanOnPush": True}


def test_only_the_accounts_of_a_workloads_environments_may_pull_its_images(synthesize: Synthesize) -> None:
    repositories = _repositories(synthesize(documents.with_second_workload()))
    accounts = {
        "acme/my-django-app": ("333333333333", "444444444444"),
        "acme/shop": ("555555555555", "666666666666"),
    }
    assert set(repositories) == set(accounts)
    for name, repository in repositories.items():
        (pull,) = statements(repository, repository.get("RepositoryPolicyText"))
        assert pull.allows
        assert pull.principals == tuple(f"AWS:arn:aws:iam::{account}:root" for account in accounts[name])
        assert set(pull.actions) == {
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        }


def test_old_images_go_at_last(organization: Assembly) -> None:
    policy = json.loads(
        _repositories(organization)["acme/my-django-app"].text("LifecyclePolicy", "LifecyclePolicyText")
    )
    (rule,) = policy["rules"]
    assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 200}


def test_the_registry_is_there_before_the_pipeline_pushes_to_it(organization: Assembly) -> None:
    assert "Registry" in organization.dependencies(organization["Pipeline"])
