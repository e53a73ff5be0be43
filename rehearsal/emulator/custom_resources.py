"""Functions of custom resources: the stack hears at once of one that fails, and one that is done does not linger.

CloudFormation waits for an answer up to an hour, and a function that cannot even start sends none. The wait is the
same here, so the emulator answers for the function: with its own error, or with its silence after a while.
"""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.emulator import internals, internals_services

# After the function's end. Long enough for one that leaves the answer to another, which takes seconds here.
_SILENCE_SECONDS = 60.0
# AWS keeps an idle function for minutes, at its own cost. Here each is a Node process of 30 to 100 MiB, and a stack
# asks its function once or twice.
_IDLE_SECONDS = 3.0

Execute = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]


def _answering(execute: Execute) -> Execute:
    """The execution of a function, that answers a custom resource's request if the function failed."""

    def executed(function: Mapping[str, Any], event: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            result = execute(function, event)
        finally:
            _later(_IDLE_SECONDS, internals_services.end_idle_functions, _IDLE_SECONDS)
        url = str(event.get("ResponseURL", "")) if isinstance(event, Mapping) else ""
        if not url:
            return result
        name = (function.get("config") or function).get("FunctionName", "the function")
        if isinstance(result, Mapping) and result.get("error"):
            internals.fail_custom_resource(url, f"{name} failed: {_reason(result)}")
        else:
            silence = f"{name} ended, and nobody answered within {_SILENCE_SECONDS:.0f} s"
            _later(_SILENCE_SECONDS, internals.fail_custom_resource, url, silence)
        return result

    return executed


def _later(seconds: float, act: Callable[..., None], *arguments: object) -> None:
    timer = threading.Timer(seconds, act, arguments)
    timer.daemon = True
    timer.start()


def _reason(result: Mapping[str, Any]) -> str:
    """What a failed execution says of itself."""
    body = result.get("body")
    if isinstance(body, bytes | str):
        try:
            body = json.loads(body)
        except ValueError:
            return str(body)
    if isinstance(body, Mapping):
        return str(body.get("errorMessage") or body)
    return str(body)


def install() -> None:
    """Watch the executions that custom resources ask for."""
    internals_services.wrap_function_execution(_answering)
