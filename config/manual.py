"""Writes the table of all configuration keys into the README, from the models.

python -m config.manual README.md            rewrite the table between its markers
python -m config.manual README.md --check    exit with 1 if it is not current
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config import fields
from config.models import Configuration

BEGIN = "<!-- config keys: begin -->"
END = "<!-- config keys: end -->"
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


class MarkersMissingError(ValueError):
    """The file has no place for the table; the message says what to add."""


def keys_table() -> str:
    """Return a Markdown table of every key: path (`*` stands for any name), type, default and meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for path, info in _walk(Configuration, ""):
        meaning = (info.description or "").replace("|", "\\|").replace("<", "&lt;")
        rows.append(f"| `{path}` | {_type(info.annotation)} | {_default(info)} | {meaning} |")
    return "\n".join(rows)


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for key, info in fields.keys(model):
        path = f"{prefix}{key}"
        yield path, info
        inner = fields.inside(info.annotation)
        nested = fields.model_of(info.annotation) or fields.model_of(inner)
        if nested:
            yield from _walk(nested, f"{path}.{'' if inner is None else '*.'}")


def _type(annotation: Any) -> str:
    plain = fields.bare(annotation)
    if get_origin(plain) is Literal:
        return " or ".join(f'`"{choice}"`' for choice in get_args(plain))
    inner = fields.inside(annotation)
    if inner is not None:
        what = "list of" if get_origin(plain) is tuple else "name →"
        return f"{what} {_type(inner)}"
    return _WORDS.get(plain, "object")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    if default := fields.by_class(info):
        return f"staging {_json(default.staging)}, production {_json(default.production)}"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its keys' defaults"
    return "none" if value is None else _json(value)


def _json(value: Any) -> str:
    return f"`{json.dumps(value)}`"


def rewrite(text: str) -> str:
    """Return a document with the table between its markers replaced by the current one.

    Raises:
        MarkersMissingError: The document does not hold both markers, in this order, once each.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        message = f"the table's place is not marked; write once, one line each: {BEGIN} and then {END}"
        raise MarkersMissingError(message)
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{keys_table()}\n{END}{after}"


def main(arguments: Sequence[str]) -> int:
    """Rewrite or check a file; return the exit code."""
    paths = [argument for argument in arguments if argument != "--check"]
    if len(paths) != 1 or paths[0].startswith("-"):
        sys.stderr.write("usage: python -m config.manual README.md [--check]\n")
        return 2
    file = Path(paths[0])
    try:
        text = file.read_text(encoding="utf-8")
        current = rewrite(text)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{file}: {error}\n")
        return 2
    if "--check" in arguments:
        if text != current:
            sys.stderr.write(
                f"{file}: the table of keys is not current; run: python -m config.manual {file}\n"
            )
        return int(text != current)
    file.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
