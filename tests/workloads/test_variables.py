"""Variables under other names, variables of one environment, and what is left out without workers."""

import json

import pytest

from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.workloads.tasks import permissions, secrets, variables

RENAMED = documents.tuned()["workloads"][documents.WORKLOAD]["injected_variables"]


@pytest.fixture(scope="module")
def tuned(synthesize: Synthesize) -> Assembly:
    """An organization whose workload has names of its own, and no beat."""
    return synthesize(documents.tuned())


@pytest.mark.parametrize("process", ["Release", "Web", "Worker"])
def test_variables_have_the_names_that_the_workload_reads(tuned: Assembly, process: str) -> None:
    found = {**variables(tuned, documents.STAGING, process), **secrets(tuned, documents.STAGING, process)}
    assert {"PGHOST", "PGPASSWORD"} <= set(found)
    assert ("ASSETS" in found) == (process == "Release")
    assert not set(RENAMED) & set(found)


@pytest.mark.parametrize("process", ["Release", "Web", "Worker"])
def test_variables_of_an_environment_reach_its_containers_alone(tuned: Assembly, process: str) -> None:
    assert variables(tuned, documents.STAGING, process)["FEATURE_FLAGS"] == "a,b"
    assert "FEATURE_FLAGS" not in variables(tuned, documents.PRODUCTION, process)


@pytest.mark.parametrize("process", ["Release", "Web"])
def test_without_a_queue_no_container_hears_of_one(synthesize: Synthesize, process: str) -> None:
    bare = synthesize(documents.bare())
    assert not [name for name in variables(bare, documents.STAGING, process) if name.startswith("CELERY")]
    assert "sqs:" not in json.dumps([each.body for each in permissions(bare, documents.STAGING, process)])
