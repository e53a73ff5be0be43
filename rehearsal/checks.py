"""What a rehearsal proves after the deployment: trust, delegation, digests and parameters, by real API calls."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from config import Configuration, StageRef
from config.assembly import AssembledStack
from config.images import PLACEHOLDER_DIGEST
from config.naming import Names, parameter_name
from rehearsal.emulator import Emulator
from rehearsal.images import PushedImage
from rehearsal.stacks import StackState

BOOTSTRAP_ROLES = (
    "deploy-role",
    "file-publishing-role",
    "image-publishing-role",
    "lookup-role",
    "cfn-exec-role",
)
UNTRUSTED_ACCOUNT = "999999999999"
DENIED = ("AccessDenied", "AccessDeniedException")


@dataclass(frozen=True)
class Check:
    """One thing that was proven, or not.

    Args:
        name: what must hold.
        problems: what did not; empty if it holds.
        detail: how much was looked at.
    """

    name: str
    problems: tuple[str, ...]
    detail: str

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        return not self.problems


@dataclass(frozen=True)
class Deployed:
    """What the checks look at.

    Args:
        emulator: the running emulator.
        configuration: the organization.
        stages: the environments that were deployed.
        stacks: the stacks that were deployed.
        states: what became of them.
        images: the images that were pushed.
    """

    emulator: Emulator
    configuration: Configuration
    stages: Sequence[StageRef]
    stacks: Sequence[AssembledStack]
    states: Sequence[StackState]
    images: Sequence[PushedImage]

    @property
    def names(self) -> Names:
        """Names that cross accounts."""
        return Names(self.configuration)

    def assume(self, account: str, role_arn: str) -> Any:
        """Assume a role as an account's root.

        Raises:
            ClientError: it was refused.
        """
        sts = self.emulator.client("sts", account)
        return sts.assume_role(RoleArn=role_arn, RoleSessionName="rehearsal-check")["Credentials"]


def run_checks(deployed: Deployed) -> Iterator[Check]:
    """Run every check, in the order of the report; a check that cannot run fails."""
    checks: tuple[tuple[str, Callable[[Deployed], tuple[list[str], str]]], ...] = (
        ("every stack is complete, in its own account and region", stacks_complete),
        ("tooling may assume the deploy role of every account", tooling_is_trusted),
        ("an account that is not trusted is refused every bootstrap role", strangers_are_refused),
        ("no workload account may assume a bootstrap role of another account", workloads_are_refused),
        ("the parent zone holds the delegated name servers, and no other", parent_zone_is_exact),
        ("a delegation role writes its own name, and no other", delegation_is_scoped),
        ("all environments of a workload run one image, by the registry's digest", one_digest),
        ("the registry lets the environments' accounts pull, and strangers not", registry_is_scoped),
        ("every parameter of the templates is in SSM, with a value", parameters_are_there),
    )
    for name, check in checks:
        try:
            problems, detail = check(deployed)
        except (BotoCoreError, ClientError) as error:
            problems, detail = [str(error)], "could not be checked"
        yield Check(name, tuple(problems), detail)


def stacks_complete(deployed: Deployed) -> tuple[list[str], str]:
    """Compare the assembly with what CloudFormation has."""
    problems = [
        f"{state.stack.name} in {state.stack.account}/{state.stack.region} is {state.status}"
        for state in deployed.states
        if not state.is_complete
    ]
    accounts = {(state.stack.account, state.stack.region) for state in deployed.states}
    return problems, f"{len(deployed.states)} stacks in {len(accounts)} accounts and regions"


def _trusting_accounts(deployed: Deployed) -> list[str]:
    accounts = deployed.configuration.accounts
    return [accounts.shared_services, *dict.fromkeys(stage.account_id for stage in deployed.stages)]


def tooling_is_trusted(deployed: Deployed) -> tuple[list[str], str]:
    """The control of the two checks that follow: the same call, by the one account that is trusted, succeeds."""
    problems = []
    accounts = _trusting_accounts(deployed)
    for account in accounts:
        arn = deployed.names.bootstrap_role_arn(account, "deploy-role")
        try:
            deployed.assume(deployed.configuration.accounts.tooling, arn)
        except ClientError as error:
            problems.append(f"{arn}: {error}")
    return problems, f"{len(accounts)} roles assumed"


def _refusals(deployed: Deployed, attempts: Sequence[tuple[str, str]]) -> list[str]:
    """Return what was wrongly admitted, or refused for another reason than missing trust."""
    problems = []
    for account, arn in attempts:
        try:
            deployed.assume(account, arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                problems.append(f"{account} -> {arn}: {error}")
        else:
            problems.append(f"{account} could assume {arn}")
    return problems


def strangers_are_refused(deployed: Deployed) -> tuple[list[str], str]:
    """An account outside the organization tries every bootstrap role of every account."""
    accounts = [deployed.configuration.accounts.tooling, *_trusting_accounts(deployed)]
    attempts = [
        (UNTRUSTED_ACCOUNT, deployed.names.bootstrap_role_arn(account, kind))
        for account in accounts
        for kind in BOOTSTRAP_ROLES
    ]
    return _refusals(deployed, attempts), f"{len(attempts)} attempts refused"


def workloads_are_refused(deployed: Deployed) -> tuple[list[str], str]:
    """Every environment's account tries the bootstrap roles of all others, tooling and shared services included."""
    targets = [deployed.configuration.accounts.tooling, *_trusting_accounts(deployed)]
    sources = dict.fromkeys(stage.account_id for stage in deployed.stages)
    attempts = [
        (source, deployed.names.bootstrap_role_arn(target, kind))
        for source in sources
        for target in targets
        if source != target
        for kind in BOOTSTRAP_ROLES
    ]
    return _refusals(deployed, attempts), f"{len(attempts)} attempts refused"


