"""The wire format of the EC2 API, for the actions that MiniStack does not have.

Both directions follow botocore's model of the operation, so an action is a function from a request to an answer, both
spelled as in the API reference.
"""

import functools
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from rehearsal.emulator.internals import Response
from rehearsal.models import session

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_BAD_REQUEST = 400

Action = Callable[[dict[str, Any]], dict[str, Any]]


class Ec2Error(Exception):
    """An error that an action answers with."""

    def __init__(self, code: str, message: str) -> None:
        """Describe it with the API's own code and message."""
        super().__init__(message)
        self.code = code


@functools.lru_cache(maxsize=1)
def _model() -> ServiceModel:
    model: ServiceModel = session().get_service_model("ec2")
    return model


def serve(operation: str, action: Action) -> Callable[[Mapping[str, list[str]]], Response]:
    """An action as MiniStack's EC2 service calls it.

    Args:
        operation: the API's name of the action.
        action: from the request to the answer.
    """

    def answer(parameters: Mapping[str, list[str]]) -> Response:
        model = _model().operation_model(operation)
        given = {
            name: values[0] if isinstance(values, list) else values for name, values in parameters.items()
        }
        try:
            result = action(_decode(model.input_shape, given, "") or {} if model.input_shape else {})
        except Ec2Error as error:
            return _BAD_REQUEST, {"Content-Type": "text/xml"}, _error(error)
        inner = "".join(_encode_members(model.output_shape, result)) if model.output_shape else ""
        request_id = f"<requestId>{secrets.token_hex(16)}</requestId>"
        document = f'<{operation}Response xmlns="{_NAMESPACE}">{request_id}{inner}</{operation}Response>'
        return 200, {"Content-Type": "text/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>{document}'.encode()

    return answer


def _error(error: Ec2Error) -> bytes:
    """The error document of the EC2 API."""
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(str(error))}</Message>"
    request_id = secrets.token_hex(16)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    ).encode()


def _decode(shape: Shape, given: Mapping[str, str], prefix: str) -> Any:
    """The value that the parameters below a prefix hold; None if there is none."""
    if isinstance(shape, StructureShape):
        found = {}
        for name, member in shape.members.items():
            value = _decode(
                member, given, f"{prefix}.{_sent_as(member, name)}" if prefix else _sent_as(member, name)
            )
            if value is not None:
                found[name] = value
        return found or None
    if isinstance(shape, ListShape):
        items: list[Any] = []
        while (item := _decode(shape.member, given, f"{prefix}.{len(items) + 1}")) is not None:
            items.append(item)
        return items or None
    text = given.get(prefix)
    if text is None:
        return None
    return (
        text == "true"
        if shape.type_name == "boolean"
        else int(text)
        if shape.type_name == "integer"
        else text
    )


def _sent_as(shape: Shape, name: str) -> str:
    """A member's name in a request (botocore's EC2Serializer does the same)."""
    if "queryName" in shape.serialization:
        return str(shape.serialization["queryName"])
    location = str(shape.serialization.get("name", name))
    return location[0].upper() + location[1:]


def _encode_members(shape: Shape, value: Mapping[str, Any]) -> Iterator[str]:
    """The elements of a structure's members."""
    for name, member in getattr(shape, "members", {}).items():
        if value.get(name) is not None:
            element = str(member.serialization.get("name", name))
            yield f"<{element}>{_encode(member, value[name])}</{element}>"


def _encode(shape: Shape, value: Any) -> str:
    """A value as the inside of its element."""
    if isinstance(shape, StructureShape):
        return "".join(_encode_members(shape, value))
    if isinstance(shape, ListShape):
        return "".join(f"<item>{_encode(shape.member, item)}</item>" for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
