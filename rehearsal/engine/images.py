"""Pulls an image from the rehearsed registry by digest, checks every byte, and builds what its Dockerfile builds."""

import gzip
import hashlib
import io
import json
import re
import ssl
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from rehearsal.engine.cache import BuildError, Cache

__all__ = ["BuildError", "ImageError", "ImageStore", "Reference", "unpacked"]

_REFERENCE = re.compile(
    r"(?P<registry>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[^/]+/(?P<repository>[^@:]+)@(?P<digest>sha256:[0-9a-f]{64})"
)
_TIMEOUT_SECONDS = 30.0


class ImageError(Exception):
    """An image cannot be pulled or run; the message begins as ECS's own does."""


@dataclass(frozen=True)
class Reference:
    """An image in a registry.

    Args:
        registry: account of the registry.
        region: its region.
        repository: the repository.
        digest: of the manifest.
    """

    registry: str
    region: str
    repository: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256:...`.

        Raises:
            ImageError: it is anything else; an image without a digest is not the one that was tested.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise ImageError(f"CannotPullContainerError: {text} names no digest in a private registry")
        return cls(**found.groupdict())


class ImageStore:
    """The images that were pulled and built.

    Args:
        cache: where they are kept.
        endpoint: URL of the local AWS.
        ca_file: the authority that signed its certificate.
    """

    def __init__(self, cache: Cache, *, endpoint: str, ca_file: Path) -> None:
        self._cache = cache
        self._endpoint = endpoint
        self._ca_file = ca_file
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="image")

    def prepare(self, ecr: Any, image: Reference) -> "Future[Path]":
        """Pull and build in the background, so that the image is there when the first task wants it.

        Args:
            ecr: ECR client with the rights to pull.
            image: what to pull.

        Returns:
            The future of `pull`.
        """
        return self._pool.submit(self.pull, ecr, image)

    def pull(self, ecr: Any, image: Reference) -> Path:
        """Pull and build an image; both are asked of the registry and of IAM each time, and done once.

        Args:
            ecr: ECR client with the rights to pull.
            image: what to pull.

        Returns:
            The folder that `bin/build` filled; the program's own folder is `app` in it.

        Raises:
            ImageError: it is not there, may not be pulled, is not what its digest says, or cannot be built.
        """
        try:
            manifest = self._manifest(ecr, image)
            layers = [
                (layer["digest"], self._layer_url(ecr, image, layer["digest"]))
                for layer in manifest["layers"]
            ]
            return self._cache.built(
                [digest for digest, _ in layers],
                lambda: [unpacked(self._blob(url, digest)) for digest, url in layers],
            )
        except ClientError as error:
            raise ImageError(
                f"CannotPullContainerError: {image.repository}@{image.digest}: {error}"
            ) from error
        except BuildError as error:
            raise ImageError(f"CannotBuildImage: {error}") from error

    def close(self) -> None:
        """Let nothing new begin."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _manifest(self, ecr: Any, image: Reference) -> Any:
        ecr.get_authorization_token()
        answer = ecr.batch_get_image(
            registryId=image.registry,
            repositoryName=image.repository,
            imageIds=[{"imageDigest": image.digest}],
        )
        if not answer["images"]:
            raise ImageError(f"CannotPullContainerError: {image.repository}@{image.digest}: not found")
        text = answer["images"][0]["imageManifest"].encode()
        _check(text, image.digest)
        return json.loads(text)

    def _layer_url(self, ecr: Any, image: Reference, digest: str) -> str:
        url: str = ecr.get_download_url_for_layer(
            registryId=image.registry, repositoryName=image.repository, layerDigest=digest
        )["downloadUrl"]
        return url

    def _blob(self, url: str, digest: str) -> bytes:
        """Download a layer from where the registry said, at the local AWS's address."""
        parts = urlsplit(url)
        where = f"{self._endpoint}{parts.path}"
        request = urllib.request.Request(where, headers={"Host": parts.netloc})  # noqa: S310 (always https)
        context = ssl.create_default_context(cafile=str(self._ca_file))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                content: bytes = answer.read()
        except urllib.error.URLError as error:
            raise ImageError(f"CannotPullContainerError: layer {digest}: {error}") from error
        _check(content, digest)
        return content


def _check(content: bytes, digest: str) -> None:
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != digest:
        raise ImageError(f"CannotPullContainerError: the registry gave {found} for {digest}")


def unpacked(layer: bytes) -> Callable[[Path], None]:
    """Return what unpacks a layer into a folder: plain files alone, as our layers hold, and none outside of it."""

    def unpack(folder: Path) -> None:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
            for entry in archive:
                parts = PurePosixPath(entry.name).parts
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is None or not parts or parts[0] == "/" or ".." in parts:
                    raise ImageError(
                        f"CannotPullContainerError: the layer holds {entry.name}, which is no plain file"
                    )
                path = folder.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
                path.chmod(entry.mode & 0o777)

    return unpack