def _zone_id(client: Any, name: str) -> str:
    """Return the id of a hosted zone by its name."""
    zones = client.list_hosted_zones_by_name(DNSName=name)["HostedZones"]
    found = [zone["Id"].rpartition("/")[2] for zone in zones if zone["Name"].rstrip(".") == name]
    return found[0] if found else ""


def _name_servers(client: Any, zone_id: str) -> dict[str, set[str]]:
    """Return name -> name servers, of every NS record of a zone."""
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    return {
        record["Name"].rstrip("."): {value["Value"].rstrip(".") for value in record["ResourceRecords"]}
        for page in pages
        for record in page["ResourceRecordSets"]
        if record["Type"] == "NS"
    }


def parent_zone_is_exact(deployed: Deployed) -> tuple[list[str], str]:
    """The parent's NS records are those of the environments, each with the servers of the environment's own zone."""
    configuration = deployed.configuration
    domain = configuration.organization.domain
    parent = deployed.emulator.client("route53", configuration.accounts.shared_services)
    records = _name_servers(parent, _zone_id(parent, domain))
    delegated = {name: servers for name, servers in records.items() if name != domain}
    wanted = {}
    for stage in deployed.stages:
        child = deployed.emulator.client("route53", stage.account_id)
        name = stage.environment.domain
        wanted[name] = _name_servers(child, _zone_id(child, name)).get(name, set())
    problems = [f"{name} is delegated and no environment's" for name in delegated.keys() - wanted.keys()]
    problems += [f"{name} is not delegated" for name in wanted.keys() - delegated.keys()]
    problems += [
        f"{name}: the parent says {sorted(delegated[name])}, its zone {sorted(wanted[name])}"
        for name in wanted.keys() & delegated.keys()
        if delegated[name] != wanted[name] or not wanted[name]
    ]
    return problems, f"{len(delegated)} delegations in {domain}"


def delegation_is_scoped(deployed: Deployed) -> tuple[list[str], str]:
    """Each environment's role tries to write every environment's NS record in the parent zone."""
    configuration = deployed.configuration
    shared = configuration.accounts.shared_services
    parent = deployed.emulator.client("route53", shared)
    zone_id = _zone_id(parent, configuration.organization.domain)
    records = _name_servers(parent, zone_id)
    problems, attempts = [], 0
    for stage in deployed.stages:
        arn = deployed.names.role_arn(shared, deployed.names.delegation_role(stage.key))
        credentials = deployed.assume(stage.account_id, arn)
        client = deployed.emulator.client("route53", stage.account_id, credentials=credentials)
        for other in configuration.stages():
            name = other.environment.domain
            may = other.key == stage.key
            did = _writes(client, zone_id, name, sorted(records.get(name, {"ns.invalid"})))
            attempts += 1
            if may != did:
                problems.append(f"{arn} {'could' if did else 'could not'} write the NS record of {name}")
    return problems, f"{attempts} writes tried"


