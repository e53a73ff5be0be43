"""The digests that the image build hands to synthesis, one `images/<workload>/image.json` per workload."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.models import Configuration

PLACEHOLDER_DIGEST = "sha256:" + "0" * 64
"""Stands for an image that was not built yet; every environment's first action refuses to deploy it."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class ImageFileError(Exception):
    """An `image.json` that cannot be used; the message names the file, the problem and the fix."""


@dataclass(frozen=True)
class Image:
    """One built image.

    Args:
        digest: `sha256:...` of the image's manifest in the tooling registry.
    """

    digest: str = PLACEHOLDER_DIGEST

    @property
    def is_placeholder(self) -> bool:
        """Whether no image was built yet."""
        return self.digest == PLACEHOLDER_DIGEST


def read_images(directory: Path, configuration: Configuration) -> Mapping[str, Image]:
    """Read each workload's image; one without a file gets the placeholder.

    Args:
        directory: folder that holds `<workload>/image.json`.
        configuration: names the workloads.

    Raises:
        ImageFileError: a file is there and not usable.
    """
    return {name: _read(directory / name / "image.json") for name in configuration.workloads}


def _read(path: Path) -> Image:
    if not path.is_file():
        return Image()
    try:
        digest = json.loads(path.read_text(encoding="utf-8"))["digest"]
    except (ValueError, KeyError, TypeError) as error:
        message = f'{path}: no image file ({error!r}); expected {{"digest": "sha256:..."}}; delete it or build again'
        raise ImageFileError(message) from error
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        message = (
            f"{path}: digest {digest!r} is not sha256: and 64 hexadecimal digits; delete it or build again"
        )
        raise ImageFileError(message)
    return Image(digest)
