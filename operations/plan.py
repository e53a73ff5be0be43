"""What a configuration will make: where, in which order, and who has to trust whom. Nobody is asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.assembly import AssembledStack
from config.models import Configuration
from config.naming import SHARED_SERVICES_STAGE, Names, static_domain
from operations.bootstrap import Bootstrap, bootstraps
from operations.limits import Usage, largest, usages

CDK_ROLES = "the CDK's bootstrap roles"


@dataclass(frozen=True)
class Account:
    """An account, and what it is for."""

    name: str
    id: str
    holds: str
    regions: tuple[str, ...]


@dataclass(frozen=True)
class Environment:
    """An environment, in deployment order."""

    key: str
    stage: str
    environment_class: str
    account: str
    domain: str
    cidr: str
    approval: bool


@dataclass(frozen=True)
class Delegation:
    """One link of the DNS chain: who hands a name on, and to whom."""

    name: str
    zone_in: str
    delegated_by: str


@dataclass(frozen=True)
class Trust:
    """One role or resource that another account may use."""

    account: str
    resource: str
    trusts: str
    purpose: str


@dataclass(frozen=True)
class Deployment:
    """A stack, and the step of its stage in which it deploys; stacks of one step deploy side by side."""

    stage: str
    step: int
    stack: str
    account: str
    region: str


@dataclass(frozen=True)
class Plan:
    """Everything that `lz plan` shows."""

    accounts: tuple[Account, ...]
    environments: tuple[Environment, ...]
    delegations: tuple[Delegation, ...]
    addresses: tuple[tuple[str, str], ...]
    trust: tuple[Trust, ...]
    deployments: tuple[Deployment, ...]
    bootstraps: tuple[Bootstrap, ...]
    limits: tuple[Usage, ...]

    @property
    def over(self) -> tuple[Usage, ...]:
        """What AWS would refuse; synthesis, which fails for it, names every place."""
        return tuple(usage for usage in self.limits if usage.is_over)


def make_plan(configuration: Configuration, stacks: Sequence[AssembledStack]) -> Plan:
    """Make the plan.

    Args:
        configuration: the organization.
        stacks: the stacks of its assembly.
    """
    return Plan(
        accounts=tuple(_accounts(configuration)),
        environments=tuple(_environments(configuration)),
        delegations=tuple(_delegations(configuration)),
        addresses=tuple(_addresses(configuration)),
        trust=tuple(_trust(configuration)),
        deployments=tuple(deployments(configuration, stacks)),
        bootstraps=bootstraps(configuration),
        limits=largest(usages(stacks)),
    )


def _accounts(configuration: Configuration) -> Iterable[Account]:
    held: dict[str, list[str]] = {name: [] for name in configuration.accounts.workloads}
    for stage in configuration.stages():
        held[stage.environment.account].append(stage.key)
    roles = {
        "tooling": "pipeline, image registry",
        "shared_services": "shared network, parent DNS zone",
        **{name: ", ".join(keys) or "nothing yet" for name, keys in held.items()},
    }
    for call in bootstraps(configuration):
        regions = tuple(environment.rpartition("/")[2] for environment in call.environments)
        yield Account(call.account_name, call.account_id, roles[call.account_name], regions)


def _environments(configuration: Configuration) -> Iterable[Environment]:
    for stage in configuration.stages():
        yield Environment(
            key=stage.key,
            stage=stage.stage_name,
            environment_class=stage.environment.class_,
            account=stage.environment.account,
            domain=stage.environment.domain,
            cidr=stage.environment.cidr,
            approval=stage.environment.class_ in configuration.pipeline.approvals,
        )


def _delegations(configuration: Configuration) -> Iterable[Delegation]:
    domain, parent = configuration.organization.domain, configuration.dns.parent
    by = "the registrar, by hand, once" if parent == "create" else f"nobody new: the zone {parent} is there"
    yield Delegation(domain, "shared_services", by)
    names = Names(configuration)
    for stage in configuration.stages():
        site = stage.environment.domain
        yield Delegation(
            site, stage.environment.account, f"{domain}, through {names.delegation_role(stage.key)}"
        )
        yield Delegation(
            static_domain(site), stage.environment.account, f"a record of the CDN in {site}; no zone"
        )


def _addresses(configuration: Configuration) -> Iterable[tuple[str, str]]:
    network = configuration.network
    yield "supernet", network.supernet
    if network.transit_gateway == "create" and network.egress == "central":
        yield "hub", network.hub_cidr
    for stage in configuration.stages():
        yield stage.key, stage.environment.cidr


def _trust(configuration: Configuration) -> Iterable[Trust]:
    names = Names(configuration)
    for name, account_id in configuration.account_ids().items():
        if account_id != configuration.accounts.tooling:
            yield Trust(name, CDK_ROLES, "tooling", "the pipeline deploys")
    if configuration.network.transit_gateway == "create":
        readers = "CloudFormation in any workload account"
        yield Trust("shared_services", names.network_reader_role, readers, "reads the transit gateway's id")
    if configuration.dns.parent == "create":
        step = f"tooling, {names.dns_step_role}"
        yield Trust("shared_services", names.dns_reader_role, step, "reads the name servers")
    for stage in configuration.stages():
        account = stage.environment.account
        yield Trust("shared_services", names.delegation_role(stage.key), account, "delegates its one name")
        yield Trust("tooling", names.repository(stage.workload_name), account, "pulls images")
        step = f"tooling, {names.release_step_role(stage.key)}"
        yield Trust(account, names.release_runner_role(stage.key), step, "runs the release task")
        step = f"tooling, {names.record_step_role(stage.key)}"
        yield Trust(account, names.serving_reader_role(stage.key), step, "sees which image runs")
        reader = f"{account}, {names.rollback_role(stage.key)}"
        yield Trust("tooling", names.records_bucket, reader, f"reads the release records of {stage.key}")


def deployments(configuration: Configuration, stacks: Sequence[AssembledStack]) -> Iterable[Deployment]:
    """Order the stacks: tooling, shared services, then the environments; in each by what depends on what.

    Args:
        configuration: the organization.
        stacks: the stacks of its assembly, each after its dependencies.
    """
    account_names = {account_id: name for name, account_id in configuration.account_ids().items()}
    steps = _steps(stacks)
    for stage in ("", SHARED_SERVICES_STAGE, *(stage.stage_name for stage in configuration.stages())):
        mine = [stack for stack in stacks if stack.stage == stage]
        for stack in sorted(mine, key=lambda stack: steps[stack.name, stack.account]):
            yield Deployment(
                stage=stage or "tooling",
                step=steps[stack.name, stack.account],
                stack=stack.path,
                account=account_names[stack.account],
                region=stack.region,
            )


def _steps(stacks: Sequence[AssembledStack]) -> Mapping[tuple[str, str], int]:
    """Number each stack by the longest chain of dependencies before it, from 1."""
    by_stage: dict[tuple[str, str], int] = {}
    steps: dict[tuple[str, str], int] = {}
    for stack in stacks:
        before = [by_stage[stack.stage, name] for name in stack.dependencies]
        by_stage[stack.stage, stack.name] = steps[stack.name, stack.account] = max(before, default=0) + 1
    return steps
