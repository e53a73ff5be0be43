"""Publish the hashed static files of this image; the ones of earlier images stay.

While a release rolls, pages of the old and of the new version are served side by side, and each asks
for the files of its own version. A name has the hash of its content, so a key that exists is right.
"""

import json
import logging
import mimetypes
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_CACHE_CONTROL = "public, max-age=31536000, immutable"
_PARALLEL = 8


class StaticFilesError(Exception):
    """The image holds no usable static files."""


def hashed_files(root: Path) -> list[str]:
    """Return the names that the manifest in the image points to."""
    manifest = root / "staticfiles.json"
    if not manifest.is_file():
        raise StaticFilesError(f"{manifest} is missing; the image was not built with bin/build")
    names = sorted(set(json.loads(manifest.read_text())["paths"].values()))
    if lost := [name for name in names if not (root / name).is_file()]:
        raise StaticFilesError(f"the manifest names {lost[0]}, which is not in {root}")
    return names


def publish(s3: Any, *, bucket: str, root: Path) -> int:
    """Upload what the bucket does not have yet; return how many files that were. Deletes nothing."""
    names = hashed_files(root)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {entry["Key"] for page in pages for entry in page.get("Contents", ())}
    new = [name for name in names if name not in there]

    def upload(name: str) -> None:
        s3.put_object(
            Bucket=bucket,
            Key=name,
            Body=(root / name).read_bytes(),
            ContentType=mimetypes.guess_type(name)[0] or "application/octet-stream",
            CacheControl=_CACHE_CONTROL,
        )

    with ThreadPoolExecutor(_PARALLEL) as pool:
        list(pool.map(upload, new))
    logger.info(
        "static files are published", extra={"uploaded": len(new), "unchanged": len(names) - len(new)}
    )
    return len(new)