def _writes(client: Any, zone_id: str, name: str, servers: Sequence[str]) -> bool:
    """Try to write an NS record; return whether it was allowed."""
    record = {
        "Name": name,
        "Type": "NS",
        "TTL": 300,
        "ResourceRecords": [{"Value": server} for server in servers],
    }
    try:
        client.change_resource_record_sets(
            HostedZoneId=zone_id,
            ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            return False
        raise
    return True


def one_digest(deployed: Deployed) -> tuple[list[str], str]:
    """Read every task definition of every environment back, and compare its image with the registry's."""
    problems, seen = [], 0
    wanted = {image.workload: image for image in deployed.images}
    for stage in deployed.stages:
        image = wanted[stage.workload_name]
        registry = deployed.names.repository_arn(stage.workload_name).split(":")
        uri = f"{registry[4]}.dkr.ecr.{registry[3]}.amazonaws.com/{image.repository}@{image.digest}"
        for definition in _task_definitions(deployed, stage):
            for container in definition["containerDefinitions"]:
                seen += 1
                if container["image"] != uri or PLACEHOLDER_DIGEST in container["image"]:
                    problems.append(f"{definition['family']} runs {container['image']}, not {uri}")
    if not seen:
        problems.append("no task definition was found")
    return problems, f"{seen} containers in {len(deployed.stages)} environments"


def _task_definitions(deployed: Deployed, stage: StageRef) -> Iterator[Any]:
    ecs = deployed.emulator.client("ecs", stage.account_id)
    for page in ecs.get_paginator("list_task_definitions").paginate(status="ACTIVE"):
        for arn in page["taskDefinitionArns"]:
            yield ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]


def registry_is_scoped(deployed: Deployed) -> tuple[list[str], str]:
    """Every environment's account pulls its image's manifest; an account outside the organization tries too."""
    problems = []
    tooling = deployed.configuration.accounts.tooling
    pullers = [(stage.account_id, stage.workload_name, True) for stage in deployed.stages]
    pullers += [(UNTRUSTED_ACCOUNT, image.workload, False) for image in deployed.images]
    images = {image.workload: image for image in deployed.images}
    for account, workload, may in pullers:
        image = images[workload]
        try:
            answer = deployed.emulator.client("ecr", account).batch_get_image(
                registryId=tooling,
                repositoryName=image.repository,
                imageIds=[{"imageDigest": image.digest}],
            )
            did = bool(answer["images"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            did = False
        if did != may:
            problems.append(f"{account} {'could' if did else 'could not'} pull {image.repository}")
    return problems, f"{len(pullers)} pulls tried"


def parameters_are_there(deployed: Deployed) -> tuple[list[str], str]:
    """Compare the templates' SSM parameters with what each account holds."""
    problems, seen = [], 0
    for stage in deployed.stages:
        wanted = {
            resource["Properties"]["Name"]
            for stack in deployed.stacks
            if stack.stage == stage.stage_name
            for resource in stack.of_type("AWS::SSM::Parameter").values()
        }
        ssm = deployed.emulator.client("ssm", stage.account_id)
        pages = ssm.get_paginator("get_parameters_by_path").paginate(
            Path=parameter_name(stage.stage_name, "").rstrip("/"), Recursive=True
        )
        found = {item["Name"]: item["Value"] for page in pages for item in page["Parameters"]}
        problems += [f"{name} is missing" for name in sorted(wanted - found.keys())]
        problems += [f"{name} is empty" for name in sorted(wanted & found.keys()) if not found[name].strip()]
        seen += len(wanted)
    if not seen:
        problems.append("the templates hold no parameter")
    return problems, f"{seen} parameters"
