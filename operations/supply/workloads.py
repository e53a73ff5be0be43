"""The parts of the workloads: of their images where these were asked, else of the lock files in this repository."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory

from config.models import Configuration
from operations.locks import uv_command
from operations.supply.audit import Audit
from operations.supply.components import Inventory, licenses_of, python_lock, workload_locks
from operations.supply.licenses import Policy
from operations.supply.sbom import SUFFIX, read_bill

IMAGE_BILL = f"sbom{SUFFIX}"
SECONDS = 300.0
TOOL = "inventory"


def workload_inventories(
    configuration: Configuration, *, images: Path, root: Path, policy: Policy, say: Callable[[str], None]
) -> tuple[tuple[Inventory, ...], Audit]:
    """Read what the workloads are made of.

    Args:
        configuration: the organization.
        images: folder with `<workload>/sbom.cdx.json`, as the image steps wrote them.
        root: the project's folder.
        policy: reads what packages say of their licenses.
        say: told what is done.

    Returns:
        The inventories, and what could not be read, as an audit.
    """
    found: list[Inventory] = []
    unread: list[str] = []
    for name in configuration.workloads:
        file = images / name / IMAGE_BILL
        if file.is_file():
            found.append(read_bill(file, name=name, title=f"the image of {name}"))
            continue
        locks = [file for workload, file in workload_locks(configuration, root) if workload == name]
        if not locks:
            unread.append(
                f"{name}: its image was not asked, and no requirements*.txt of it is in this repository"
            )
        for lock in locks:
            say(f"licenses of {lock.relative_to(root)}: installing it aside")
            licenses = _installed_licenses(lock, policy)
            if isinstance(licenses, str):
                unread.append(f"licenses of {lock.relative_to(root)}: {licenses}")
                licenses = {}
            found.append(_of_lock(name, lock, root, licenses))
    return tuple(found), Audit(TOOL, unaudited=tuple(unread))


def _of_lock(name: str, lock: Path, root: Path, licenses: Mapping[str, str]) -> Inventory:
    return Inventory(
        f"{name}-{lock.stem}",
        f"{name}, {lock.name}",
        str(lock.relative_to(root)),
        tuple(python_lock(lock, licenses)),
        "the image's system and what it installs besides; ./lz image tells them",
    )


def _installed_licenses(lock: Path, policy: Policy) -> Mapping[str, str] | str:
    """Install a lock aside, from wheels alone so that no code of it runs, and read the packages' licenses.

    Returns:
        Normal name -> license, or why it could not be installed.
    """
    with TemporaryDirectory(prefix="lz-licenses-") as folder:
        command = [
            *(uv_command(), "pip", "install", "--quiet", "--target", folder, "--python", sys.executable),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"not installed within {SECONDS:g} s"
        if done.returncode != 0:
            return next(_reasons(done.stderr), f"uv ended with {done.returncode}")
        return licenses_of(distributions(path=[folder]), policy)


def _reasons(text: str) -> Iterator[str]:
    for line in reversed(text.splitlines()):
        if line.strip():
            yield line.strip()
