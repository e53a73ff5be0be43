"""Organizations to build: a sample of the tests' own, variants of it, and the one that is really configured.

The tests' sample is not `config/accounts.json`, for that one is yours to change: what the tests say of accounts and
names they say of the sample, and what must hold for every organization they also check of yours.
"""

import copy
import json
from pathlib import Path
from typing import Any

from config import Configuration
from config.images import Image
from config.loader import DEFAULT_FILE, load_text
from tests.assembly import Json

SAMPLE = Path(__file__).with_name("organization.json")
WORKLOAD = "my-django-app"
STAGING = "MyDjangoAppStaging"
PRODUCTION = "MyDjangoAppProduction"
DIGEST = "sha256:" + "5e" * 32
OTHER_DIGEST = "sha256:" + "7a" * 32


def sample() -> Json:
    """Return the organization that the tests know by heart, free to change."""
    document: Json = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return document


def ours() -> Json:
    """Return the organization that is really configured; at first it is the sample."""
    document: Json = json.loads(DEFAULT_FILE.read_text(encoding="utf-8"))
    return document


def changed(changes: dict[str, Any], document: Json | None = None) -> Json:
    """Return a document with changes; the sample's if no other is given.

    Args:
        changes: dotted place -> value. `staging` and `production` stand for the environments of the sample.
        document: what to change; it is left as it is.
    """
    document = copy.deepcopy(document) if document is not None else sample()
    environments = f"workloads.{WORKLOAD}.environments"
    for place, value in changes.items():
        first, dot, rest = place.partition(".")
        full = f"{environments}.{place}" if first in {"staging", "production"} else place
        full = f"workloads.{WORKLOAD}{dot}{rest}" if first == "workload" else full
        *parents, last = full.split(".")
        target = document
        for step in parents:
            target = target.setdefault(step, {})
        target[last] = value
    return document


def with_second_workload() -> Json:
    """Return the sample with another workload, from a repository of its own, in accounts of its own."""
    document = sample()
    document["accounts"]["workloads"] |= {"shop-staging": "555555555555", "shop": "666666666666"}
    environments = copy.deepcopy(document["workloads"][WORKLOAD]["environments"])
    environments["staging"] |= {
        "account": "shop-staging",
        "domain": "shop-staging.acme.example",
        "cidr": "10.3.0.0/24",
    }
    environments["production"] |= {"account": "shop", "domain": "shop.acme.example", "cidr": "10.4.0.0/16"}
    document["workloads"]["shop"] = {
        "source": {"repository": "acme/shop", "branch": "trunk"},
        "architecture": "x86_64",
        "port": 9000,
        "health_path": "/healthz",
        "environments": environments,
    }
    return document


def with_third_environment() -> Json:
    """Return the sample with one more environment of its workload."""
    document = sample()
    document["accounts"]["workloads"]["preview"] = "777777777777"
    environments = document["workloads"][WORKLOAD]["environments"]
    preview = copy.deepcopy(environments["staging"])
    preview |= {"account": "preview", "domain": "preview.acme.example", "cidr": "10.5.0.0/20"}
    environments["preview"] = preview
    return document


def in_region(region: str) -> Json:
    """Return the sample in another home region."""
    document = changed({"organization.region": region})
    pipeline = document["pipeline"]
    pipeline["connection_arn"] = pipeline["connection_arn"].replace("eu-west-1", region)
    return document


def configured(document: Json) -> Configuration:
    """Validate a document as the file would be."""
    return load_text(json.dumps(document), "accounts.json", check_files=False)


def images(configuration: Configuration, digest: str = DIGEST) -> dict[str, Image]:
    """Return an image for each workload."""
    return {name: Image(digest) for name in configuration.workloads}
