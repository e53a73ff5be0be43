"""Asks an image what is installed in it; nothing of the image is trusted but its list."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from operations.containers import run_image
from operations.errors import CommandError
from operations.supply.components import Component, Inventory
from operations.supply.licenses import Policy
from operations.supply.probe import MARK

PROBE = Path(__file__).with_name("probe.py")
SECONDS = 300.0
LAST_LINES = 8


def image_inventory(
    image: str, *, workload: str, release_command: Sequence[str], policy: Policy
) -> Inventory:
    """Return what an image holds: its Python packages, and its Debian packages where it has any.

    Args:
        image: reference that `docker run` takes; docker is logged in.
        workload: the workload.
        release_command: of the workload, empty if it has none; it may name the Python that has the packages.
        policy: reads what packages say of their licenses.

    Raises:
        CommandError: no Python in it told anything.
    """
    messages = ""
    for python in _pythons(release_command):
        done = _docker_run(image, python)
        for line in reversed(done.stdout.splitlines()):
            if line.startswith(MARK):
                return parse(
                    json.loads(line.removeprefix(MARK)), image=image, workload=workload, policy=policy
                )
        messages = "\n".join(done.stderr.splitlines()[-LAST_LINES:])
    message = f"no Python in the image told what is installed\n{messages}".rstrip()
    fix = "put the Python that has the project's packages on the image's PATH as python or python3"
    raise CommandError(message, fix=fix, exit_code=1)


def parse(told: Mapping[str, Any], *, image: str, workload: str, policy: Policy) -> Inventory:
    """Make an inventory of what the probe told.

    Args:
        told: its answer.
        image: reference of the image.
        workload: the workload.
        policy: reads what packages say of their licenses.
    """
    python = [
        Component(
            "pypi",
            one["name"],
            one["version"],
            policy.license(one["expression"], one["license"], one["classifiers"]),
        )
        for one in told["packages"]
    ]
    system = told["system"]
    debian = [
        Component("deb", one["name"], one["version"], distribution=system["distribution"])
        for one in system.get("packages", ())
    ]
    parts = tuple(sorted({*python, *debian}, key=lambda one: (one.ecosystem, one.name, one.version)))
    return Inventory(workload, f"the image of {workload}", image, parts, system.get("problem", ""))


def _pythons(release_command: Sequence[str]) -> Sequence[str]:
    named = [one for one in release_command[:1] if PurePosixPath(one).name.startswith("python")]
    return tuple(dict.fromkeys([*named, "python", "python3"]))


def _docker_run(image: str, python: str) -> subprocess.CompletedProcess[str]:
    """Run the probe without network, as whoever the image runs as.

    Raises:
        CommandError: there is no docker, or the time is up.
    """
    options = ["--network", "none", "--entrypoint", python, image, "-"]
    probe = PROBE.read_text(encoding="utf-8")
    return run_image(options, text=probe, seconds=SECONDS, what="what is installed in it")
