"""Resource Access Manager: what one account shares with others. There is no RAM API here, only its resource type."""

import uuid
from dataclasses import dataclass

from rehearsal.emulator import internals
from rehearsal.emulator.resources import Attributes, Created, Properties, Resource
from rehearsal.emulator.steady import SteadyDict


@dataclass(frozen=True)
class Share:
    """Resources, by ARN, and the principals that may use them: account ids, or ARNs of the organization or a unit."""

    resources: frozenset[str]
    principals: frozenset[str]


# Stacks make them in worker threads; requests go through them on the event loop.
_shares: SteadyDict[str, Share] = SteadyDict()


def is_shared(resource_arn: str, account: str) -> bool:
    """Whether an account may use a resource of another account.

    Every account of the rehearsal counts as a member of the organization and of each of its units.
    """
    return any(
        resource_arn in share.resources
        and any(p == account or ":organization/" in p or ":ou/" in p for p in share.principals)
        for share in _shares.values()
    )


class ResourceShare(Resource):
    """AWS::RAM::ResourceShare."""

    types = ("AWS::RAM::ResourceShare",)

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:  # noqa: ARG002
        """Share from now on."""
        arn = f"arn:aws:ram:{internals.region()}:{internals.account()}:resource-share/{uuid.uuid4()}"
        return arn, self._store(arn, properties)

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Share what the new properties say, and nothing else."""
        return physical_id, self._store(physical_id, new)

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        """Stop sharing."""
        _shares.pop(physical_id, None)

    def _store(self, arn: str, properties: Properties) -> Attributes:
        owner = f":{internals.account()}:"
        resources = [str(resource) for resource in properties.get("ResourceArns") or []]
        foreign = [resource for resource in resources if owner not in resource]
        if foreign:
            raise ValueError(
                f"Resources cannot be shared by an account that does not own them: {', '.join(foreign)}"
            )
        _shares[arn] = Share(
            resources=frozenset(resources),
            principals=frozenset(str(principal) for principal in properties.get("Principals") or []),
        )
        return {"Arn": arn}
