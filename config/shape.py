"""Checks each value by itself: known keys, types, forms and ranges; says what is wrong in our own words."""

import copy
import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config import fields
from config.formats import ERROR_TYPE, Format
from config.models import Configuration
from config.problems import Finding, Place, did_you_mean, dotted, show

_NOTHING = "(nothing)"
_KINDS = {  # Pydantic's error type -> what it is not, what is allowed, the fix
    "string_type": ("text", "text in quotes", 'write it in quotes, such as "..."'),
    "int_type": ("a whole number", "a whole number without quotes", "write digits, without quotes"),
    "float_type": ("a number", "a number without quotes", "write digits, without quotes"),
    "bool_type": ("true or false", "true or false, without quotes", "write true or false, without quotes"),
    "tuple_type": ("a list", "a list in square brackets", 'write a list, such as ["..."]'),
    "dict_type": ("an object", "an object in braces", 'write an object: { "name": ... }'),
    "model_type": ("an object", "an object in braces", 'write an object: { "key": ... }'),
}
_LIMITS = {
    "greater_than_equal": "too small",
    "less_than_equal": "too large",
    "multiple_of": "between two steps",
    "too_short": "too few entries",
    "too_long": "too many entries",
}


def check(completed: Any) -> tuple[Configuration | None, list[Finding], Any]:
    """Validate a document in which all defaults are written out.

    Args:
        completed: The document.

    Returns:
        The configuration if every value is valid by itself; what was found; and the document without the
        values that are not valid, for the rules that compare the others.
    """
    unknown = list(_unknown_keys(completed, Configuration, ()))
    configuration, details = None, []
    try:
        configuration = Configuration.model_validate_json(json.dumps(completed))
    except ValidationError as error:
        details = [item for item in error.errors(include_url=False) if item["type"] != "extra_forbidden"]
    if not unknown and not details:
        return configuration, [], completed
    findings = [*map(_unknown_key, unknown), *map(_explain, details)]
    wrong = [*unknown, *(detail["loc"] for detail in details if detail["type"] != "missing")]
    return None, _without_echoes(findings, details, unknown), _pruned(completed, wrong)


def _unknown_keys(value: Any, annotation: Any, place: Place) -> Iterator[Place]:
    # Not left to Pydantic, which takes a field's Python name, such as `class_`, for known beside its alias.
    model, inside = fields.model_of(annotation), fields.inside(annotation)
    known = dict(fields.keys(model)) if model else {}
    for key, item in value.items() if isinstance(value, dict) else ():
        if model and key not in known:
            yield (*place, key)
        elif model or inside is not None:
            yield from _unknown_keys(item, known[key].annotation if model else inside, (*place, key))


def _explain(error: ErrorDetails) -> Finding:
    kind, place, context = error["type"], error["loc"], error.get("ctx", {})
    is_key = bool(place) and place[-1] == "[key]"
    value = show(place[-2]) if is_key else None
    if is_key:
        place = place[:-1]
    info = fields.field_at(Configuration, place)
    if kind == ERROR_TYPE:
        return Finding(place, context["problem"], context["allowed"], context["fix"], value)
    if kind == "missing":
        return _missing(place, info)
    if kind == "literal_error":
        choices = _choices(place)
        fix = did_you_mean(error["input"], choices, otherwise=f'write "{choices[0]}", or another of them')
        return Finding(place, "not one of the choices", _listed(choices), fix)
    if kind in _KINDS:
        name, allowed, fix = _KINDS[kind]
        return Finding(place, f"not {name}", _with_meaning(allowed, info), fix)
    # Kinds without a text here have Pydantic's own, such as `Input should be a valid date`.
    problem = _LIMITS.get(kind) or error["msg"][:1].lower() + error["msg"][1:].rstrip(".")
    allowed = _limits(kind, info)
    return Finding(
        place, problem, _with_meaning(allowed, info), f"choose a value within the limits: {allowed}"
    )


def _missing(place: Place, info: FieldInfo | None) -> Finding:
    form = next((item for item in info.metadata if isinstance(item, Format)), None) if info else None
    choices = get_args(fields.bare(info.annotation)) if info else ()
    if form:
        allowed, example = form.allowed, f'"{form.example}"'
    elif choices and fields.inside(info.annotation if info else None) is None:
        allowed, example = _listed(choices), f'"{choices[0]}"'
    else:
        allowed, example = "an object in braces", "{ ... }"
    where = f"to {dotted(place[:-1])}" if len(place) > 1 else "at the top"
    return Finding(
        place,
        "a required key is missing",
        _with_meaning(allowed, info),
        f'add "{place[-1]}": {example} {where}',
        _NOTHING,
    )


def _unknown_key(place: Place) -> Finding:
    model = fields.model_at(Configuration, place[:-1])
    known = [key for key, _ in fields.keys(model)] if model else []
    return Finding(
        place,
        "unknown key",
        ", ".join(known),
        did_you_mean(place[-1], known, otherwise="remove it, or move it to the object that it belongs to"),
    )


def _choices(place: Place) -> tuple[str, ...]:
    # An entry of a list has no field of its own; the list's field knows the choices.
    info = fields.field_at(Configuration, place)
    if info is not None:
        return get_args(fields.bare(info.annotation))
    parent = fields.field_at(Configuration, place[:-1])
    return get_args(fields.bare(fields.inside(parent.annotation))) if parent else ()


def _listed(choices: tuple[str, ...]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]])


def _limits(kind: str, info: FieldInfo | None) -> str:
    limits = {
        name: getattr(item, name)
        for item in (info.metadata if info else ())
        for name in ("ge", "le", "multiple_of", "min_length", "max_length")
        if hasattr(item, name)
    }
    if kind.startswith("too_"):
        # A list that may be null keeps its limits out of sight; each of those needs one entry.
        least, most = limits.get("min_length", 1), limits.get("max_length")
        return f"{least} to {most} entries" if most else f"{least} or more entries"
    least, most, step = limits.get("ge"), limits.get("le"), limits.get("multiple_of")
    text = f"{least} to {most}" if most is not None else f"{least} or more"
    return f"{text}, in steps of {step}" if step else text


def _with_meaning(allowed: str, info: FieldInfo | None) -> str:
    return f"{allowed} ({info.description.rstrip('.')})" if info and info.description else allowed


def _without_echoes(
    findings: list[Finding], details: list[ErrorDetails], unknown: list[Place]
) -> list[Finding]:
    """Drop what only repeats another finding, so that one mistake is told once.

    That is `missing` where the same object has an unknown key that is a misspelling of it, and `too few
    entries` where entries are there but were refused one by one.
    """
    missing = [detail["loc"] for detail in details if detail["type"] == "missing"]
    told = {
        detail["loc"]
        for detail in details
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]
    }
    for place in unknown:
        absent = [str(other[-1]) for other in missing if other[:-1] == place[:-1]]
        hint = did_you_mean(place[-1], absent, otherwise="")
        told |= {(*place[:-1], key) for key in absent if f'"{key}"' in hint}
    return [finding for finding in findings if finding.place not in told]


def _pruned(document: Any, wrong: list[Place]) -> Any:
    """Copy a document without the values that are wrong by themselves; a list keeps its length."""
    result = copy.deepcopy(document)
    for place in wrong:
        if not place:
            return None
        if place[-1] == "[key]":
            continue  # the key is wrong, and its value may be fine
        parent = result
        for step in place[:-1]:
            parent = parent.get(step) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            parent.pop(place[-1], None)
        elif isinstance(parent, list) and isinstance(place[-1], int):
            parent[place[-1]] = None
    return result
