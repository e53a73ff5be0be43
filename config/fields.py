"""Finds its way in the models: which key has which field, and what a key that is left out stands for."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.formats import Format
from config.problems import Place


@dataclass(frozen=True, slots=True)
class ByClass:
    """A default that depends on the class of the environment; for `Annotated[int, ByClass(1, 2)]`.

    The field's own default must be that of staging.

    Args:
        staging: Default in staging.
        production: Default in production.
    """

    staging: Any
    production: Any

    def of(self, environment_class: object) -> Any:
        """Return the default for a class; that of staging if the class is not known (an error elsewhere)."""
        return self.production if environment_class == "production" else self.staging


def keys(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """List the keys of an object, as they are written in JSON."""
    for name, info in model.model_fields.items():
        yield info.alias or name, info


def by_class(info: FieldInfo) -> ByClass | None:
    """Return the class-dependent default of a field, if it has one."""
    return next((item for item in info.metadata if isinstance(item, ByClass)), None)


def bare(annotation: Any) -> Any:
    """Take `| None` and `Annotated` off a type."""
    while True:
        if get_origin(annotation) in {Union, UnionType}:
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        elif hasattr(annotation, "__metadata__"):
            annotation = get_args(annotation)[0]
        else:
            return annotation


def format_of(annotation: Any) -> Format | None:
    """Return the form of text that a type asks for, if any."""
    return next((item for item in getattr(annotation, "__metadata__", ()) if isinstance(item, Format)), None)


def model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a type is, or None."""
    plain = bare(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None


def inside(annotation: Any) -> Any | None:
    """Return the type of the values of a dictionary or list, or None for other types."""
    plain = bare(annotation)
    if get_origin(plain) is dict:
        return get_args(plain)[1]
    return get_args(plain)[0] if get_origin(plain) is tuple else None


def field_at(model: type[BaseModel], place: Place) -> FieldInfo | None:
    """Find the field at a place, or None: an unknown key, or an entry of a dictionary or list."""
    return _at(model, place)[0]


def model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """Find the model of the object at a place, or None."""
    return model_of(_at(model, place)[1])


def _at(model: type[BaseModel], place: Place) -> tuple[FieldInfo | None, Any]:
    info: FieldInfo | None = None
    annotation: Any = model
    for step in place:
        current = model_of(annotation)
        info = dict(keys(current)).get(str(step)) if current else None
        annotation = info.annotation if info else inside(annotation)
    return info, annotation


def with_defaults(value: Any, annotation: Any, environment_class: object = None) -> Any:
    """Copy a JSON value and write out every default, also where other parts of it are wrong.

    The models cannot do it alone: some defaults depend on another key, and rules must see the value in force
    even when a part of the document is not valid.

    Args:
        value: The value as written.
        annotation: Its type: a model to begin with.
        environment_class: The class of the environment that holds the value, if one does.
    """
    model = model_of(annotation)
    if model is None or not isinstance(value, dict):
        of = inside(annotation)
        if of is not None and isinstance(value, dict):
            return {key: with_defaults(item, of) for key, item in value.items()}
        return value
    result = dict(value)
    environment_class = result.get("class", environment_class)
    for key, info in keys(model):
        if key not in result:
            if info.is_required():
                continue
            result[key] = _default(info, result, environment_class)
        result[key] = with_defaults(result[key], info.annotation, environment_class)
    return result


def _default(info: FieldInfo, siblings: dict[str, Any], environment_class: object) -> Any:
    if special := by_class(info):
        return special.of(environment_class)
    if when := next((item for item in info.metadata if isinstance(item, DefaultWhen)), None):
        return when.value if siblings.get(when.key) == when.equals else None
    default = info.get_default(call_default_factory=True)
    # An object is written out key by key by the caller, so that defaults by class reach its inside.
    return {} if isinstance(default, BaseModel) else list(default) if isinstance(default, tuple) else default


@dataclass(frozen=True, slots=True)
class DefaultWhen:
    """A default for the case that an earlier key of the same object has a certain value; otherwise null.

    Args:
        key: The earlier key.
        equals: Its value.
        value: The default then.
    """

    key: str
    equals: Any
    value: Any
