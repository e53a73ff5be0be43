"""Target groups: which targets a load balancer sends requests to, and in which order it tries them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps
from rehearsal.door.upstream import Address


@dataclass(frozen=True)
class Group:
    """A target group with the targets that get requests.

    Args:
        arn: its ARN.
        name: its name.
        addresses: the targets that get requests; not empty.
    """

    arn: str
    name: str
    addresses: tuple[Address, ...]


class Targets:
    """Chooses targets in turn.

    Args:
        look_ups: the API.
    """

    def __init__(self, look_ups: LookUps) -> None:
        self._look_ups = look_ups
        self._turns: dict[str, int] = {}

    async def group(self, account: str, region: str, arn: str) -> Group:
        """Read a target group.

        Args:
            account: the load balancer's account.
            region: its region.
            arn: the target group.

        Raises:
            ChainError: it does not exist, has targets that are not IP addresses, or none that may get a request.
        """
        try:
            found = await self._look_ups.call(
                "elbv2", account, "describe_target_groups", region=region, TargetGroupArns=[arn]
            )
            health = await self._look_ups.call(
                "elbv2", account, "describe_target_health", region=region, TargetGroupArn=arn
            )
        except ClientError as error:
            reason = f"the rule forwards to {arn}, which account {account} does not have"
            raise ChainError("target group", reason, status=503) from error
        described = found["TargetGroups"][0]
        name = f"target group {described['TargetGroupName']}"
        if described.get("TargetType") != "ip":
            reason = f"{name} has targets of type {described.get('TargetType')}; the rehearsal has IP addresses only"
            raise ChainError("target group", reason, status=503)
        return Group(arn, name, _in_service(name, health["TargetHealthDescriptions"]))

    def candidates(self, group: Group) -> Iterator[Address]:
        """Give the targets of a group, beginning with the one whose turn it is."""
        turn = self._turns.get(group.arn, 0)
        self._turns[group.arn] = turn + 1
        for offset in range(len(group.addresses)):
            yield group.addresses[(turn + offset) % len(group.addresses)]


def _in_service(name: str, targets: Sequence[Mapping[str, Any]]) -> tuple[Address, ...]:
    """The targets that get requests: the healthy ones, or all unhealthy ones if there is no healthy one.

    That last is what AWS calls fail-open: a health check that fails everywhere does not take a site down.
    """
    by_state: dict[str, list[Address]] = {}
    for target in targets:
        address = (str(target["Target"]["Id"]), int(target["Target"]["Port"]))
        by_state.setdefault(str(target["TargetHealth"]["State"]), []).append(address)
    for state in ("healthy", "unhealthy"):
        if by_state.get(state):
            return tuple(by_state[state])
    states = ", ".join(f"{len(addresses)} {state}" for state, addresses in sorted(by_state.items()))
    raise ChainError(
        "target group", f"{name} has no target in service: {states or 'none is registered'}", status=503
    )
