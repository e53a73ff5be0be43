"""What CloudFormation says about the stacks: for the live display, for the report, and when one fails."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from config.assembly import AssembledStack
from rehearsal.emulator import Emulator
from rehearsal.failed_services import SERVICE, why_tasks_stopped

COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
NOT_STARTED = "NOT_DEPLOYED"
_CANCELLED = "cancelled"


@dataclass(frozen=True)
class StackState:
    """One stack as deployed.

    Args:
        stack: what the assembly says of it.
        status: CloudFormation's status, or `NOT_DEPLOYED`.
        seconds: from its first event to its last.
    """

    stack: AssembledStack
    status: str
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether it was created or updated."""
        return self.status in COMPLETE


@dataclass(frozen=True)
class Failure:
    """The resource that made a stack fail.

    Args:
        stack: name of the stack.
        account: its account.
        resource: logical id.
        resource_type: CloudFormation type.
        reason: CloudFormation's reason.
        details: of a service, how its last task ended.
    """

    stack: str
    account: str
    resource: str
    resource_type: str
    reason: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        first = f"{self.stack} ({self.account}): {self.resource} [{self.resource_type}]: {self.reason}"
        return "\n".join([first, *(f"  {line}" for line in self.details)])


class StackWatch:
    """Asks the rehearsed CloudFormation about stacks, as each account's root.

    Args:
        emulator: the running emulator.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._clients: dict[tuple[str, str], Any] = {}

    def _client(self, stack: AssembledStack) -> Any:
        key = (stack.account, stack.region)
        if key not in self._clients:
            self._clients[key] = self._emulator.client("cloudformation", stack.account, stack.region)
        return self._clients[key]

    def statuses(self, stacks: Iterable[AssembledStack]) -> Mapping[str, str]:
        """Return name -> status, one request per account and region."""
        wanted = list(stacks)
        found: dict[str, str] = {}
        for first in {(stack.account, stack.region): stack for stack in wanted}.values():
            pages = self._client(first).get_paginator("describe_stacks").paginate()
            for page in pages:
                found |= {item["StackName"]: item["StackStatus"] for item in page["Stacks"]}
        return {stack.name: found.get(stack.name, NOT_STARTED) for stack in wanted}

    def states(self, stacks: Sequence[AssembledStack]) -> tuple[StackState, ...]:
        """Return each stack's state and how long it took."""
        statuses = self.statuses(stacks)
        return tuple(
            StackState(stack, statuses[stack.name], self._seconds(stack))
            if statuses[stack.name] != NOT_STARTED
            else StackState(stack, NOT_STARTED, 0.0)
            for stack in stacks
        )

    def _seconds(self, stack: AssembledStack) -> float:
        times = [event["Timestamp"] for event in self._events(stack)]
        return (max(times) - min(times)).total_seconds() if times else 0.0

    def _events(self, stack: AssembledStack) -> list[dict[str, Any]]:
        pages = self._client(stack).get_paginator("describe_stack_events").paginate(StackName=stack.name)
        return [event for page in pages for event in page["StackEvents"]]

    def failures(self, stacks: Iterable[AssembledStack]) -> tuple[Failure, ...]:
        """Return, for each stack that failed, the resources that failed first and why."""
        wanted = list(stacks)
        statuses = self.statuses(wanted)
        return tuple(
            failure
            for stack in wanted
            if statuses[stack.name] != NOT_STARTED and statuses[stack.name] not in COMPLETE
            for failure in self._failures(stack)
        )

    def _failures(self, stack: AssembledStack) -> list[Failure]:
        try:
            events = self._events(stack)
        except ClientError:
            return []
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        own = [event for event in failed if event["LogicalResourceId"] != stack.name] or failed
        return [
            Failure(
                stack=stack.name,
                account=stack.account,
                resource=event["LogicalResourceId"],
                resource_type=event["ResourceType"],
                reason=event.get("ResourceStatusReason", "no reason given"),
                details=self._details(stack, event),
            )
            for event in own
            # What CloudFormation stopped because something else failed says nothing.
            if _CANCELLED not in event.get("ResourceStatusReason", "")
        ]

    def _details(self, stack: AssembledStack, event: dict[str, Any]) -> tuple[str, ...]:
        if event["ResourceType"] != SERVICE:
            return ()
        try:
            return why_tasks_stopped(
                self._emulator,
                stack.account,
                stack.region,
                stack=stack.name,
                logical_id=event["LogicalResourceId"],
            )
        except ClientError as error:  # the report goes on without it
            return (f"why its tasks stopped cannot be seen: {error}",)
