"""What is wrong with a configuration, in words that a person can act on."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

# Narrow enough for a split terminal, a CI log and a code review comment.
WIDTH = 78


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, what was found, what is allowed, and how to put it right.

    Args:
        file: Name of the file, as the user would type it.
        path: Path inside the JSON document, such as `workloads.shop.environments.staging.cidr`.
        value: What was found there, shortened for display.
        problem: What is wrong, in one line.
        allowed: What would be accepted.
        fix: What to do about it.
    """

    file: str
    path: str
    value: str
    problem: str
    allowed: str
    fix: str


def render(problems: Sequence[Problem]) -> str:
    """Write problems as plain text, one paragraph each.

    Args:
        problems: The problems, in the order in which they are shown.

    Returns:
        Text no wider than 78 columns, unless a single word is longer than that.
    """
    count = len(problems)
    title = f"{count} problem{'' if count == 1 else 's'} in the configuration"
    return "\n\n".join([title, *(_paragraph(problem) for problem in problems)])


def _paragraph(problem: Problem) -> str:
    lines = [problem.file, f"  {problem.path}"]
    for label, text in (
        ("problem", problem.problem),
        ("got", problem.value),
        ("allowed", problem.allowed),
        ("fix", problem.fix),
    ):
        lines += textwrap.wrap(
            text,
            width=WIDTH,
            initial_indent=f"    {label + ':':<9}",
            subsequent_indent=" " * 13,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


class ConfigurationError(Exception):
    """The configuration cannot be used; holds every problem that was found, not only the first.

    Args:
        problems: At least one problem.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return render(self.problems)


class UnknownStageError(ConfigurationError, LookupError):
    """A stage was asked for by a name that no stage, or more than one, has."""
