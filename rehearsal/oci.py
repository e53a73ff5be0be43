"""OCI images of a source: packed into one layer, the same bytes each time, and pushed with the ECR API."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.source import source_files

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


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


TARGET_FILE = "target"
"""Beside the source in a layer: the stage of the Dockerfile that is released, if one is named."""


def pack(source: Path, architecture: str, labels: Mapping[str, str], target: str | None = None) -> Image:
    """Pack a source into an image; the same source gives the same bytes.

    Args:
        source: folder with the Dockerfile.
        architecture: as the OCI specification names it, such as `arm64` or `amd64`.
        labels: of the image.
        target: stage of the Dockerfile that is released; the last one if None.
    """
    tar = _layer(source, target)
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


def _layer(source: Path, target: str | None) -> bytes:
    """Pack the source the same way every time: sorted, with no owner and no time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        if target is not None:
            entry = tarfile.TarInfo(TARGET_FILE)
            entry.size = len(target.encode())
            archive.addfile(entry, io.BytesIO(target.encode()))
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
