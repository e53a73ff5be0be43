"""Composes variables when a container starts, and then becomes the container's command.

    python -c TEXT NAME=TEMPLATE... -- COMMAND...

A template has names of variables in braces. A URL with a password in it cannot be in a task definition, where anybody
may read it who may see the task; here its parts are known, and nobody else sees it.
"""

import json
import os
import re
import sys
import urllib.request
from urllib.parse import quote

TASK_ADDRESS = "TASK_ADDRESS"
TIMEOUT_SECONDS = 10
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # as a shell says it


def task_address() -> str:
    """Return the address of this task in its subnet, from the metadata endpoint of ECS, version 4."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(os.environ["ECS_CONTAINER_METADATA_URI_V4"], timeout=TIMEOUT_SECONDS) as answer:
        return str(json.load(answer)["Networks"][0]["IPv4Addresses"][0])


def composed(template: str) -> str:
    """Put a template's parts in; within a URL each is quoted, unless it is a URL itself."""

    def value(found: "re.Match[str]") -> str:
        name = found.group(1)
        text = task_address() if name == TASK_ADDRESS else os.environ[name]
        return quote(text, safe="") if "://" in template and "://" not in text else text

    return re.sub(r"\{([^{}]*)\}", value, template)


def main(arguments: "list[str]") -> None:
    """Set the variables and run the command in this process, so that it gets the container's signals."""
    end = arguments.index("--")
    command = arguments[end + 1 :]
    try:
        given = dict(pair.split("=", 1) for pair in arguments[:end])
        os.environ.update({name: composed(template) for name, template in given.items()})
    except KeyError as error:
        sys.exit(f"a variable cannot be composed: {error.args[0]} is not set")
    try:
        os.execvp(command[0], command)  # noqa: S606 -- no shell is wanted
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


if __name__ == "__main__":
    main(sys.argv[1:])
