import pytest

from config.rules.naming import LONGEST_STAGE_NAME
from tests.config.support import (
    STAGING,
    accepted,
    add_environment,
    add_workload,
    app,
    refused,
    sample,
)


def test_rejects_two_stages_of_one_name() -> None:
    data = sample()
    workload = add_workload(data, "my-django")
    workload["environments"]["app-staging"] = workload["environments"].pop("demo")
    refused(
        data,
        "workloads.my-django.environments.app-staging",
        f"its stage would be called MyDjangoAppStaging, like {STAGING}",
    )


def test_rejects_a_stage_called_like_that_of_shared_services() -> None:
    data = sample()
    workload = add_workload(data, "shared")
    workload["environments"]["services"] = workload["environments"].pop("demo")
    refused(data, "workloads.shared.environments.services", "SharedServices", "the landing zone's own stage")


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("aws-portal", "portal"),
        ("ssm", "my-ssm"),
        ("awsome", "ome"),
        ("aws-2", "my-aws-2"),
        ("aws-ssm-x", "my-aws-ssm-x"),
        ("aws-my-django-app", "my-aws-my-django-app"),  # the rest is the name of another workload
        ("a-ws", "my-a-ws"),
    ],
)
def test_rejects_a_workload_whose_parameters_aws_would_refuse(name: str, better: str) -> None:
    data = sample()
    add_workload(data, name)
    refused(data, f"workloads.{name}", "Parameter Store", "neither aws nor ssm", f'"{better}"')


@pytest.mark.parametrize(
    ("workload", "environments"), [("aws-portal", ("demo", "spare")), ("aw", ("sales",))]
)
def test_a_reserved_name_is_told_once_at_its_workload(workload: str, environments: tuple[str, ...]) -> None:
    data = sample()
    added = add_workload(data, workload)
    demo = added["environments"].pop("demo")
    added["environments"][environments[0]] = demo
    for name in environments[1:]:
        added["environments"][name] = add_environment(data, name)
        del app(data)["environments"][name]

    problem = refused(data, f"workloads.{workload}", "Parameter Store")

    better = problem.fix.split('"')[1]
    data["workloads"][better] = data["workloads"].pop(workload)
    accepted(data)


def test_no_name_is_advised_that_would_be_refused_again() -> None:
    data = sample()
    for name in ("portal", "my-aws-portal", "aws-portal"):
        add_workload(data, name)
    assert refused(data, "workloads.aws-portal").fix == "rename the workload"


def test_accepts_a_name_with_aws_in_its_middle() -> None:
    data = sample()
    add_workload(data, "my-aws-portal")
    accepted(data)


def test_rejects_a_stage_whose_name_is_too_long() -> None:
    data = sample()
    workload = add_workload(data, "w" * 22)
    workload["environments"]["e" * 20] = workload["environments"].pop("demo")
    refused(data, f"workloads.{'w' * 22}.environments.{'e' * 20}", "has 42 characters", "at most 36")


@pytest.mark.parametrize("wave", ["ProductionWave1@10", "ProductionWave16@2", "StagingWave16@2"])
def test_the_longest_stage_name_leaves_room_for_the_variables_of_its_packet(wave: str) -> None:
    name = "X" * LONGEST_STAGE_NAME
    assert len(f"{wave}@{name}@Packet-{name}") <= 100
    assert len(f"{name}.RefusePlaceholder-{name}") <= 100, "nor is the name of an action too long"


def test_rejects_names_that_make_a_role_too_long() -> None:
    data = sample()
    data["organization"]["name"] = "x" * 21
    workload = add_workload(data, "x" * 20)
    workload["environments"]["y" * 8] = workload["environments"].pop("demo")
    refused(
        data, f"workloads.{'x' * 20}.environments.{'y' * 8}", "66 characters", "at most 64", "by 2 characters"
    )


def test_accepts_names_that_just_fit() -> None:
    data = sample()
    data["organization"]["name"] = "x" * 21
    workload = add_workload(data, "x" * 20)
    workload["environments"]["y" * 6] = workload["environments"].pop("demo")
    accepted(data)


def test_accepts_one_environment_name_in_several_workloads() -> None:
    data = sample()
    add_workload(data, "shop")["environments"]["staging"] = add_environment(data, "spare")
    del app(data)["environments"]["spare"]
    accepted(data)
