"""The source of a workload's image, and the hash that names the image after it."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from operations.dockerignore import read_dockerignore
from operations.errors import CommandError

# Part of the hash: raise it when the same source must give another image, as after a change of the build.
RECIPE = "landing-zone image 1"


def source_files(source: Path) -> Iterator[PurePosixPath]:
    """List the files of an image's source, sorted: what `docker build` is sent, and the Dockerfile.

    Empty folders are left out, as git does. Symbolic links are listed and not followed.

    Args:
        source: the folder with the Dockerfile.
    """
    ignore = read_dockerignore(source)
    found = []
    for folder, folders, files in os.walk(source):
        here = Path(folder).relative_to(source)
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = [name for name in folders if not ignore.excludes_folder((here / name).as_posix())]
        for name in (*files, *links):
            relative = PurePosixPath(here / name)
            if str(relative) == "Dockerfile" or not ignore.excludes(str(relative)):
                found.append(relative)
    yield from sorted(found, key=str)


def content_hash(source: Path, architecture: str, target: str | None = None) -> str:
    """Hash what decides what the image holds: names, contents and the executable bit, never times.

    A base image that moves under its tag does not show here: pin base images by digest.

    Args:
        source: the folder with the Dockerfile.
        architecture: `arm64` or `x86_64`.
        target: stage of the Dockerfile; the last one if left out.

    Returns:
        64 hexadecimal digits.

    Raises:
        CommandError: the folder or its Dockerfile is missing, or holds what cannot be sent.
    """
    if not (source / "Dockerfile").is_file():
        message = f"{source}: there is no Dockerfile to build an image from"
        raise CommandError(message, fix="name the folder that holds the workload's Dockerfile")
    digest = hashlib.sha256()
    for part in (RECIPE, architecture, target or ""):
        _add(digest, part.encode())
    for relative in source_files(source):
        kind, content = _entry(source / relative)
        for part in (str(relative), kind):
            _add(digest, os.fsencode(part))
        _add(digest, content)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", part: bytes) -> None:
    """Add a part after its length, so that no two lists of parts give the same bytes."""
    digest.update(len(part).to_bytes(8))
    digest.update(part)


def _entry(path: Path) -> tuple[str, bytes]:
    """Return what a file is, and its content's hash or the link's target."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "link", os.fsencode(path.readlink())
    if not stat.S_ISREG(mode):
        message = f"{path}: neither a file nor a link; it cannot be part of an image"
        raise CommandError(message, fix="remove it, or name it in .dockerignore")
    with path.open("rb") as file:
        return "executable" if mode & stat.S_IXUSR else "file", hashlib.file_digest(file, "sha256").digest()
