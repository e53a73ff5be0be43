"""What a rehearsal says at its end: for a person, and as JSON."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from config import StageRef
from config.assembly import AssembledStack
from rehearsal.checks import Check
from rehearsal.emulator import NOT_ENFORCED, RECORDED_ONLY
from rehearsal.images import PushedImage
from rehearsal.pipeline.builds.machine import LEFT_OUT_CHECKS
from rehearsal.pipeline_run import ActionTime
from rehearsal.stacks import Failure, StackState

_LONGEST = 3  # actions that the report names of each stage
_NARROW = 90  # columns below which accounts stand above their stacks
_DOCKERFILE = (
    "the Dockerfile: what it makes was made from the pushed source by the project's own bin/build or, without one,"
    " from its requirements and what the Dockerfile runs with manage.py; here with"
    f" Python {platform.python_version()} for {platform.machine()}"
)
NOT_RUN_DIRECTLY = (
    "the pipeline itself: its definition is deployed, its order was followed here by the CDK CLI",
    _DOCKERFILE,
    "the DNS preflight: the parent zone is not known to the world's resolvers",
)
_CHECKS = (
    f"in the pipeline's Synth, of ./lz check: {LEFT_OUT_CHECKS.replace(',', ', ')}; --all-checks runs them"
)
NOT_RUN = (
    "in the pipeline's Synth, the audit of dependencies: no vulnerability service is reached",
    "the registry's image scan: it only records that one is wanted; the packet's step asked, and went on without",
    _DOCKERFILE,
    "the world's resolvers: the DNS preflight and the smoke tests ask the rehearsal's own",
)


@dataclass
class Report:
    """Everything that a rehearsal found.

    Args:
        organization: its name.
        environments: the environments that were asked for.
        by_pipeline: released by the pipeline, not by the CDK CLI.
        all_checks: the pipeline's Synth left no check out.
    """

    organization: str
    environments: Sequence[StageRef]
    by_pipeline: bool = False
    all_checks: bool = False
    pipeline: Sequence[ActionTime] = ()
    notes: list[str] = field(default_factory=list)
    states: Sequence[StackState] = ()
    checks: list[Check] = field(default_factory=list)
    failures: Sequence[Failure] = ()
    images: Sequence[PushedImage] = ()
    phases: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    peak_memory_mib: int = 0
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether all was deployed and every check holds."""
        return (
            not self.problem
            and bool(self.checks)
            and all(check.passed for check in self.checks)
            and all(state.is_complete for state in self.states)
        )

    @property
    def not_run(self) -> Sequence[str]:
        """What did not run, of what would run in AWS."""
        if not self.by_pipeline:
            return NOT_RUN_DIRECTLY
        return NOT_RUN if self.all_checks else (_CHECKS, *NOT_RUN)

    def recorded_only(self) -> Mapping[str, tuple[str, int]]:
        """Return CloudFormation type -> (what is not simulated, how many resources), for the deployed stacks."""
        counts: dict[str, int] = {}
        for state in self.states:
            for resource in state.stack.resources.values():
                if resource["Type"] in RECORDED_ONLY:
                    counts[resource["Type"]] = counts.get(resource["Type"], 0) + 1
        return {name: (RECORDED_ONLY[name], count) for name, count in sorted(counts.items())}

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "organization": self.organization,
            "passed": self.passed,
            "seconds": round(self.seconds, 1),
            "peak_memory_mib": self.peak_memory_mib,
            "phases": {name: round(seconds, 1) for name, seconds in self.phases.items()},
            "environments": [stage.key for stage in self.environments],
            "by_pipeline": self.by_pipeline,
            "pipeline": [asdict(action) for action in self.pipeline],
            "notes": list(self.notes),
            "images": [asdict(image) for image in self.images],
            "stacks": [
                {
                    "name": state.stack.name,
                    "account": state.stack.account,
                    "region": state.stack.region,
                    "status": state.status,
                    "resources": len(state.stack.resources),
                    "seconds": round(state.seconds, 1),
                }
                for state in self.states
            ],
            "checks": [
                {
                    "name": check.name,
                    "passed": check.passed,
                    "detail": check.detail,
                    "problems": list(check.problems),
                }
                for check in self.checks
            ],
            "failures": [asdict(failure) for failure in self.failures],
            "problem": self.problem or None,
            "recorded_only": {
                name: {"resources": count, "meaning": meaning}
                for name, (meaning, count) in self.recorded_only().items()
            },
            "not_enforced": list(NOT_ENFORCED),
            "not_run": list(self.not_run),
        }


