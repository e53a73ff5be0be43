"""Writes `config/accounts.schema.json`, with which editors complete and check what one types.

    python -m config.schema            write the file
    python -m config.schema --check    exit with 1 if the file is not current

The schema knows keys, types and forms; what combines several values is in `config/rules/` alone.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.fields import by_class, keys
from config.models import Configuration, Source
from config.sizes import DatabaseSize, WebSize, WorkerSize

FILE = Path(__file__).resolve().parent / "accounts.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Build the JSON Schema (draft 2020-12) of the configuration."""
    result = {"$schema": DIALECT, **Configuration.model_json_schema(by_alias=True, mode="validation")}
    definitions = result["$defs"]
    for model in (WebSize, WorkerSize, DatabaseSize):
        for key, info in keys(model):
            if default := by_class(info):
                properties = definitions[model.__name__]["properties"][key]
                # A default that depends on another key cannot be said in JSON Schema, but in words.
                del properties["default"]
                words = f"Default: {json.dumps(default.staging)} in staging, {json.dumps(default.production)}"
                properties["description"] += f" {words} in production."
    definitions[Source.__name__]["oneOf"] = [
        {"required": ["path"], "not": {"required": ["repository"]}},
        {"required": ["repository", "branch"], "not": {"required": ["path"]}},
    ]
    tidy: dict[str, Any] = _tidy(result)
    return {**tidy, "title": "Accounts, networks and workloads of a Django landing zone"}


def _tidy(node: Any, *, names: bool = False) -> Any:
    """Drop the titles that Pydantic makes from field names, and close objects whose keys follow a pattern.

    Args:
        node: A part of the schema.
        names: Whether the node maps names to schemas, so that its key `title` would be a name.
    """
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {
        key: _tidy(value, names=key in {"properties", "$defs", "patternProperties"})
        for key, value in node.items()
        if names or key != "title" or not isinstance(value, str)
    }
    if "patternProperties" in result and not names:
        result["additionalProperties"] = False
    return result


def text() -> str:
    """Return the text of the schema's file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write or check the file; return the exit code."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m config.schema [--check]\n")
        return 2
    current = text()
    if arguments and (not FILE.is_file() or FILE.read_text(encoding="utf-8") != current):
        sys.stderr.write(f"{FILE.name} is not current; run: python -m config.schema\n")
        return 1
    if not arguments:
        FILE.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
