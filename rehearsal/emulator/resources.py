"""What a CloudFormation resource type is to the emulator, and how ours join MiniStack's."""

import secrets
from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from rehearsal.emulator import internals
from rehearsal.emulator.internals import Attributes, Created, Properties

__all__ = [
    "Attributes",
    "Created",
    "Properties",
    "Recorded",
    "Resource",
    "add",
    "extend",
    "new_id",
    "quietly",
    "refuse",
    "tagged",
    "tags",
    "watch",
]

# The types handled in worker threads, because their handlers call the API and so may wait.
THREADED: set[str] = set()


class Resource:
    """One resource type.

    Attributes:
        types: the CloudFormation types it stands for.
        replacing: properties that cannot be changed in place: another value makes a new resource, and CloudFormation
            deletes the old one when the update is over.
    """

    types: tuple[str, ...] = ()
    replacing: frozenset[str] = frozenset()

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Make it; gives the physical id (what `Ref` returns) and the attributes for `Fn::GetAtt`."""
        raise NotImplementedError

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:
        """Change it in place."""
        raise NotImplementedError

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Remove it."""
        raise NotImplementedError

    def _update_or_replace(
        self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> Created:
        if any(old.get(name) != new.get(name) for name in self.replacing):
            return self.create(logical_id or physical_id, new, stack)
        return self.update(physical_id, old, new)


class Recorded(Resource):
    """A type of which nothing is simulated: CloudFormation keeps its properties, and it has an id and attributes."""

    def __init__(
        self,
        *types: str,
        identify: Callable[[str, Properties, str], str],
        attributes: Callable[[str, Properties], Attributes] = lambda *_: {},
        replacing: frozenset[str] = frozenset(),
    ) -> None:
        """Describe it.

        Args:
            types: the CloudFormation types.
            identify: (logical id, properties, stack) -> physical id.
            attributes: (physical id, properties) -> attributes.
            replacing: properties whose change makes a new one.
        """
        self.types = types
        self.replacing = replacing
        self._identify = identify
        self._attributes = attributes

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Give it an id."""
        physical_id = self._identify(logical_id, properties, stack)
        return physical_id, self._attributes(physical_id, properties)

    def update(self, physical_id: str, old: Properties, new: Properties) -> Created:  # noqa: ARG002
        """Keep its id."""
        return physical_id, self._attributes(physical_id, new)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Nothing is there to remove."""


def add(*resources: Resource) -> None:
    """Register resource types; one that MiniStack has too is replaced by ours."""
    handlers = internals.resource_handlers()
    for resource in resources:
        for name in resource.types:
            handlers[name] = {
                "create": resource.create,
                "update": resource._update_or_replace,
                "update_with_logical_id": True,
                "delete": resource.delete,
            }
            THREADED.add(name)


def extend(name: str, attributes: Callable[[str, Properties, Attributes], Attributes]) -> None:
    """Give one of MiniStack's types more attributes.

    Args:
        name: the CloudFormation type.
        attributes: (physical id, properties, its attributes so far) -> attributes to add or replace.
    """
    handler = internals.resource_handlers()[name]
    create, update = handler["create"], handler["update"]
    THREADED.add(name)

    def created(logical_id: str, properties: Properties, stack: str) -> Created:
        physical_id, known = create(logical_id, properties, stack)
        return physical_id, {**known, **attributes(physical_id, properties, known)}

    def updated(
        physical_id: str, old: Properties, new: Properties, stack: str, *rest: str, **named: str
    ) -> Created:
        made_id, known = update(physical_id, old, new, stack, *rest, **named)
        return made_id, {**known, **attributes(made_id, new, known)}

    handler |= {"create": created, "update": updated}


def watch(
    name: str, *, made: Callable[[str, Properties], None], gone: Callable[[str, Properties], None]
) -> None:
    """Be told of the resources of a type.

    Args:
        name: the CloudFormation type.
        made: (physical id, properties), after one was created or updated.
        gone: (physical id, properties), before one is deleted.
    """
    handler = internals.resource_handlers()[name]
    create, update, delete = handler["create"], handler["update"], handler["delete"]
    THREADED.add(name)

    def created(logical_id: str, properties: Properties, stack: str) -> Created:
        result: Created = create(logical_id, properties, stack)
        made(result[0], properties)
        return result

    def updated(
        physical_id: str, old: Properties, new: Properties, stack: str, *rest: str, **named: str
    ) -> Created:
        result: Created = update(physical_id, old, new, stack, *rest, **named)
        made(result[0], new)
        return result

    def deleted(physical_id: str, properties: Properties) -> None:
        gone(physical_id, properties)
        delete(physical_id, properties)

    handler |= {"create": created, "update": updated, "delete": deleted}


def refuse(name: str, check: Callable[[Properties], None]) -> None:
    """Look at a type's properties before it is created or updated.

    Args:
        name: the CloudFormation type.
        check: raises ValueError with AWS's own message if the service would refuse them.
    """
    handler = internals.resource_handlers()[name]
    create, update = handler["create"], handler["update"]

    def created(logical_id: str, properties: Properties, stack: str) -> Created:
        check(properties)
        made: Created = create(logical_id, properties, stack)
        return made

    def updated(
        physical_id: str, old: Properties, new: Properties, stack: str, *rest: str, **named: str
    ) -> Created:
        check(new)
        made: Created = update(physical_id, old, new, stack, *rest, **named)
        return made

    handler |= {"create": created, "update": updated}


def new_id(prefix: str) -> str:
    """An id as EC2 makes them: the prefix, a dash and 17 hexadecimal digits."""
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


def quietly(call: Callable[[], object], *codes: str) -> None:
    """Delete something that may be gone already.

    Args:
        call: the API call.
        codes: beginnings of the error codes that say "not found".
    """
    try:
        call()
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith(codes):
            raise


def tags(properties: Mapping[str, object]) -> list[dict[str, str]]:
    """The Tags of a resource as a list of Key and Value."""
    given = properties.get("Tags") or []
    if isinstance(given, Mapping):
        return [{"Key": str(key), "Value": str(value)} for key, value in given.items()]
    return [
        {"Key": str(tag["Key"]), "Value": str(tag.get("Value", ""))}
        for tag in given  # type: ignore[attr-defined]
        if isinstance(tag, Mapping)
    ]


def tagged(resource_type: str, properties: Mapping[str, object]) -> dict[str, list[dict[str, object]]]:
    """The tags of a resource as the argument of an EC2 create call; nothing if it has none."""
    given = tags(properties)
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": given}]} if given else {}
