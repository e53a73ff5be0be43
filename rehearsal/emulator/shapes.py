"""CloudFormation properties as the request of the API operation behind the resource type.

The two differ in upper and lower case and in the types of scalars; the operation's model in botocore says how.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape


def to_request(client: Any, operation: str, properties: Mapping[str, Any], **renamed: str) -> dict[str, Any]:
    """Properties as keyword arguments of a client's method.

    Args:
        client: boto client of the service.
        operation: the API's name of the operation, such as RegisterTaskDefinition.
        properties: resolved properties of the resource. What the operation does not know is left out.
        renamed: property -> member of the request, where they differ in more than case.

    Returns:
        The arguments, with the spelling and the types that the operation wants.
    """
    model: OperationModel = client.meta.service_model.operation_model(operation)
    shape = model.input_shape
    if shape is None:
        return {}
    request: dict[str, Any] = _convert(
        shape, {renamed.get(name, name): value for name, value in properties.items()}
    )
    return request


def _convert(shape: Shape, value: Any) -> Any:
    """A value with the spelling and type of its shape."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        members = {name.lower(): name for name in shape.members}
        return {
            members[key.lower()]: _convert(shape.members[members[key.lower()]], item)
            for key, item in value.items()
            if key.lower() in members and item is not None
        }
    if isinstance(shape, ListShape):
        items = value if isinstance(value, list) else [value]
        return [_convert(shape.member, item) for item in items]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {str(key): _convert(shape.value, item) for key, item in value.items()}
    return _scalar(shape.type_name, value)


def _scalar(type_name: str, value: Any) -> Any:
    """A scalar of a shape's type: CloudFormation takes "true" for true and "80" for 80, and the other way round."""
    if type_name == "boolean":
        return str(value).lower() == "true"
    if type_name in {"integer", "long"}:
        with contextlib.suppress(TypeError, ValueError):
            return int(value)
    if type_name in {"float", "double"}:
        with contextlib.suppress(TypeError, ValueError):
            return float(value)
    if type_name == "string" and not isinstance(value, str):
        return json.dumps(value) if isinstance(value, dict | list | bool) else str(value)
    return value
