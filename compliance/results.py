"""What the gate found, in one machine-readable file: every report is made from it, and from nothing else."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

RESULT = Path("reports") / "compliance" / "compliance.json"
"""Where `lz synth` writes it, from the project's folder."""


class ResultModel(BaseModel):
    """Base of every part: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """What a rule says of a resource, the ledger considered.

    A rule that is on in a stack and has no row there has found nothing to judge: `ComplianceResult.not_applicable`.
    """

    COMPLIANT = "compliant"
    NON_COMPLIANT = "non-compliant"
    WAIVED = "waived"
    UNKNOWN = "unknown"  # the rule itself failed, and no rule of ours looked instead
    RECHECKED = "rechecked"  # the rule itself failed, and a rule of ours looked instead and is content


class Coverage(StrEnum):
    """Whether a pack looked at a stack."""

    EVALUATED = "evaluated"
    NOTHING_TO_JUDGE = "nothing to judge"  # it looked, and has no rule for anything in the stack
    FAILED = "failed"  # a rule threw, or resources were passed over
    MISSING = "missing"  # there is no report
    OFF = "off"  # not selected for this environment


class Account(ResultModel):
    """One account of the organization.

    Args:
        name: its name in the configuration, or `tooling` or `shared_services`.
        id: twelve digits.
        environments: keys of the environments in it, such as `my-django-app/staging`.
    """

    name: str
    id: str
    environments: tuple[str, ...] = ()


class Stack(ResultModel):
    """One stack.

    Args:
        name: its name in CloudFormation; rows and cells refer to it.
        path: construct path.
        account: id of its account.
        region: its region.
        environment: key of its environment; empty for tooling and shared services.
        resources: number of resources in its template.
    """

    name: str
    path: str
    account: str
    region: str
    environment: str
    resources: int


class Pack(ResultModel):
    """One set of rules.

    Args:
        id: as in the configuration, such as `aws-solutions`.
        title: for people.
        source: what it comes from, with its version.
        rules: number of rules in it.
    """

    id: str
    title: str
    source: str
    rules: int


class Rule(ResultModel):
    """One rule.

    Args:
        id: such as `AwsSolutions-S1` or `LZ-NET-1`.
        pack: id of its pack.
        level: `error` or `warning`; both stop a release.
        text: what must hold.
        fix: what to do about a finding.
    """

    id: str
    pack: str
    level: Literal["error", "warning"]
    text: str
    fix: str


class WaiverUse(ResultModel):
    """One entry of the ledger.

    Args:
        rule: id of the rule.
        path: construct path, with names in braces that stand for each environment's values.
        findings: the findings that it is limited to; all of the rule on that resource if empty.
        reason: why it is acceptable.
        owner: team that answers for it.
        ticket: where it was decided.
        expires: last day on which it holds.
        covers: number of rows that it covers.
        rechecked_by: id of the rule of ours that must be content with the resource.
    """

    rule: str
    path: str
    findings: tuple[str, ...]
    reason: str
    owner: str
    ticket: str
    expires: date
    covers: int
    rechecked_by: str = ""

    @property
    def because(self) -> str:
        """Why it is accepted, by whom and until when."""
        return f"{self.reason} ({self.owner}, {self.ticket}, until {self.expires})"


class AllowanceUse(ResultModel):
    """One entry of the ledger about what we build with, and not about a construct.

    Args:
        kind: `vulnerability`, `license` or `image-finding`.
        id: number of the vulnerability, or the license.
        packages: names of the packages that it is accepted in.
        reason: why it is acceptable.
        owner: team that answers for it.
        ticket: where it was decided.
        expires: last day on which it holds.
    """

    kind: str
    id: str
    packages: tuple[str, ...]
    reason: str
    owner: str
    ticket: str
    expires: date

    @property
    def because(self) -> str:
        """Why it is accepted, by whom and until when."""
        return f"{self.reason} ({self.owner}, {self.ticket}, until {self.expires})"


class Row(ResultModel):
    """What one rule says of one resource.

    Args:
        pack: id of the pack.
        rule: id of the rule.
        resource: construct path.
        stack: name of the stack.
        status: the verdict.
        finding: which one, for a rule that finds several on a resource, such as `Resource::*`; for our own rules
            what is wrong.
        waiver: index into `waivers`, if it is waived.
        rechecked_by: id of the rule of ours that looked where this one failed.
    """

    pack: str
    rule: str
    resource: str
    stack: str
    status: Status
    finding: str = ""
    waiver: int | None = None
    rechecked_by: str = ""


class Cell(ResultModel):
    """One pack on one stack.

    Args:
        pack: id of the pack.
        stack: name of the stack.
        coverage: whether the pack looked.
        resources: number of resources that it judged.
        rules: number of its rules that applied to any of them.
        rows: number of its rows.
    """

    pack: str
    stack: str
    coverage: Coverage
    resources: int = 0
    rules: int = 0
    rows: int = 0


class Trust(ResultModel):
    """Who may assume a role.

    Args:
        role: its name, or its construct path if AWS makes the name up.
        account: id of the account that holds it.
        resource: construct path; empty for the roles of `cdk bootstrap`, which are in no template here.
        stack: name of the stack; `CDKToolkit` for those roles.
        principal: who may assume it: an ARN, a service's name, a provider.
        kind: what the principal is.
        from_account: id of the principal's account; empty for a service.
        condition: what narrows it, as text.
        used_by: roles of this project whose own policy lets them assume it.
    """

    role: str
    account: str
    resource: str
    stack: str
    principal: str
    kind: Literal["account", "role", "service", "provider", "anybody"]
    from_account: str
    condition: str = ""
    used_by: tuple[str, ...] = ()

    @property
    def crosses_accounts(self) -> bool:
        """Whether another account may assume it."""
        return self.from_account not in {"", self.account}


class Exposure(ResultModel):
    """Something that the internet can reach, or that the configuration says it can.

    Args:
        names: host names that lead to it; its construct path if none does.
        kind: such as `load balancer`.
        account: id of the account; empty if nothing is there.
        stack: name of the stack; empty if nothing is there.
        resource: construct path; empty if nothing is there.
        ports: open ports, as text.
        declared: whether the configuration says that it is public.
    """

    names: tuple[str, ...]
    kind: str
    account: str
    stack: str
    resource: str
    ports: str
    declared: bool


class Problem(ResultModel):
    """What is wrong with the proof itself: coverage, the ledger, a guess of the synthesis.

    Args:
        where: construct path of a stack, or the entry of the ledger.
        problem: what is wrong.
        fix: what to do.
    """

    where: str
    problem: str
    fix: str = ""


class ComplianceResult(ResultModel):
    """Everything that the gate knows about an assembly.

    Args:
        format: version of this file's shape.
        organization: its name.
        region: its home region.
        judged_on: the day against which the ledger was held.
        passed: whether the assembly may be released.
        accounts: every account, tooling and shared services first.
        stacks: every stack, in the order in which they deploy.
        packs: every pack that is on anywhere; our own rules are one of them.
        rules: every rule of those packs.
        waivers: the ledger, as far as it is about constructs.
        allowances: the ledger, as far as it is about what we build with.
        rows: every rule on every resource that it applies to.
        coverage: one cell per pack and stack.
        trust: who may assume which role.
        exposures: what is public.
        problems: what stops a release besides rows.
        warnings: what will soon stop one.
    """

    format: Literal[1] = 1
    organization: str
    region: str
    judged_on: date
    passed: bool
    accounts: tuple[Account, ...]
    stacks: tuple[Stack, ...]
    packs: tuple[Pack, ...]
    rules: tuple[Rule, ...]
    waivers: tuple[WaiverUse, ...]
    allowances: tuple[AllowanceUse, ...] = ()
    rows: tuple[Row, ...]
    coverage: tuple[Cell, ...]
    trust: tuple[Trust, ...]
    exposures: tuple[Exposure, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def not_applicable(self, stack: str) -> tuple[Rule, ...]:
        """List the rules that looked at a stack and found nothing that they apply to; they have no row there.

        Args:
            stack: name of the stack.
        """
        looked = {
            cell.pack
            for cell in self.coverage
            if cell.stack == stack and cell.coverage in {Coverage.EVALUATED, Coverage.NOTHING_TO_JUDGE}
        }
        judged = {row.rule for row in self.rows if row.stack == stack}
        return tuple(rule for rule in self.rules if rule.pack in looked and rule.id not in judged)


def write_result(result: ComplianceResult, path: Path) -> None:
    """Write a result, making the folder.

    Args:
        result: what to write.
        path: the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(result.model_dump_json(exclude_defaults=True) + "\n", encoding="utf-8")


def read_result(path: Path) -> ComplianceResult:
    """Read a result.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: there is none.
        pydantic.ValidationError: it is of another format.
    """
    return ComplianceResult.model_validate_json(path.read_text(encoding="utf-8"))
