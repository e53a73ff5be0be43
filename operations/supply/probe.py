"""Runs inside an image and tells what is installed in it: `python - < probe.py`.

It needs the image's own Python (3.8 or newer) and nothing of this project, and asks nobody.
"""

from __future__ import annotations

import json
import os
import pathlib
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

MARK = "LZ-INVENTORY "
# A rehearsal runs images as processes of a machine that has another system than the image.
NO_SYSTEM = "LZ_NO_IMAGE_SYSTEM"


def field(told: metadata.PackageMetadata, name: str) -> str:
    """Return a field of a package's metadata, empty if it has none."""
    return str(told[name]) if name in told else ""


def python_packages() -> Iterator[dict[str, Any]]:
    """Yield what is installed for this Python."""
    for package in metadata.distributions():
        told = package.metadata
        yield {
            "name": field(told, "Name"),
            "version": package.version,
            "expression": field(told, "License-Expression"),
            "license": field(told, "License").strip().split("\n")[0],
            "classifiers": told.get_all("Classifier") or [],
        }


def debian_packages(status: pathlib.Path) -> Iterator[dict[str, str]]:
    """Yield what dpkg has installed; see deb822(5) for the format."""
    for paragraph in status.read_text(encoding="utf-8", errors="replace").split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if ": " in line and not line.startswith(" ")
        )
        if fields.get("Status", "").endswith(" installed"):
            yield {"name": fields["Package"], "version": fields["Version"]}


def system() -> dict[str, Any]:
    """Return the distribution and its packages, or why they are not told."""
    if os.environ.get(NO_SYSTEM):
        return {
            "problem": "the packages of the system: a rehearsal runs the image as a process of this machine"
        }
    status = pathlib.Path("/var/lib/dpkg/status")
    if not status.is_file():
        return {"problem": "the packages of the system: it has no dpkg"}
    text = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    release = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    name, version = (release.get(key, "").strip('"') for key in ("ID", "VERSION_ID"))
    return {"distribution": f"{name}-{version}", "packages": list(debian_packages(status))}


if __name__ == "__main__":
    found = {"python": platform.python_version(), "packages": list(python_packages()), "system": system()}
    sys.stdout.write(MARK + json.dumps(found) + "\n")
