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
EXISTING_ZONE = "Z0123456789ABCDEFGHIJ"
EXISTING_GATEWAY = "tgw-0123456789abcdef0"
CONNECTION = "arn:aws:codeconnections:eu-west-1:111111111111:connection/00000000-0000-0000-0000-000000000000"
OTHER_CONNECTION = CONNECTION.replace("00000000-", "11111111-")


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


def bare() -> Json:
    """Return the sample with everything left out that can be: gateway, endpoints, a zone of its own, workers."""
    return changed(
        {
            "organization.availability_zones": ["b", "c"],
            "dns.parent": EXISTING_ZONE,
            "network.transit_gateway": "off",
            "network.egress": "local",
            "network.endpoints": "none",
            "pipeline.docker_hub_secret": "docker-hub",
            "pipeline.approvals": ["staging", "production"],
            "workload.commands": {"worker": None, "beat": None},
        }
    )


def tuned() -> Json:
    """Return the sample with every size, name and command changed, three zones, and egress of its own."""
    return changed(
        {
            "organization.availability_zones": ["a", "b", "c"],
            "network.egress": "local",
            "staging.cidr": "10.1.0.0/22",
            "production.cidr": "10.2.0.0/23",
            "staging.database": {
                "min_capacity": 1,
                "max_capacity": 4.5,
                "backup_days": 3,
                "deletion_protection": True,
            },
            "staging.cors_allowed_origins": ["https://app.acme.example"],
            "staging.variables": {"FEATURE_FLAGS": "a,b"},
            "workload.commands": {
                "web": ["gunicorn", "shop.wsgi"],
                "worker": ["celery", "worker"],
                "beat": None,
            },
            "workload.injected_variables": {
                "DATABASE_HOST": "PGHOST",
                "DATABASE_PASSWORD": "PGPASSWORD",
                "STATIC_BUCKET": "ASSETS",
            },
        }
    )


def closed() -> Json:
    """Return the sample without any way to the internet."""
    return changed({"network.egress": "none"})


def with_existing_gateway() -> Json:
    """Return the sample behind somebody else's transit gateway, without endpoints of its own."""
    return changed({"network.transit_gateway": EXISTING_GATEWAY, "network.endpoints": "none"})


def with_second_workload() -> Json:
    """Return the sample with another workload, from a repository of its own, in accounts of its own; three zones."""
    document = changed(
        {"organization.availability_zones": ["a", "b", "c"], "network.hub_cidr": "10.0.0.0/24"}
    )
    document["accounts"]["workloads"] |= {"shop-staging": "555555555555", "shop": "666666666666"}
    environments = copy.deepcopy(document["workloads"][WORKLOAD]["environments"])
    environments["staging"] |= {
        "account": "shop-staging",
        "domain": "shop-staging.acme.example",
        "cidr": "10.3.0.0/24",
    }
    environments["production"] |= {"account": "shop", "domain": "shop.acme.example", "cidr": "10.4.0.0/16"}
    document["workloads"]["shop"] = {
        "source": {"repository": "acme/shop", "branch": "trunk", "connection_arn": OTHER_CONNECTION},
        "architecture": "x86_64",
        "port": 9000,
        "health_path": "/healthz",
        "environments": environments,
    }
    return document


def with_shared_repository() -> Json:
    """Return two workloads from one repository, in a parent zone that exists already."""
    document = with_second_workload()
    document["dns"]["parent"] = EXISTING_ZONE
    document["workloads"][WORKLOAD]["source"] = document["workloads"]["shop"]["source"]
    return document


def with_third_environment() -> Json:
    """Return the sample with one more environment of its workload, in the account of staging."""
    document = sample()
    environments = document["workloads"][WORKLOAD]["environments"]
    preview = {**environments["staging"], "domain": "preview.acme.example", "cidr": "10.5.0.0/20"}
    environments["preview"] = preview
    for name in ("preview", "staging"):
        environments[name]["share_account"] = True
    return document


def with_twenty_environments() -> Json:
    """Return five workloads of four environments each, that deploy in waves of four."""
    document = changed({"pipeline.wave_size": 4})
    (workload,) = document["workloads"].values()
    document["workloads"], document["accounts"]["workloads"] = {}, {}
    for number in range(20):
        name, environment = f"app-{number // 4}", ("staging", "europe", "asia", "america")[number % 4]
        account = f"{name}-{environment}"
        document["accounts"]["workloads"][account] = f"{500_000_000_000 + number}"
        app = document["workloads"].setdefault(name, {**workload, "environments": {}})
        kind = "staging" if environment == "staging" else "production"
        app["environments"][environment] = workload["environments"][kind] | {
            "account": account,
            "domain": f"{environment}-{name}.acme.example",
            "cidr": f"10.{number + 1}.0.0/20",
        }
    return document


def in_region(region: str) -> Json:
    """Return the sample in another home region."""
    document = changed({"organization.region": region})
    pipeline = document["pipeline"]
    pipeline["connection_arn"] = pipeline["connection_arn"].replace("eu-west-1", region)
    return document


VARIANTS: dict[str, Json] = {
    "sample": sample(),
    "ours": ours(),
    "bare": bare(),
    "tuned": tuned(),
    "closed": closed(),
    "existing gateway": with_existing_gateway(),
    "two workloads": with_second_workload(),
    "shared repository": with_shared_repository(),
    "third environment": with_third_environment(),
    "us-east-1": in_region("us-east-1"),
}
"""Every way in which the configuration changes what is made, in as few organizations as possible."""


def configured(document: Json) -> Configuration:
    """Validate a document as the file would be."""
    return load_text(json.dumps(document), "accounts.json", check_files=False)


def images(configuration: Configuration, digest: str = DIGEST) -> dict[str, Image]:
    """Return an image for each workload."""
    return {name: Image(digest) for name in configuration.workloads}
