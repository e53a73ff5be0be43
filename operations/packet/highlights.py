"""What the approver must not miss, the gravest first."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from operations.guard import Judgement
from operations.packet.differences import Difference, StatementChange, Template
from operations.packet.exposure import access_concerns, network_concerns, protection_concerns
from operations.packet.model import Highlight, ImageChange, Kind, SchemaChange, StackChange
from operations.packet.words import count, readable, some
from operations.releases.templates import StackTemplate

# CloudFormation refuses to update a stack in these states: somebody has to act first. ROLLBACK_COMPLETE is what a
# creation that failed ends in, and only deletion leads out of it.
STUCK = frozenset(
    {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"}
)

# Every release makes them anew, or nothing but their permissions changes, which has a place of its own.
MADE_ANEW = frozenset(
    {
        "AWS::ECS::TaskDefinition",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
    }
)

Concerns = Callable[[Difference, Template, Template], Iterator[tuple[str, str]]]
CONCERNS: tuple[tuple[Kind, Concerns], ...] = (
    ("access", access_concerns),
    ("network", network_concerns),
    ("protection", protection_concerns),
)


def highlights(
    verdict: Judgement,
    stacks: Sequence[StackChange],
    before: Sequence[StackTemplate],
    after: Sequence[StackTemplate],
    *,
    image: ImageChange,
    database: SchemaChange,
) -> tuple[Highlight, ...]:
    """Find them.

    Args:
        verdict: what would be lost, and what is acknowledged of it.
        stacks: what becomes of each stack.
        before: what is deployed.
        after: what would be deployed.
        image: what would run.
        database: what the release step would do.
    """
    return (
        *_lost(verdict),
        *_stuck(stacks),
        *_replaced(stacks),
        *_opened(stacks, before, after),
        *_migrations(image, database),
    )


def _lost(verdict: Judgement) -> Iterator[Highlight]:
    for danger in verdict.open:
        yield Highlight(kind=danger.kind, where=danger.change, what=danger.what, fix=danger.fix, blocks=True)
    for danger, entry in verdict.let_through:
        yield Highlight(kind=danger.kind, where=danger.change, what=danger.what, acknowledged=entry.reason)


def _stuck(stacks: Sequence[StackChange]) -> Iterator[Highlight]:
    for stack in stacks:
        if stack.state in STUCK:
            what = f"it is in the state {stack.state}, and CloudFormation refuses to update it."
            fix = (
                f"repair it in account {stack.account}, region {stack.region}: delete it if its creation failed, "
                "continue its rollback if not; then retry"
            )
            yield Highlight(kind="stuck", where=stack.name, what=what, fix=fix, blocks=True)


def _replaced(stacks: Sequence[StackChange]) -> Iterator[Highlight]:
    """Count what goes or is made anew, besides what is guarded: a load balancer's name, an address, a cache."""
    for stack in stacks:
        lost = [
            resource
            for resource in (stack.difference.resources if stack.difference else ())
            if (resource.is_replaced or resource.is_removed)
            and not resource.is_guarded
            and resource.type not in MADE_ANEW
        ]
        kinds = Counter(resource.type for resource in lost)
        texts = [f"{number} {kind}" for kind, number in kinds.most_common()]
        if texts:
            what = f"removed or replaced: {some(texts)}"
            yield Highlight(kind="replacement", where=stack.name, what=what)


