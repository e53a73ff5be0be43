"""Everything is in its account and region, and says whose it is."""

import re
from collections.abc import Iterator

from compliance.contents import texts_in
from compliance.rules.load_balancers import LOG_ACCOUNTS
from compliance.rules.rule import Finding, Organization, judged, rule
from compliance.templates import Stack
from config.naming import CDN_REGION, SHARED_SERVICES_STAGE

_ACCOUNT_OF_ARN = re.compile(r"\barn:[\w-]*:[\w-]*:[\w-]*:(\d{12}):")


@rule(
    "LZ-ORG-1",
    text="Every stack is in the account and region that the configuration gives its stage.",
    fix="Make the stack with `BaseStack` inside its stage; only the CDN's certificate and what serves it is elsewhere.",
)
def stacks_are_where_they_belong(organization: Organization) -> Iterator[Finding]:
    """Look at every stack."""
    configuration = organization.configuration
    home = configuration.organization.region
    for stack in organization.assembly.stacks.values():
        account = _account(stack, organization)
        regions = {home} if stack.stage == SHARED_SERVICES_STAGE else {home, CDN_REGION}
        wrong = []
        if account is None:
            wrong.append(f"no stage of the configuration is called {stack.stage}")
        elif stack.account != account:
            wrong.append(f"it is in account {stack.account}, not in {account}")
        if stack.region not in regions:
            wrong.append(f"it is in {stack.region}, not in {' or '.join(sorted(regions))}")
        yield from judged(stack, wrong)


def _account(stack: Stack, organization: Organization) -> str | None:
    accounts = organization.configuration.accounts
    if stack.stage == SHARED_SERVICES_STAGE:
        return accounts.shared_services
    if not stack.stage:
        return accounts.tooling
    stage = organization.environments.get(stack.stage)
    return stage.account_id if stage else None


@rule(
    "LZ-ORG-2",
    text="No template names an account that is not the organization's.",
    fix="Remove the ARN, or add the account to the configuration.",
)
def no_strange_account_is_named(organization: Organization) -> Iterator[Finding]:
    """Look at the account of every ARN that is written out in a template."""
    for stack in organization.assembly.stacks.values():
        known = organization.accounts | {LOG_ACCOUNTS.get(stack.region, "")}
        named = set(_ACCOUNT_OF_ARN.findall("\n".join(texts_in(stack.template))))
        yield from judged(stack, [f"it names account {account}" for account in sorted(named - known)])


@rule(
    "LZ-TAG-1",
    text="Every stack carries the tags that say whose it is: organization and managed-by, and in an environment "
    "workload and environment; CloudFormation puts them on everything in it.",
    fix="Make the stack with `BaseStack`, or in an environment with `WorkloadStack`.",
)
def everything_says_whose_it_is(organization: Organization) -> Iterator[Finding]:
    """Look at the tags of every stack."""
    for stack in organization.assembly.stacks.values():
        wanted = {"organization": organization.configuration.organization.name, "managed-by": "cdk"}
        stage = organization.environments.get(stack.stage)
        if stage is not None:
            wanted |= {"workload": stage.workload_name, "environment": stage.environment_name}
        wrong = [
            f"its tag {key} is {stack.tags.get(key, 'missing')}, not {value}"
            for key, value in wanted.items()
            if stack.tags.get(key) != value
        ]
        yield from judged(stack, wrong)
