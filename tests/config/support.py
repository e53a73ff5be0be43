"""The sample organization as plain data to spoil, and what the loader says about it."""

import copy
import json
from typing import Any

from config import ConfigurationError, Problem, load_text
from tests.documents import SAMPLE

Json = dict[str, Any]
APP = "workloads.my-django-app"
STAGING = f"{APP}.environments.staging"
PRODUCTION = f"{APP}.environments.production"
SAMPLE_TEXT = SAMPLE.read_text(encoding="utf-8")
_SAMPLE: Json = json.loads(SAMPLE_TEXT)


def sample() -> Json:
    """Return a fresh copy of the sample."""
    return copy.deepcopy(_SAMPLE)


def app(data: Json) -> Json:
    """Return the sample's only workload."""
    workload: Json = data["workloads"]["my-django-app"]
    return workload


def staging(data: Json) -> Json:
    """Return its staging environment."""
    environment: Json = app(data)["environments"]["staging"]
    return environment


def production(data: Json) -> Json:
    """Return its production environment."""
    environment: Json = app(data)["environments"]["production"]
    return environment


def problems(data: Any, *, check_files: bool = False) -> tuple[Problem, ...]:
    """Return what the loader finds wrong with a document (or with JSON text); nothing if it is valid."""
    text = data if isinstance(data, str) else json.dumps(data, indent=2)
    try:
        load_text(text, "accounts.json", check_files=check_files)
    except ConfigurationError as error:
        return error.problems
    return ()


def refused(data: Any, path: str, *words: str, check_files: bool = False) -> Problem:
    """Assert that there is one problem, at this path, whose text has these words in it."""
    found = problems(data, check_files=check_files)
    assert [problem.path for problem in found] == [path]
    (problem,) = found
    text = f"{problem.problem} | {problem.allowed} | {problem.fix}"
    for word in words:
        assert word in text
    return problem


def accepted(data: Any) -> None:
    """Assert that nothing is wrong."""
    assert problems(data) == ()


def add_environment(data: Json, name: str, **keys: Any) -> Json:
    """Add a valid environment of class staging in an account of its own, and change some of its keys."""
    number = len(app(data)["environments"]) + 1
    data["accounts"]["workloads"][name] = f"{number:012d}"
    environment: Json = {
        "class": "staging",
        "account": name,
        "domain": f"{name}.acme.example",
        "cidr": f"10.{number}.0.0/20",
        **keys,
    }
    app(data)["environments"][name] = environment
    return environment


def add_workload(data: Json, name: str) -> Json:
    """Add a valid workload with one environment, `demo`."""
    number = 10 + len(data["workloads"])
    data["accounts"]["workloads"][f"{name}-demo"] = f"{number:012d}"
    workload: Json = {
        "source": {"path": f"workloads/{name}"},
        "environments": {
            "demo": {
                "class": "staging",
                "account": f"{name}-demo",
                "domain": f"{name}.acme.example",
                "cidr": f"10.{number}.0.0/20",
            }
        },
    }
    data["workloads"][name] = workload
    return workload
