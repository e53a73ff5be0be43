"""The tables that were copied from elsewhere, compared with a second source."""

import json
from importlib.resources import files

import botocore.session
import pytest
from aws_cdk.region_info import RegionInfo

from config.fargate import MEMORY_OF_CPU, cpu_for, memory_for, next_memory
from config.regions import HOME_REGIONS, OPT_IN_REGIONS, OTHER_PARTITIONS, REGIONS
from config.variables import INJECTED_VARIABLES


def test_regions_are_those_that_botocore_knows() -> None:
    session = botocore.session.get_session()
    assert tuple(sorted(session.get_available_regions("ec2", partition_name="aws"))) == REGIONS


def test_opt_in_regions_are_those_that_the_cdk_knows() -> None:
    assert {region for region in REGIONS if RegionInfo.get(region).is_opt_in_region} == OPT_IN_REGIONS
    assert set(HOME_REGIONS) == set(REGIONS) - OPT_IN_REGIONS


def test_regions_of_other_partitions_are_recognized() -> None:
    session = botocore.session.get_session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ec2", partition_name=partition):
            assert region.startswith(OTHER_PARTITIONS) == (partition != "aws")


def test_fargates_pairs_are_those_that_cfn_lint_knows() -> None:
    schema = files("cfnlint.data.schemas.extensions.aws_ecs_taskdefinition") / "fargate_cpu_memory.json"
    table = {}
    for option in json.loads(schema.read_text(encoding="utf-8"))["then"]["anyOf"]:
        rule = option["properties"]["Memory"]["then"]
        sizes = rule.get("enum") or range(rule["minimum"], rule["maximum"] + 1, rule["multipleOf"])
        table[int(option["properties"]["Cpu"]["then"]["enum"][0])] = tuple(sizes)
    assert table == dict(MEMORY_OF_CPU)


@pytest.mark.parametrize(
    ("cpu", "words"),
    [
        (256, "512, 1024 or 2048"),
        (2048, "4096 to 16384 in steps of 1024"),
        (32768, "61440, 122880 or 249856"),
    ],
)
def test_memory_sizes_in_words(cpu: int, words: str) -> None:
    assert memory_for(cpu) == words


def test_sizes_that_fit() -> None:
    assert cpu_for(1024) == (256, 512)
    assert cpu_for(1000) == ()
    assert (next_memory(1000), next_memory(10**9)) == (1024, 249856)


def test_injected_variables_have_a_meaning() -> None:
    assert all(name.isupper() and meaning for name, meaning in INJECTED_VARIABLES.items())
