"""Writes and reads jsii's messages for Node without the detour that they take in its library.

jsii turns each message into plain values with cattrs, whose cost is a tenth of a synthesis (docs/performance.md). The
five kinds that a synthesis is made of are written here directly, and constants are asked for once; Python imports on
while Node loads a library; what a struct leaves out is not sent. All others, answers that are errors and calls back
into Python go jsii's own way. What comes out is the same: `tests/config/test_node.py` compares it.
"""

import json
import select
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import IO, Any

import attr
from jsii import _kernel
from jsii._kernel import types
from jsii._kernel.providers import process as _process

process: Any = _process  # its inner parts have no types
kernel: Any = _kernel

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
_FIXED = ("Arn", "Name")
"""How properties end that are the same text each time, until Python sets another."""

_PLAIN = {str, int, float, bool, type(None)}
# Class -> Python's names of its properties and the library's; None for what is no struct.
_structs: dict[type, Mapping[str, str] | None] = {}
_jsii_outline = kernel._make_reference_for_native


def speak_directly(*, moment: float = 0) -> None:
    """Let jsii use these messages from now on.

    Args:
        moment: seconds for which to look for an answer before sleeping: a core that sleeps takes longer to wake up than
            Node takes to most answers.
    """
    conversation = _Conversation(process._NodeProcess.send, moment)

    def send(self: Any, request: Any, response_type: Any) -> Any:
        return conversation.send(self, request, response_type)

    process._NodeProcess.send = send
    kernel._make_reference_for_native = _outline


class _Conversation:
    """What Python and Node said so far.

    Args:
        theirs: jsii's own way to send a message.
        moment: as above.
    """

    def __init__(self, theirs: Callable[[Any, Any, Any], Any], moment: float) -> None:
        self._theirs = theirs
        self._moment = moment
        self._known: dict[tuple[Any, ...], Any] = {}
        self._loading = 0

    def send(self, node: Any, request: Any, response_type: Any) -> Any:
        """Send a request and return its answer, or a call back into Python that comes first.

        Args:
            node: jsii's process.
            request: one of jsii's requests.
            response_type: the class of its answer.

        Raises:
            RuntimeError: the library threw.
            JSIIError: jsii did.
        """
        # Node needs longer for it than for all else that an import asks.
        if isinstance(request, types.LoadRequest):
            _ask(node, {**attr.asdict(request), "api": "load"})
            self._loading += 1
            return types.LoadResponse(assembly=request.name, types=0)  # nobody reads the number of types
        while self._loading:
            self._loading -= 1
            _answer(node)
        if isinstance(request, types.SetRequest):
            self._known.pop((request.objref.ref, request.property), None)
        plain = _REQUESTS.get(type(request))
        if plain is None or response_type not in _RESPONSES:
            return self._theirs(node, request, response_type)
        value = _value(request)
        if value in self._known:
            return self._known[value]
        _ask(node, plain(request))
        if self._moment:
            _look_for(node._process.stdout, self._moment)
        answer = _answer(node)
        if isinstance(answer, process._CallbackResponse):
            return answer.callback
        given = _RESPONSES[response_type](answer["ok"])
        if value is not None:
            self._known[value] = given
        return given


def _ask(node: Any, plain: dict[str, object]) -> None:
    node._process.stdin.write(_write(plain).encode() + b"\n")
    node._process.stdin.flush()


def _answer(node: Any) -> Any:
    """Return what Node answers next, or the call back into Python that comes first.

    Args:
        node: jsii's process.

    Raises:
        RuntimeError: the library threw.
        JSIIError: jsii did.
    """
    answer = _read(node._process.stdout.readline().decode())
    if "ok" in answer:
        return answer
    response = node._serializer.structure(answer, process._ProcessResponse)
    if isinstance(response, process._CallbackResponse):
        return response
    kind = process.JSIIError if response.name == process.ErrorType.JSII_FAULT.value else RuntimeError
    raise kind(response.error) from process.JavaScriptError(response.stack)


def _value(request: Any) -> tuple[Any, ...] | None:
    """Return what tells the value that is asked for from others; None if it is none that stays what it is."""
    if isinstance(request, types.StaticGetRequest):  # nothing can set a static property from Python
        return request.fqn, request.property
    if isinstance(request, types.GetRequest) and request.property.endswith(_FIXED):
        return request.objref.ref, request.property
    if isinstance(request, types.StaticInvokeRequest) and request.fqn in _VALUES:
        arguments = request.args or []
        if all(isinstance(argument, str | int | float) for argument in arguments):
            return request.fqn, request.method, *map(repr, arguments)
    return None


def _outline(jsii_kernel: Any, value: Any) -> Any:
    """Return a value of a call as jsii's messages have it: of a struct only what it holds.

    Args:
        jsii_kernel: Python's side of jsii.
        value: what was passed.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_outline(jsii_kernel, each) for each in value]
    if kind is dict:
        return {"$jsii.map": {key: _outline(jsii_kernel, each) for key, each in value.items()}}
    if kind not in _structs:
        names = getattr(kind, "__jsii_name_mapping__", None)
        _structs[kind] = names if hasattr(value, "_values") else None
    names = _structs[kind]
    if names is None:
        return _jsii_outline(jsii_kernel, value)
    held = {names[name]: _outline(jsii_kernel, each) for name, each in value._values.items()}
    return {"$jsii.struct": {"fqn": kind.__jsii_type__, "data": held}}


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
