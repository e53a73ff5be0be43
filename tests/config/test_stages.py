import json

import pytest

from config import Configuration, ConfigurationError, StageRef, UnknownStageError, load_text
from config.stages import pascal_case
from tests.config.support import SAMPLE_TEXT, Json, add_workload, sample


def load(data: Json) -> Configuration:
    return load_text(json.dumps(data), "accounts.json", check_files=False)


@pytest.fixture
def two_workloads() -> Configuration:
    """A sample with a second workload in front, which has an environment `staging` too."""
    data = sample()
    environments = add_workload(data, "shop")["environments"]
    environments["staging"] = environments.pop("demo")
    data["workloads"] = {"shop": data["workloads"].pop("shop"), **data["workloads"]}
    environments = data["workloads"]["my-django-app"]["environments"]
    environments["staging"] = environments.pop("staging")  # behind production
    return load(data)


def test_stages_of_class_staging_come_first_and_keep_the_order_of_the_file(
    two_workloads: Configuration,
) -> None:
    keys = [stage.key for stage in two_workloads.stages()]
    assert keys == ["shop/staging", "my-django-app/staging", "my-django-app/production"]


def test_a_stage_knows_its_account_name_and_class() -> None:
    first, last = load(sample()).stages()
    assert (first.account_id, first.stage_name, first.is_production) == (
        "333333333333",
        "MyDjangoAppStaging",
        False,
    )
    assert (last.account_id, last.stage_name, last.is_production) == (
        "444444444444",
        "MyDjangoAppProduction",
        True,
    )
    assert last.environment.database.deletion_protection
    assert last.workload.port == 8000


@pytest.mark.parametrize("name", ["my-django-app/production", "MyDjangoAppProduction", "production"])
def test_a_stage_is_found_by_each_of_its_names(name: str) -> None:
    assert load(sample()).find_stage(name).key == "my-django-app/production"


def test_a_name_that_one_workload_alone_has_is_enough(two_workloads: Configuration) -> None:
    assert two_workloads.find_stage("production").key == "my-django-app/production"
    assert two_workloads.find_stage("ShopStaging").key == "shop/staging"


def test_rejects_a_name_that_several_stages_have(two_workloads: Configuration) -> None:
    with pytest.raises(UnknownStageError, match="say which workload: shop/staging"):
        two_workloads.find_stage("staging")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("stagin", "did you mean my-django-app/staging"),
        ("prod", "did you mean my-django-app/production"),
        ("MyDjangoApProduction", "my-django-app/production"),
        ("x", "such as"),
    ],
)
def test_rejects_a_name_that_no_stage_has_and_lists_those_that_exist(name: str, advice: str) -> None:
    with pytest.raises(LookupError) as caught:
        load(sample()).find_stage(name)
    assert isinstance(caught.value, ConfigurationError)
    (problem,) = caught.value.problems
    assert problem.allowed == "my-django-app/staging, my-django-app/production"
    assert advice in problem.fix


def test_account_ids_by_role() -> None:
    assert load_text(SAMPLE_TEXT, "x", check_files=False).account_ids() == {
        "tooling": "111111111111",
        "shared_services": "222222222222",
        "staging": "333333333333",
        "production": "444444444444",
    }


def test_a_configuration_and_its_stages_cannot_be_changed() -> None:
    configuration = load(sample())
    with pytest.raises(ValueError, match="frozen"):
        configuration.organization.name = "other"
    with pytest.raises(AttributeError):
        configuration.stages()[0].account_id = "1"  # type: ignore[misc]
    assert isinstance(configuration.stages()[0], StageRef)


def test_pascal_case() -> None:
    assert pascal_case("my-django-app", "pr-12") == "MyDjangoAppPr12"
