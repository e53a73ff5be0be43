"""What a rule of our own is: an id, a sentence, a fix, and a function that looks at templates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from compliance.templates import Assembly, Resource, Stack
from config.models import Configuration
from config.naming import Names
from config.stages import StageRef

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Organization:
    """What a rule looks at. From when it is made, the templates stay as they are.

    Args:
        assembly: the synthesized templates.
        configuration: what they were made from.
    """

    assembly: Assembly
    configuration: Configuration

    def __post_init__(self) -> None:
        self.assembly.settle()

    @cached_property
    def names(self) -> Names:
        """Names that one account knows of another."""
        return Names(self.configuration)

    @cached_property
    def environments(self) -> dict[str, StageRef]:
        """Name of the stage -> environment."""
        return {stage.stage_name: stage for stage in self.configuration.stages()}

    @cached_property
    def accounts(self) -> frozenset[str]:
        """Ids of all accounts of the organization."""
        return frozenset(self.configuration.account_ids().values())


@dataclass(frozen=True)
class Finding:
    """What a rule says of one resource.

    Args:
        of: the resource, or a stack as a whole.
        problem: what is wrong with it; empty if nothing is.
    """

    of: Resource | Stack
    problem: str = ""

    @property
    def stack(self) -> Stack:
        """The stack that it is about."""
        return self.of if isinstance(self.of, Stack) else self.of.stack

    @property
    def path(self) -> str:
        """Construct path of what it is about."""
        return self.of.path


Check = Callable[[Organization], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule of our own.

    Args:
        id: `LZ-`, theme and number; a contract, for waivers name it.
        text: what must hold, in one sentence.
        fix: what to do about a finding.
        check: yields at least one finding for each resource that the rule applies to, also where nothing is wrong.
        level: `error` or `warning`; both stop a release.
    """

    id: str
    text: str
    fix: str
    check: Check = field(repr=False)
    level: Level = "error"

    def findings(self, organization: Organization) -> list[Finding]:
        """Apply the rule.

        Args:
            organization: what to look at.
        """
        return list(self.check(organization))


def rule(rule_id: str, *, text: str, fix: str, level: Level = "error") -> Callable[[Check], Rule]:
    """Make a rule of a function.

    Args:
        rule_id: its id.
        text: what must hold.
        fix: what to do about a finding.
        level: `error` or `warning`.
    """
    return lambda check: Rule(rule_id, text, fix, check, level)


def judged(of: Resource | Stack, problems: list[str]) -> Iterator[Finding]:
    """Yield what is wrong with a resource, or that nothing is.

    Args:
        of: the resource, or a stack.
        problems: what is wrong.
    """
    yield from (Finding(of, problem) for problem in problems) if problems else (Finding(of),)
