"""The image of a rehearsal: the workload's source as a real OCI image in the tooling account's registry.

No container engine is assumed, so the Dockerfile is not executed and the one layer is the source tree itself. What the
landing zone depends on is real: the content-hash tag, the manifest, its digest, and who may push and pull it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import Configuration
from config.naming import Names
from operations.image import image_tag
from rehearsal.oci import pack, push

PLATFORMS = {"arm64": "arm64", "x86_64": "amd64"}


@dataclass(frozen=True)
class PushedImage:
    """An image in the registry.

    Args:
        workload: its workload.
        repository: repository in the tooling account.
        tag: `source-` and a hash of the source.
        digest: as the registry gave it.
    """

    workload: str
    repository: str
    tag: str
    digest: str


def push_images(
    ecr: Any,
    configuration: Configuration,
    *,
    root: Path,
    directory: Path,
) -> tuple[PushedImage, ...]:
    """Push each workload's image and write the `image.json` that synthesis reads.

    Args:
        ecr: ECR client of the tooling account.
        configuration: the organization.
        root: folder that the workloads' paths are relative to.
        directory: where `<workload>/image.json` goes.
    """
    pushed = []
    for name, workload in configuration.workloads.items():
        # Another repository cannot be reached from here; its sample stands in, and the report says so.
        source = root / (workload.source.path or "workloads/django/app")
        repository = Names(configuration).repository(name)
        tag = image_tag(source, workload.architecture, workload.source.target)
        given = _push(ecr, repository, tag, source, workload.architecture, workload.source.target)
        pushed.append(PushedImage(name, repository, tag, given))
        target = directory / name / "image.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            json.dumps({"digest": given, "tag": tag, "repository": repository}), encoding="utf-8"
        )
    return tuple(pushed)


def _push(
    ecr: Any, repository: str, tag: str, source: Path, architecture: str, target: str | None = None
) -> str:
    labels = {"org.opencontainers.image.title": repository}
    return push(ecr, repository, tag, pack(source, PLATFORMS[architecture], labels, target))