def show(report: Report, console: Console, account_names: Mapping[str, str]) -> None:
    """Print the report.

    Args:
        report: what was found.
        console: where to.
        account_names: account id -> its role or name.
    """
    if report.failures:
        console.print(Text("What failed", style="bold red"))
        for failure in report.failures:
            console.print(Padding(Text(str(failure)), (0, 0, 0, 2), expand=False))
    if report.problem and not report.failures:
        console.print(Text(report.problem, style="red"))
    if report.pipeline:
        console.print(_pipeline_table(report.pipeline))
    for note in report.notes:
        console.print(Padding(Text(f"- {note}"), (0, 0, 0, 2), expand=False))
    if report.states:
        console.print(_stack_table(report.states, account_names, narrow=console.width < _NARROW))
    if report.checks:
        console.print(_check_table(report.checks))
    if report.passed:
        console.print(_limits(report))
    stacks, accounts = len(report.states), len({state.stack.account for state in report.states})
    verdict = "rehearsed" if report.passed else "NOT rehearsed"
    console.print(
        Text(
            f"{report.organization}: {verdict} - {stacks} stacks in {accounts} accounts, "
            f"{sum(check.passed for check in report.checks)} of {len(report.checks)} checks hold, "
            f"{report.seconds:.0f} s, {report.peak_memory_mib} MiB",
            style="bold green" if report.passed else "bold red",
        )
    )


def show_release(report: Report, console: Console) -> None:
    """Print what one more release did in an organization that was up already.

    Args:
        report: what was found.
        console: where to.
    """
    if report.problem:
        console.print(Text(report.problem, style="red"))
    console.print(_pipeline_table(report.pipeline))
    for note in report.notes:
        console.print(Padding(Text(f"- {note}"), (0, 0, 0, 2), expand=False))
    verdict = "NOT released" if report.problem else "released"
    style = "bold red" if report.problem else "bold green"
    console.print(Text(f"{report.organization}: {verdict} - {report.seconds:.0f} s", style=style))


def _pipeline_table(actions: Sequence[ActionTime]) -> Table:
    """One line per stage: how long it took, and what of it took longest."""
    table = Table(title="Pipeline", title_justify="left", box=None, pad_edge=False)
    for header, justify in (("stage", "left"), ("actions", "right"), ("s", "right"), ("longest", "left")):
        table.add_column(header, justify="right" if justify == "right" else "left", overflow="fold")
    for stage in dict.fromkeys(action.stage for action in actions):
        own = [action for action in actions if action.stage == stage]
        failed = [action.name for action in own if action.status == "Failed"]
        longest = sorted(own, key=lambda action: action.seconds, reverse=True)[:_LONGEST]
        said = ", ".join(f"{action.name} {action.seconds:.1f}" for action in longest)
        table.add_row(
            stage,
            str(len(own)),
            f"{max(a.ended for a in own) - min(a.began for a in own):.1f}",
            Text(f"{', '.join(failed)} failed", style="red") if failed else Text(said),
        )
    return table


def _stack_table(states: Sequence[StackState], account_names: Mapping[str, str], *, narrow: bool) -> Table:
    """One line per stack; in a narrow terminal below its account's name, for no name is to be cut into pieces."""
    table = Table(title="Stacks by account", title_justify="left", box=None, pad_edge=False)
    if not narrow:
        table.add_column("account", overflow="fold")
    table.add_column("stack", overflow="fold")
    if not narrow:
        table.add_column("resources", justify="right")
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    previous = ""
    for state in states:
        account = state.stack.account
        label = f"{account_names.get(account, '')} {account}".strip() if account != previous else ""
        name = f"{state.stack.name}{_region_note(state.stack)}"
        took, status = (
            f"{state.seconds:.1f}",
            Text(state.status, style="green" if state.is_complete else "red"),
        )
        if not narrow:
            table.add_row(label, name, str(len(state.stack.resources)), took, status)
        else:
            if label:
                table.add_row(Text(label, style="italic"))
            table.add_row(f"  {name}", took, status)
        previous = account
    return table


def _region_note(stack: AssembledStack) -> str:
    return f" ({stack.region})" if stack.path.endswith("/Edge") or "cross-region" in stack.path else ""


def _check_table(checks: Sequence[Check]) -> Table:
    table = Table(title="Checks", title_justify="left", box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for check in checks:
        mark = Text("ok", style="green") if check.passed else Text("FAILED", style="bold red")
        table.add_row(mark, check.name, check.detail)
        for problem in check.problems:
            table.add_row("", Text(problem, style="red"), "")
    return table


def _limits(report: Report) -> Group:
    """Say what this did not prove."""
    recorded = Table(
        title="Recorded only, not simulated",
        title_justify="left",
        box=None,
        pad_edge=False,
        show_header=False,
    )
    recorded.add_column(justify="right")
    recorded.add_column(overflow="fold")
    recorded.add_column(overflow="fold", style="dim")
    for name, (meaning, count) in report.recorded_only().items():
        recorded.add_row(str(count), name, meaning)
    lines = [Text("Not enforced by the emulator", style="italic")]
    lines += [Text(f"  - {line}") for line in NOT_ENFORCED]
    lines += [Text("Not run in this rehearsal", style="italic")]
    lines += [Text(f"  - {line}") for line in report.not_run]
    return Group(recorded, *lines)
