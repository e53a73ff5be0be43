"""The parts of what we build with and ship, as the lock files and the images tell them."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path
from typing import Literal

from pip_requirements_parser import RequirementsFile

from config.models import Configuration
from operations.errors import CommandError
from operations.supply.licenses import Policy

Ecosystem = Literal["pypi", "npm", "deb"]

PLATFORM_PYTHON = ("requirements/lock.txt", "requirements/uv.txt")
PLATFORM_NODE = "package-lock.json"


@dataclass(frozen=True)
class Component:
    """One part.

    Args:
        ecosystem: where its name is from.
        name: its name there.
        version: its version.
        license: SPDX expression, or what it says of itself; empty if that is not known here.
        hashes: digests of its files by the lock: algorithm and hexadecimal digits.
        distribution: of Debian packages: name and release, such as `debian-12`.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    license: str = ""
    hashes: tuple[tuple[str, str], ...] = ()
    distribution: str = ""


@dataclass(frozen=True)
class Inventory:
    """The parts of one thing.

    Args:
        name: short name; the SBOM's file has it.
        title: for people.
        source: file or image that was read.
        components: the parts.
        note: what is not in it.
    """

    name: str
    title: str
    source: str
    components: tuple[Component, ...] = field(repr=False)
    note: str = ""


def platform_inventories(root: Path, policy: Policy) -> tuple[Inventory, ...]:
    """Read the lock files of this project; licenses of Python packages are those of this installation.

    Args:
        root: the project's folder.
        policy: reads what packages say of their licenses.
    """
    installed = licenses_of(distributions(), policy)
    python = [component for name in PLATFORM_PYTHON for component in python_lock(root / name, installed)]
    missing = sorted({one.name for one in python if not one.license})
    note = f"not installed here, so without a license: {', '.join(missing)}" if missing else ""
    return (
        Inventory(
            "platform-python",
            "the platform's Python packages",
            " and ".join(PLATFORM_PYTHON),
            tuple(python),
            note,
        ),
        Inventory(
            "platform-node",
            "the platform's Node packages",
            PLATFORM_NODE,
            tuple(npm_lock(root / PLATFORM_NODE)),
        ),
    )


def python_lock(file: Path, licenses: Mapping[str, str]) -> Iterator[Component]:
    """Yield the packages that a pip requirements file pins, for every platform.

    Args:
        file: the file.
        licenses: normal name -> license.

    Raises:
        CommandError: a line pins no version.
    """
    for requirement in RequirementsFile.from_file(str(file)).requirements:
        version = requirement.get_pinned_version
        if not requirement.name or not version:
            message = f"{file.name}: {requirement.line or requirement} pins no version"
            raise CommandError(
                message, fix="make the file with a resolver that pins, such as uv pip compile", exit_code=1
            )
        hashes = tuple(tuple(text.split(":", 1)) for text in requirement.hash_options or ())
        yield Component("pypi", requirement.name, version, licenses.get(normal(requirement.name), ""), hashes)


def npm_lock(file: Path) -> Iterator[Component]:
    """Yield the packages of a package-lock.json of version 3, each once.

    Args:
        file: the file.
    """
    seen = set()
    for path, package in json.loads(file.read_text(encoding="utf-8"))["packages"].items():
        name = package.get("name") or path.rpartition("node_modules/")[2]
        if path and (name, package["version"]) not in seen:
            seen.add((name, package["version"]))
            yield Component(
                "npm",
                name,
                package["version"],
                package.get("license", ""),
                _integrity(package.get("integrity", "")),
            )


def _integrity(text: str) -> tuple[tuple[str, str], ...]:
    """Return the digests of a Subresource Integrity value in hexadecimal."""
    pairs = [one.partition("-")[::2] for one in text.split()]
    return tuple((algorithm, base64.b64decode(digits).hex()) for algorithm, digits in pairs)


def workload_locks(configuration: Configuration, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the lock files of the workloads in this repository: workload and file.

    Args:
        configuration: the organization.
        root: the project's folder.
    """
    for name, workload in configuration.workloads.items():
        if workload.source.path is not None:
            for file in sorted((root / workload.source.path).glob("requirements*.txt")):
                yield name, file


def licenses_of(packages: Iterable[Distribution], policy: Policy) -> Mapping[str, str]:
    """Map the normal names of installed packages to their licenses.

    Args:
        packages: as `importlib.metadata.distributions` finds them.
        policy: reads what packages say of their licenses.
    """
    found = {}
    for package in packages:
        told = package.metadata
        expression, text = (_field(told, key) for key in ("License-Expression", "License"))
        classifiers = told.get_all("Classifier") or []
        found[normal(package.name)] = policy.license(expression, text, classifiers)
    return found


def _field(metadata: PackageMetadata, name: str) -> str:
    """Return a field of a package's metadata; those of an absent one are None in one Python, an error in the next."""
    return str(metadata[name]) if name in metadata else ""


def normal(name: str) -> str:
    """Return a name as PyPI compares it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
