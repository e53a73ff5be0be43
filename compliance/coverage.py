"""Proves that every pack looked at every stack, and at every resource that it has rules for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compliance.packs import OWN, Pack
from compliance.reports import Report, report_name, strangers
from compliance.results import Cell, Coverage, Problem, Row, Status
from compliance.templates import Resource, Stack


@dataclass(frozen=True)
class Watched:
    """Which packs were to look at a stack.

    Args:
        stack: the stack.
        packs: the packs of cdk-nag that are on there.
    """

    stack: Stack
    packs: tuple[Pack, ...]


def report_problems(watched: Sequence[Watched], reports: Mapping[str, Report]) -> tuple[Problem, ...]:
    """List the stacks that a pack left no report on, or somebody else's.

    Args:
        watched: every stack, with the packs that were to look at it.
        reports: what they wrote.
    """
    owners: dict[str, str] = {}
    problems = []
    for each in watched:
        for pack in each.packs if each.stack.resources() else ():
            name = report_name(pack.name, each.stack)
            report = reports.get(name)
            owner = owners.setdefault(name, each.stack.path)
            if report is None:
                problems.append(_problem(each.stack, f"{pack.title} wrote no report on it ({name})"))
            elif owner != each.stack.path:
                problems.append(_problem(each.stack, f"its report has the name of that on {owner} ({name})"))
            elif stranger := next(iter(strangers(report, each.stack)), None):
                problems.append(_problem(each.stack, f"{name} is about something else: {stranger}"))
    return tuple(problems)


def _problem(stack: Stack, problem: str) -> Problem:
    fix = "register the pack on its stage, as compliance/nag.py does, and give every stack a name of its own"
    return Problem(where=stack.path, problem=problem, fix=fix)


def passed_over(watched: Sequence[Watched], rows: Sequence[Row]) -> tuple[Row, ...]:
    """List what a pack of cdk-nag should have judged and did not, as rows of status unknown.

    It tells types apart by the class of a construct, and the CDK makes some resources of its own with a plain one:
    those are passed over in silence. What a pack judges wherever else the type comes must be judged here, too.

    Args:
        watched: every stack, with the packs that were to look at it.
        rows: what they said.
    """
    found = []
    for pack in dict.fromkeys(pack for each in watched for pack in each.packs):
        judged: dict[str, set[str]] = {}
        for row in rows:
            if row.pack == pack.id:
                judged.setdefault(row.resource, set()).add(row.rule)
        resources = [
            resource for each in watched if pack in each.packs for resource in each.stack.resources()
        ]
        rules = _rules_by_type(resources, judged)
        found += [
            Row(
                pack=pack.id,
                rule=rule,
                resource=resource.path,
                stack=resource.stack.name,
                status=Status.UNKNOWN,
                finding="passed over",
            )
            for resource in resources
            if resource.path not in judged
            for rule in sorted(rules.get(resource.type, set()))
        ]
    return tuple(found)


def _rules_by_type(resources: Sequence[Resource], judged: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Map each type to the rules that judged every resource of it that was judged at all."""
    rules: dict[str, set[str]] = {}
    for resource in resources:
        said = judged.get(resource.path)
        if said is None:
            continue
        known = rules.get(resource.type)
        if known is None or not known <= said:
            rules[resource.type] = said if known is None else known & said
    return rules


def cells(
    watched: Sequence[Watched],
    packs: Sequence[Pack],
    reports: Mapping[str, Report],
    rows: Sequence[Row],
) -> tuple[Cell, ...]:
    """Make the matrix: every pack on every stack.

    Args:
        watched: every stack, with the packs of cdk-nag that were to look at it.
        packs: all packs that are on anywhere, our own among them.
        reports: what cdk-nag wrote.
        rows: what all packs said; what they passed over or failed on has status unknown until it was rechecked.
    """
    by_cell: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_cell.setdefault((row.pack, row.stack), []).append(row)
    found = []
    for each in watched:
        paths = {resource.path for resource in each.stack.resources()}
        for pack in packs:
            said = by_cell.get((pack.id, each.stack.name), [])
            is_on = pack == OWN or pack in each.packs
            there = pack == OWN or report_name(pack.name, each.stack) in reports or not paths
            found.append(
                Cell(
                    pack=pack.id,
                    stack=each.stack.name,
                    coverage=_coverage(said, is_on=is_on, is_there=there),
                    resources=len({row.resource for row in said if row.resource in paths}),
                    rules=len({row.rule for row in said}),
                    rows=len(said),
                )
            )
    return tuple(found)


def _coverage(said: Sequence[Row], *, is_on: bool, is_there: bool) -> Coverage:
    if not is_on:
        return Coverage.OFF
    if not is_there:
        return Coverage.MISSING
    if any(row.status is Status.UNKNOWN for row in said):
        return Coverage.FAILED
    return Coverage.EVALUATED if said else Coverage.NOTHING_TO_JUDGE


def unjudged(watched: Sequence[Watched], matrix: Sequence[Cell]) -> tuple[Problem, ...]:
    """List the stacks of which no pack judged a single resource.

    Args:
        watched: every stack.
        matrix: the coverage.
    """
    judged = {cell.stack for cell in matrix if cell.resources}
    return tuple(
        Problem(
            where=each.stack.path,
            problem="no rule of any pack judged a resource in it",
            fix="find out why; a stack without anything to judge should not be there",
        )
        for each in watched
        if each.stack.name not in judged
    )
