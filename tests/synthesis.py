"""Runs the app as a process of its own, the way people, the CDK CLI and the pipeline do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from config.node import bundled_node

ROOT = Path(__file__).parent.parent
CLI = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
NOWHERE = "http://127.0.0.1:9"  # the discard port: whoever asks for the network is refused at once


def machine(home: Path, **differences: str) -> dict[str, str]:
    """Return the environment of a machine that knows nothing: no credentials, no network, an empty home.

    Args:
        home: its home.
        differences: variables that differ from those of other machines.
    """
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        # The only thing that is shared: jsii unpacks the library there, and it would take seconds to do it again.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": os.environ.get(
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT", f"{cache}/aws/jsii/package-cache"
        ),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        **differences,
    }


def run_app(
    arguments: list[str], *, cwd: Path, environment: Mapping[str, str], isolate: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `app.py`.

    Args:
        arguments: its arguments.
        cwd: from which folder.
        environment: all of its environment variables.
        isolate: without any network interface, where the machine allows that.
    """
    command = [sys.executable, str(ROOT / "app.py"), *arguments]
    if isolate and _may_unshare():
        command = ["unshare", "--map-root-user", "--net", *command]
    return subprocess.run(
        command, cwd=cwd, env=dict(environment), capture_output=True, text=True, check=False
    )


def _may_unshare() -> bool:
    try:
        tried = subprocess.run(
            ["unshare", "--map-root-user", "--net", "true"], capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def run_cli(
    arguments: list[str], *, app: list[str], output: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the pinned CDK CLI.

    Args:
        arguments: its arguments.
        app: arguments of `app.py`.
        output: folder of the assembly.
        environment: all of its environment variables.
    """
    program = " ".join([sys.executable, str(ROOT / "app.py"), *app])
    command = [str(bundled_node()), str(CLI), *arguments, "--app", program, "--output", str(output)]
    return subprocess.run(
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False, timeout=120
    )


def contents(assembly: Path) -> dict[str, bytes]:
    """Return the content of every file of an assembly."""
    return {
        str(path.relative_to(assembly)): path.read_bytes()
        for path in sorted(assembly.rglob("*"))
        if path.is_file()
    }
