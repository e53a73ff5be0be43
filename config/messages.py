"""Writes and reads jsii's messages for Node without the detour that they take in its library.

jsii turns each message into plain values with cattrs, whose cost is a tenth of a synthesis (docs/performance.md). The
five kinds that a synthesis is made of are written here directly, and constants are asked for once; all others, answers
that are errors and calls back into Python go jsii's own way. The messages are the same: `tests/config/test_node.py`
compares them.
"""

import json
import select
import time
from collections.abc import Callable
from enum import Enum
from typing import IO, Any

from jsii._kernel import types
from jsii._kernel.providers import process as _process

process: Any = _process  # its inner parts have no types

_REQUESTS: dict[type, Callable[[Any], dict[str, object]]] = {
    types.CreateRequest: lambda asked: {
        "fqn": asked.fqn,
        "args": asked.args,
        "overrides": asked.overrides,
        "interfaces": asked.interfaces,
        "api": "create",
    },
    types.GetRequest: lambda asked: {"objref": asked.objref, "property": asked.property, "api": "get"},
    types.StaticGetRequest: lambda asked: {"fqn": asked.fqn, "property": asked.property, "api": "sget"},
    types.InvokeRequest: lambda asked: {
        "objref": asked.objref,
        "method": asked.method,
        "args": asked.args,
        "api": "invoke",
    },
    types.StaticInvokeRequest: lambda asked: {
        "fqn": asked.fqn,
        "method": asked.method,
        "args": asked.args,
        "api": "sinvoke",
    },
}
_RESPONSES: dict[type, Callable[[Any], object]] = {
    types.CreateResponse: lambda given: types.CreateResponse(ref=given.ref),
    types.GetResponse: lambda given: types.GetResponse(value=given.get("value")),
    types.InvokeResponse: lambda given: types.InvokeResponse(result=given.get("result")),
}

_VALUES = {f"aws-cdk-lib.{name}" for name in ("Duration", "Size", "aws_ec2.Peer", "aws_ec2.Port")}
"""Classes whose objects are values: what their static methods return for the same arguments is as good as the same."""


def speak_directly(*, moment: float = 0) -> None:
    """Let jsii use these messages from now on.

    Args:
        moment: seconds for which to look for an answer before sleeping: a core that sleeps takes longer to wake up than
            Node takes to most answers.
    """
    theirs = process._NodeProcess.send
    known: dict[tuple[Any, ...], Any] = {}

    def send(self: Any, request: Any, response_type: Any) -> Any:
        plain = _REQUESTS.get(type(request))
        if plain is None or response_type not in _RESPONSES:
            return theirs(self, request, response_type)
        value = _value(request)
        if value in known:
            return known[value]
        self._process.stdin.write(_write(plain(request)).encode() + b"\n")
        self._process.stdin.flush()
        if moment:
            _look_for(self._process.stdout, moment)
        answer = _read(self._process.stdout.readline().decode())
        if "ok" in answer:
            given = _RESPONSES[response_type](answer["ok"])
            if value is not None:
                known[value] = given
            return given
        response = self._serializer.structure(answer, process._ProcessResponse)
        if isinstance(response, process._CallbackResponse):
            return response.callback
        kind = process.JSIIError if response.name == process.ErrorType.JSII_FAULT.value else RuntimeError
        raise kind(response.error) from process.JavaScriptError(response.stack)

    process._NodeProcess.send = send


def _value(request: Any) -> tuple[Any, ...] | None:
    """Return what tells the value that is asked for from others; None if it is none that stays what it is."""
    if isinstance(request, types.StaticGetRequest):  # nothing can set a static property from Python
        return request.fqn, request.property
    if isinstance(request, types.StaticInvokeRequest) and request.fqn in _VALUES:
        arguments = request.args or []
        if all(isinstance(argument, str | int | float) for argument in arguments):
            return request.fqn, request.method, *map(repr, arguments)
    return None


def _look_for(answer: IO[bytes], moment: float) -> None:
    poll = select.poll()
    poll.register(answer, select.POLLIN)
    until = time.perf_counter() + moment
    while not poll.poll(0) and time.perf_counter() < until:
        pass


def _default(value: object) -> object:
    """Return in plain values what JSON does not know, as jsii does."""
    if isinstance(value, types.ObjRef):
        return process._unstructure_ref(value)
    if isinstance(value, Enum):
        return process._unstructure_enum(value)
    if isinstance(value, types.Override):
        return {"method": value.method, "property": value.property, "cookie": value.cookie}
    return process.jdefault(value)


_write = json.JSONEncoder(default=_default, check_circular=False).encode
_read = json.JSONDecoder(object_hook=process.ohook).decode
