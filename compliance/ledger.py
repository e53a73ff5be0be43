"""Holds the waiver ledger against what was found: what it covers, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from compliance.catalogue import known_rules, rules_of
from compliance.packs import OWN, pack_of
from compliance.places import Place, places
from compliance.results import Problem, Row, Status, WaiverUse
from compliance.templates import Assembly
from compliance.waivers import LEDGER, Waiver
from config.models import Configuration

LONGEST = timedelta(days=366)  # a year, also one with a 29 February in it
SOON = timedelta(days=30)


class Ledger:
    """The waivers, with what each covers in one organization.

    Args:
        configuration: the organization.
        waivers: the waivers.

    Raises:
        WaiverError: a waiver has something in braces that is no name.
    """

    def __init__(self, configuration: Configuration, waivers: Sequence[Waiver]) -> None:
        self._waivers = waivers
        self._at: dict[tuple[str, str], list[Place]] = {}
        self._of: dict[int, list[Place]] = {}
        for place in places(configuration, waivers):
            self._of.setdefault(id(place.waiver), []).append(place)
            self._at.setdefault((place.waiver.rule, place.path), []).append(place)
        self._index = {waiver: index for index, waiver in enumerate(waivers)}
        self._covered: dict[Waiver, int] = {}
        self._used: set[tuple[Waiver, str]] = set()
        self._compliant: set[tuple[str, str]] = set()

    def applied(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """Return rows as they are once the ledger is applied; what no waiver covers stays as it is.

        Args:
            rows: what the packs said, our own with them.
        """
        said: dict[tuple[str, str], set[Status]] = {}
        for row in rows:
            if row.pack == OWN.id:
                said.setdefault((row.rule, row.resource), set()).add(row.status)
        content = {place for place, statuses in said.items() if statuses == {Status.COMPLIANT}}
        self._compliant = {(row.rule, row.resource) for row in rows if row.status is Status.COMPLIANT}
        return tuple(row if row.status is Status.COMPLIANT else self._waived(row, content) for row in rows)

    def _waived(self, row: Row, content: set[tuple[str, str]]) -> Row:
        """Apply the first waiver that covers a row; two may be the same once their names are filled in."""
        covering = [
            place.waiver
            for place in self._at.get((row.rule, row.resource), [])
            if not place.findings or row.finding in place.findings
            if place.waiver.rechecked_by is None
            or (row.status is Status.UNKNOWN and (place.waiver.rechecked_by, row.resource) in content)
        ]
        for waiver in covering:
            self._covered[waiver] = self._covered.get(waiver, 0) + 1
            self._used.add((waiver, row.finding))
        if not covering:
            return row
        known = {
            "status": Status.RECHECKED if covering[0].rechecked_by else Status.WAIVED,
            "waiver": self._index[covering[0]],
            "rechecked_by": covering[0].rechecked_by or "",
        }
        return row.model_copy(update=known)

    def uses(self) -> tuple[WaiverUse, ...]:
        """Return every waiver with the number of rows that it covers, in the order of the file."""
        return tuple(
            WaiverUse(
                rule=waiver.rule,
                path=waiver.path,
                findings=waiver.findings,
                reason=waiver.reason,
                owner=waiver.owner,
                ticket=waiver.ticket,
                expires=waiver.expires,
                covers=self._covered.get(waiver, 0),
                rechecked_by=waiver.rechecked_by or "",
            )
            for waiver in self._waivers
        )

    def problems(self, assembly: Assembly, today: date) -> tuple[Problem, ...]:
        """List what is wrong with the ledger, once it was applied.

        Args:
            assembly: the templates.
            today: the day on which it must hold.
        """
        told: dict[tuple[str, str], list[Waiver]] = {}
        scopes = _scopes(assembly)
        for waiver in self._waivers:
            for key in (
                *_about_rules(waiver),
                *_about_time(waiver, today),
                *self._about_places(waiver, scopes),
            ):
                told.setdefault(key, []).append(waiver)
        return tuple(
            Problem(where=_where(waivers), problem=problem, fix=fix)
            for (problem, fix), waivers in told.items()
        )

    def warnings(self, today: date) -> tuple[Problem, ...]:
        """List the waivers that will soon expire, by their days.

        Args:
            today: the day on which it must hold.
        """
        soon: dict[date, list[Waiver]] = {}
        for waiver in self._waivers:
            if today <= waiver.expires <= today + SOON:
                soon.setdefault(waiver.expires, []).append(waiver)
        return tuple(
            Problem(
                where=_where(waivers),
                problem=f"expires on {day}",  # without the days left: what a result says is the same tomorrow
                fix="from the next day on it stops a release: fix the finding, or let its owner accept it again",
            )
            for day, waivers in sorted(soon.items())
        )

    def _about_places(self, waiver: Waiver, scopes: frozenset[str]) -> Iterator[tuple[str, str]]:
        found = self._of.get(id(waiver), [])
        if pack_of(waiver.rule) != OWN and any(place.path in scopes for place in found):
            yield (
                "it is about a whole stack or stage",
                "name the one construct that the finding is about",
            )
        if not any(place.is_judged for place in found):
            return  # its pack is off: nobody knows whether it is still needed
        if waiver not in self._covered:
            if waiver.optional and not any((waiver.rule, place.path) in self._compliant for place in found):
                return  # its rule says nothing of any of its places: they are not there
            yield (
                "it covers no finding",
                f"remove it from {LEDGER.name}, or correct its rule, path, classes or findings",
            )
            return
        for index, finding in enumerate(waiver.findings):
            if not any((waiver, place.findings[index]) in self._used for place in found):
                yield f"its finding {finding} is nowhere any more", "remove it from the waiver's findings"


def _where(waivers: Sequence[Waiver]) -> str:
    more = f" and {len(waivers) - 1} more" if len(waivers) > 1 else ""
    return f"{LEDGER.name}: {waivers[0]}{more}"


def _scopes(assembly: Assembly) -> frozenset[str]:
    """Return the paths of all stacks and of everything around them."""
    paths = {stack.path for stack in assembly.stacks.values()}
    return frozenset(
        "/".join(path.split("/")[:length]) for path in paths for length in range(1, path.count("/") + 2)
    )


def _about_rules(waiver: Waiver) -> Iterator[tuple[str, str]]:
    if waiver.rule not in known_rules():
        yield f"no pack has a rule {waiver.rule}", "correct the id; the report lists all of them"
    if waiver.rechecked_by is not None and waiver.rechecked_by not in rules_of(OWN):
        yield (
            f"{waiver.rechecked_by} is no rule of ours, so it cannot look again",
            f"one of {', '.join(rules_of(OWN))}",
        )


def _about_time(waiver: Waiver, today: date) -> Iterator[tuple[str, str]]:
    if waiver.expires < today:
        yield f"expired on {waiver.expires}", "fix the finding, or let its owner accept it again"
    if waiver.expires > today + LONGEST:
        yield (
            f"expires on {waiver.expires}, more than a year ahead",
            f"a waiver is looked at once a year: {today + LONGEST} at most",
        )