def _opened(
    stacks: Sequence[StackChange], before: Sequence[StackTemplate], after: Sequence[StackTemplate]
) -> Iterator[Highlight]:
    old = {stack.name: stack.template for stack in before}
    new = {stack.name: stack.template for stack in after}
    found = [*_of_new_stacks([stack for stack in stacks if stack.fate == "new"])]
    for stack in stacks:
        difference = stack.difference
        if difference is None or stack.fate == "unchanged":
            continue
        templates = (old.get(stack.name, {}), new[stack.name])
        if stack.fate != "new":
            broader = [one for one in difference.iam if one.broadens]
            if broader:
                found.append(Highlight(kind="access", where=stack.name, what=_permissions(broader)))
            opened = [
                f"{'from' if rule.direction == 'in' else 'to'} {readable(rule.peer)}, {rule.protocol}"
                for rule in difference.network
                if rule.broadens
            ]
            if opened:
                what = f"security groups open: {some(opened)}"
                found.append(Highlight(kind="network", where=stack.name, what=what))
        for kind, concerns in CONCERNS:
            texts = _grouped(concerns(difference, *templates))
            if stack.fate == "new":  # one line, for none of it is a surprise
                texts = ["; ".join(texts)] if texts else []
            found += [Highlight(kind=kind, where=stack.name, what=text) for text in texts]
    order = [kind for kind, _ in CONCERNS]
    yield from sorted(found, key=lambda one: order.index(one.kind))


def _grouped(concerns: Iterator[tuple[str, str]]) -> list[str]:
    """Say once what several resources do alike."""
    alike: dict[str, list[str]] = {}
    for name, text in concerns:
        alike.setdefault(text, []).append(name)
    return [
        f"{names[0]} {text}" if len(names) == 1 else f"{', '.join(names)}: {text}"
        for text, names in alike.items()
    ]


def _of_new_stacks(stacks: Sequence[StackChange]) -> Iterator[Highlight]:
    """In a new stack everything is new: count it, rather than list it; and all of them in one line."""
    permissions = Counter({stack.name: len(stack.difference.iam) for stack in stacks if stack.difference})
    rules = Counter({stack.name: len(stack.difference.network) for stack in stacks if stack.difference})
    texts = [
        f"{count(found.total(), noun)}{_by_stack(found)}"
        for found, noun in ((permissions, "permission"), (rules, "security group rule"))
        if found.total()
    ]
    if texts:
        where = stacks[0].name if len(stacks) == 1 else f"{len(stacks)} new stacks"
        what = f"{'the stack is new and brings' if len(stacks) == 1 else 'they bring'} {' and '.join(texts)}"
        yield Highlight(kind="access" if permissions.total() else "network", where=where, what=what)


def _by_stack(found: Counter[str]) -> str:
    if len(found) == 1:
        return ""
    counted = [f"{name.rpartition('-')[2]} {number}" for name, number in found.most_common() if number]
    return f" ({', '.join(counted)})"


def _permissions(found: Sequence[StatementChange]) -> str:
    widest_first = sorted(found, key=lambda one: -(one.resource + one.principal + one.action).count("*"))
    texts = [
        f"{one.effect if one.added else 'no more ' + one.effect} {one.action} on {readable(one.resource)} "
        f"for {readable(one.principal)}" + (f" where {readable(one.condition)}" if one.condition else "")
        for one in widest_first
    ]
    return f"permissions broaden: {some([' '.join(text.split()) for text in texts])}"


def _migrations(image: ImageChange, database: SchemaChange) -> Iterator[Highlight]:
    if not database.known:
        yield Highlight(
            kind="migration", where="database", what=f"migrations are not known: {database.problem}"
        )
    for migration in database.pending:
        concerns = migration.all_concerns
        if migration.verdict == "contract":
            breaks = any(concern.effect == "breaks" for concern in concerns)
            text = "; ".join(dict.fromkeys(concern.text for concern in concerns))
            also = (
                " It comes with other code: the version before serves on until the deployment is over."
                if breaks and image.differs and image.before
                else ""
            )
            what = f"{'breaks the version before' if breaks else 'locks'}: {text}.{also}".replace("..", ".")
            yield Highlight(kind="migration", where=migration.key, what=what)
        elif migration.verdict == "unknown":
            what = "; ".join(dict.fromkeys(concern.text for concern in concerns))
            yield Highlight(kind="migration", where=migration.key, what=f"cannot be judged: {what}")
        if not migration.atomic:
            what = "is not atomic: if it fails, a part of it stays"
            yield Highlight(kind="migration", where=migration.key, what=what)
