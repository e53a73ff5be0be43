"""Rules about how the values of a configuration combine; each module is one chapter of them.

A rule never raises and never stops at the first finding. It sees valid values only (see `View`), so a mistake
in one place does not hide those in others.
"""

from collections.abc import Callable, Iterator

from config.problems import Finding
from config.rules import accounts, containers, domains, naming, network, sizes, sources
from config.rules.view import View

Rule = Callable[[View], Iterator[Finding]]

CHAPTERS: tuple[Rule, ...] = (
    accounts.check,
    domains.check,
    network.check,
    sources.check,
    naming.check,
    sizes.check,
    containers.check,
)


def check(view: View) -> list[Finding]:
    """Apply all rules."""
    return [finding for chapter in CHAPTERS for finding in chapter(view)]


__all__ = ["View", "check"]
