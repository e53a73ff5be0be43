"""Judges an assembly: what cdk-nag and our own rules said, the ledger applied, and whether the proof is whole."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from compliance.allowances import SOON, Allowance, ledger_problems
from compliance.catalogue import rules_of, source_of
from compliance.coverage import Watched, cells, passed_over, report_problems, unjudged
from compliance.exposure import exposures
from compliance.garbage import collector_resting
from compliance.ledger import Ledger
from compliance.packs import OWN, PACKS, nag_packs_of
from compliance.reports import COMPLIANT, NON_COMPLIANT, SUPPRESSED, Report, read_reports, report_name
from compliance.results import (
    Account,
    AllowanceUse,
    ComplianceResult,
    Pack,
    Problem,
    Row,
    Stack,
    Status,
)
from compliance.rules import RULES, Organization
from compliance.templates import Assembly
from compliance.trust import trust_matrix
from compliance.waivers import LEDGER, Waiver
from config.models import Configuration

# What the CDK puts in place of a look-up that it could not make, such as the zones of a region.
DUMMY = "dummy1"
OPEN = frozenset({Status.NON_COMPLIANT, Status.UNKNOWN})
_STATUS = {COMPLIANT: Status.COMPLIANT, NON_COMPLIANT: Status.NON_COMPLIANT, SUPPRESSED: Status.NON_COMPLIANT}


@collector_resting()
def judge(
    directory: Path,
    *,
    configuration: Configuration,
    waivers: Sequence[Waiver],
    allowances: Sequence[Allowance] = (),
    today: date,
) -> ComplianceResult:
    """Judge an assembly.

    Args:
        directory: the assembly.
        configuration: what it was made from.
        waivers: the ledger.
        allowances: its part about what we build with. What each covers is judged where that is looked at.
        today: the day against which the ledger is held; synthesis itself reads no clock.

    Raises:
        WaiverError: a waiver has something in braces that is no name.
    """
    organization = Organization(Assembly(directory), configuration)
    assembly, reports = organization.assembly, read_reports(directory)
    watched = [
        Watched(stack, nag_packs_of(configuration, organization.environments.get(stack.stage)))
        for stack in assembly.stacks.values()
    ]
    on = {OWN, *(pack for each in watched for pack in each.packs)}
    packs = [pack for pack in PACKS if pack in on]
    ledger = Ledger(configuration, waivers)
    said = [*_nag_rows(watched, reports), *_own_rows(organization)]
    rows = ledger.applied((*said, *passed_over(watched, said)))
    matrix = cells(watched, packs, reports, rows)
    problems = (
        *report_problems(watched, reports),
        *unjudged(watched, matrix),
        *_guesses(assembly),
        *ledger.problems(assembly, today),
        *(Problem(where=LEDGER.name, problem=text) for text in ledger_problems(allowances, today)),
    )
    return ComplianceResult(
        organization=configuration.organization.name,
        region=configuration.organization.region,
        judged_on=today,
        passed=not problems and not any(row.status in OPEN for row in rows),
        accounts=_accounts(configuration),
        stacks=tuple(_stacks(organization)),
        packs=tuple(
            Pack(id=each.id, title=each.title, source=source_of(each), rules=len(rules_of(each)))
            for each in packs
        ),
        rules=tuple(rule for pack in packs for rule in rules_of(pack).values()),
        waivers=ledger.uses(),
        allowances=tuple(AllowanceUse(**allowance.model_dump()) for allowance in allowances),
        rows=rows,
        coverage=matrix,
        trust=trust_matrix(organization),
        exposures=exposures(organization),
        problems=problems,
        warnings=(*ledger.warnings(today), *_warnings(allowances, today)),
    )


def open_rows(result: ComplianceResult) -> tuple[Row, ...]:
    """List what has neither a fix nor a waiver, and what no rule could judge.

    Args:
        result: the result.
    """
    return tuple(row for row in result.rows if row.status in OPEN)


def _nag_rows(watched: Sequence[Watched], reports: Mapping[str, Report]) -> Iterator[Row]:
    """Yield what cdk-nag said. What it suppressed is open until the ledger explains it: there is no other place."""
    for each in watched:
        for pack in each.packs:
            report = reports.get(report_name(pack.name, each.stack))
            for row in report.rows if report is not None else ():
                yield Row(
                    pack=pack.id,
                    rule=row.rule,
                    resource=row.resource,
                    stack=each.stack.name,
                    status=_STATUS.get(row.compliance, Status.UNKNOWN),
                    finding=row.finding,
                )


def _own_rows(organization: Organization) -> Iterator[Row]:
    for rule in RULES:
        for finding in rule.findings(organization):
            yield Row(
                pack=OWN.id,
                rule=rule.id,
                resource=finding.path,
                stack=finding.stack.name,
                status=Status.NON_COMPLIANT if finding.problem else Status.COMPLIANT,
                finding=finding.problem,
            )


def _accounts(configuration: Configuration) -> tuple[Account, ...]:
    environments: dict[str, list[str]] = {}
    for stage in configuration.stages():
        environments.setdefault(stage.account_id, []).append(stage.key)
    return tuple(
        Account(name=name, id=account, environments=tuple(environments.get(account, ())))
        for name, account in configuration.account_ids().items()
    )


def _stacks(organization: Organization) -> Iterator[Stack]:
    for stack in organization.assembly.stacks.values():
        stage = organization.environments.get(stack.stage)
        yield Stack(
            name=stack.name,
            path=stack.path,
            account=stack.account,
            region=stack.region,
            environment=stage.key if stage is not None else "",
            resources=len(stack.resources()),
        )


def _warnings(allowances: Sequence[Allowance], today: date) -> Iterator[Problem]:
    fix = "from the next day on it stops a release: fix it, or let its owner accept it again"
    for allowance in allowances:
        if today <= allowance.expires <= today + SOON:
            where, problem = f"{LEDGER.name}: {allowance}", f"expires on {allowance.expires}"
            yield Problem(where=where, problem=problem, fix=fix)


def _guesses(assembly: Assembly) -> Iterator[Problem]:
    """List where synthesis would have had to ask AWS: context that is missing, or a value that stands for it."""
    fix = "take the value from the configuration: synthesis asks nobody"
    for stack in assembly.stacks.values():
        for key in stack.missing:
            yield Problem(where=stack.path, problem=f"a look-up is missing from the context: {key}", fix=fix)
        if DUMMY in stack.template_file.read_text(encoding="utf-8"):
            problem = f'its template holds "{DUMMY}", which stands for a failed look-up'
            yield Problem(where=stack.path, problem=problem, fix=fix)
