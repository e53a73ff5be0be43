"""Stack operations as requests: who asked, and an answer that comes when the work is done.

CloudFormation answers at once and works on; clients then ask every few seconds (the CDK CLI every five) whether it is
over. Here the work takes milliseconds, so the answer is held back until it is over: a deployment of forty stacks is a
minute faster, and every client works as before.
"""

import asyncio
import contextvars
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from rehearsal.emulator import internals, internals_iam

# The access key of the request; a stack operation's background task runs in a copy of the request's context.
_caller: contextvars.ContextVar[str] = contextvars.ContextVar("rehearsal_caller", default="")

_HELD_BACK = {"CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet"}
_PATIENCE_SECONDS = 20.0  # well below the minute after which boto3 gives up reading
_POLL_SECONDS = 0.01


def caller() -> str:
    """The access key id of whoever asked for the stack operation in progress; empty outside of one."""
    return _caller.get()


async def _settled(stack: str) -> None:
    """Wait until no operation works on a stack any more, but not too long."""
    name = stack.rsplit(":stack/", 1)[-1].split("/", maxsplit=1)[0]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        # Before the first look too: a deletion shows in the status only once its task has begun.
        await asyncio.sleep(_POLL_SECONDS)
        found = internals.stacks().get(name)
        status = str(found["StackStatus"]) if found else ""
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return


def install() -> None:
    """Stand before the CloudFormation service."""
    handlers = internals.service_handlers()
    serve = handlers["cloudformation"]

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        _caller.set(internals_iam.access_key(headers, query))
        response = await serve(method, path, headers, body, query)
        sent = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
        if sent.get("Action") in _HELD_BACK and sent.get("StackName"):
            await _settled(sent["StackName"])
        return response

    handlers["cloudformation"] = handle
