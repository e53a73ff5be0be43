"""`lz plan`."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click

from config import Configuration, load
from operations.configuration import config_option
from operations.output import heading, progress, say, table, write_json
from operations.plan import Deployment, Plan, make_plan
from operations.synthesis import preview


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the plan as JSON.")
@config_option
def command(*, as_json: bool, config: Path | None) -> int:
    """Show what the configuration will make, where and in which order.

    Nobody is asked: no credentials are needed, and none are used. The exit code is 1 if something is larger than AWS
    allows.
    """
    configuration = load(config)
    progress("reading the stacks (a few seconds)")
    with preview(config=config) as stacks:
        plan = make_plan(configuration, stacks)
    if as_json:
        write_json(asdict(plan))
    else:
        _show(plan, configuration)
    return 1 if plan.over else 0


def _show(plan: Plan, configuration: Configuration) -> None:
    heading("Accounts")
    table(
        ("account", "id", "holds", "regions"),
        [(account.name, account.id, account.holds, ", ".join(account.regions)) for account in plan.accounts],
    )
    heading("Environments, in deployment order")
    table(
        ("environment", "class", "account", "domain", "approval before"),
        [
            (one.key, one.environment_class, one.account, one.domain, "yes" if one.approval else "no")
            for one in plan.environments
        ],
    )
    heading("DNS")
    table(
        ("name", "in", "delegated by"),
        [(link.name, link.zone_in, link.delegated_by) for link in plan.delegations],
    )
    heading("Networks")
    table(("network", "CIDR"), plan.addresses)
    heading("Trust: what other accounts may use")
    table(
        ("account", "role or resource", "trusts", "purpose"),
        [(trust.account, trust.resource, trust.trusts, trust.purpose) for trust in plan.trust],
    )
    heading("Stacks, in deployment order (those of one step side by side)")
    table(("stage", "step", "stacks"), _steps(plan.deployments))
    heading("Limits of AWS: the place that uses most of each")
    table(
        ("what", "largest", "allowed", "used", "where"),
        [
            (
                usage.limit.what,
                f"{usage.found:,}",
                f"{usage.limit.allowed:,}" if usage.limit.allowed else "-",
                f"{usage.share:.0%}" if usage.limit.allowed else "",
                usage.place,
            )
            for usage in plan.limits
        ],
    )
    if plan.over:
        heading(f"Larger than AWS allows: {len(plan.over)}")
        for usage in plan.over:
            say(str(usage))
    heading("To do, in this order")
    for line in _next(plan, configuration):
        say(line)


def _steps(deployments: Sequence[Deployment]) -> list[tuple[str, str, str]]:
    rows = []
    for (stage, step), group in groupby(deployments, key=lambda one: (one.stage, one.step)):
        names = [one.stack.rpartition("/")[2] for one in group]
        rows.append((stage, str(step), ", ".join(names)))
    return rows


def _next(plan: Plan, configuration: Configuration) -> list[str]:
    """List what a person does before the pipeline does the rest."""
    steps = [f"authorize the connection in the tooling account: {configuration.pipeline.connection_arn}"]
    if configuration.network.transit_gateway == "create":
        steps.append(
            "in the organization's management account, once: aws ram enable-sharing-with-aws-organization"
        )
    steps += [
        f"bootstrap {call.account_name}: cdk {' '.join(call.arguments)}\n"
        f"     that is: ./lz bootstrap {call.account_name} --profile PROFILE"
        for call in plan.bootstraps
    ]
    steps.append("deploy the pipeline, once: ./lz cdk -- deploy Registry Pipeline --profile PROFILE")
    if configuration.dns.parent == "create":
        domain = configuration.organization.domain
        steps.append(f"when the DNS preflight stops, enter its name servers at the registrar of {domain}")
    steps.append(
        "if the first run stops at RefusePlaceholder, release the change again: its images are built now"
    )
    return [f"{number:>2}. {step}" for number, step in enumerate(steps, start=1)]
