"""The image of a rehearsal: the workload's source as a real OCI image in the tooling account's registry.

No container engine is assumed, so the Dockerfile is not executed and the one layer is the source tree itself. What the
landing zone depends on is real: the content-hash tag, the manifest, its digest, and who may push and pull it.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import Configuration
from config.naming import Names
from operations.image import image_tag
from operations.source import source_files

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
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
        tag = image_tag(source, workload.architecture)
        given = _push(ecr, repository, tag, source, workload.architecture)
        pushed.append(PushedImage(name, repository, tag, given))
        target = directory / name / "image.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            json.dumps({"digest": given, "tag": tag, "repository": repository}), encoding="utf-8"
        )
    return tuple(pushed)


@dataclass(frozen=True)
class Image:
    """An image that is packed and not pushed yet.

    Args:
        layer: its one layer, compressed.
        config: its configuration.
        manifest: its manifest.
    """

    layer: bytes
    config: bytes
    manifest: bytes


def pack(source: Path, architecture: str, labels: Mapping[str, str]) -> Image:
    """Pack a source into an image; the same source gives the same bytes.

    Args:
        source: folder with the Dockerfile.
        architecture: as the OCI specification names it, such as `arm64` or `amd64`.
        labels: of the image.
    """
    tar = _layer(source)
    layer = gzip.compress(tar, mtime=0)
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": [digest(tar)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": LAYER_TYPE, "digest": digest(layer), "size": len(layer)}],
        }
    )
    return Image(layer, config, manifest)


def push(ecr: Any, repository: str, tag: str, image: Image) -> str:
    """Push an image, with the rights of the client; return the digest that the registry gave it.

    Args:
        ecr: ECR client of the registry's account.
        repository: the repository.
        tag: the tag.
        image: the image.
    """
    for blob in (image.layer, image.config):
        _upload(ecr, repository, blob)
    answer = ecr.put_image(
        repositoryName=repository,
        imageManifest=image.manifest.decode(),
        imageManifestMediaType=MANIFEST_TYPE,
        imageTag=tag,
    )
    given: str = answer["image"]["imageId"]["imageDigest"]
    return given


def _push(ecr: Any, repository: str, tag: str, source: Path, architecture: str) -> str:
    labels = {"org.opencontainers.image.title": repository}
    return push(ecr, repository, tag, pack(source, PLATFORMS[architecture], labels))


def _upload(ecr: Any, repository: str, blob: bytes) -> None:
    upload = ecr.initiate_layer_upload(repositoryName=repository)
    ecr.upload_layer_part(
        repositoryName=repository,
        uploadId=upload["uploadId"],
        partFirstByte=0,
        partLastByte=len(blob) - 1,
        layerPartBlob=blob,
    )
    ecr.complete_layer_upload(
        repositoryName=repository, uploadId=upload["uploadId"], layerDigests=[digest(blob)]
    )


def _layer(source: Path) -> bytes:
    """Pack the source the same way every time: sorted, with no owner and no time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for relative in source_files(source):
            path = source / relative
            entry = tarfile.TarInfo(f"app/{relative}")
            entry.size = path.stat().st_size
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
    return buffer.getvalue()


def digest(blob: bytes) -> str:
    """Return what the blob is called in a registry."""
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
