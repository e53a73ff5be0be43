"""Who reaches whom: the world the load balancer, the load balancer the tasks, the tasks the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from compliance.rules.rule import Finding, Organization, judged, rule
from compliance.templates import Assembly, Resource

GROUP = "AWS::EC2::SecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
PUBLIC_PORTS = frozenset({"80", "443"})
RELEASE_GROUP = "ReleaseSecurityGroupId"
"""The parameter under which an environment publishes the group of its release and one-off tasks: no service has it."""


@dataclass(frozen=True)
class Opening:
    """One rule that lets something into a security group.

    Args:
        of: the resource that holds it: the group, or an ingress rule on its own.
        group: the group, as text.
        source: who is let in: an address range, a group or a prefix list, as text.
        ports: first and last port, as text.
    """

    of: Resource
    group: str
    source: str
    ports: tuple[str, str]

    @property
    def from_the_internet(self) -> bool:
        """Whether it lets in any address that is not private; what cannot be read counts as such."""
        if self.source.startswith(("${", "sg-")):
            # A group, or the range of a VPC of these templates.
            return self.source.startswith("${") and not self.source.endswith((".GroupId}", ".CidrBlock}"))
        try:
            return not ip_network(self.source, strict=False).is_private
        except ValueError:
            return True

    @property
    def public_web(self) -> bool:
        """Whether it is about one of the ports of a web site."""
        first, last = self.ports
        return first == last and first in PUBLIC_PORTS


def openings(assembly: Assembly) -> list[Opening]:
    """List everything that lets something into a security group.

    Args:
        assembly: the templates.
    """
    found: list[Opening] = []
    for group in assembly.resources(GROUP):
        for index, _ in enumerate(group.get("SecurityGroupIngress", default=[])):
            found += _openings(group, group.attribute("GroupId"), "SecurityGroupIngress", index)
    for ingress in assembly.resources(INGRESS):
        found += _openings(ingress, ingress.text("GroupId"))
    return found


def _openings(of: Resource, group: str, *place: str | int) -> Iterator[Opening]:
    sources = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourcePrefixListId")
    ports = (of.text(*place, "FromPort"), of.text(*place, "ToPort"))
    for source in sources:
        if of.get(*place, source) is not None:
            yield Opening(of, group, of.text(*place, source), ports)


def _groups(resource: Resource, *path: str) -> set[str]:
    return set(resource.texts(*path))


def _service_groups(service: Resource) -> set[str]:
    return _groups(service, "NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups")


def _public_load_balancers(assembly: Assembly) -> set[str]:
    """Return the groups of load balancers that the internet may reach; without a scheme they are such."""
    return {
        group
        for load_balancer in assembly.resources(LOAD_BALANCER)
        if load_balancer.get("Scheme", default="internet-facing") == "internet-facing"
        for group in _groups(load_balancer, "SecurityGroups")
    }


@rule(
    "LZ-NET-1",
    text="No security group is open to the internet but that of a public load balancer, on ports 80 and 443.",
    fix="Name a security group as the source, or put the service behind the load balancer.",
)
def nothing_is_open_but_the_load_balancer(organization: Organization) -> Iterator[Finding]:
    """Look at every security group and every rule of one."""
    public = _public_load_balancers(organization.assembly)
    problems: dict[str, list[str]] = {}
    for opening in openings(organization.assembly):
        wrong = problems.setdefault(opening.of.path, [])
        if opening.from_the_internet and not (opening.group in public and opening.public_web):
            wrong.append(f"lets in {opening.source} on ports {' to '.join(opening.ports)}")
    for resource in organization.assembly.resources(GROUP, INGRESS):
        yield from judged(resource, problems.get(resource.path, []))


@rule(
    "LZ-NET-2",
    text="Only its own load balancer reaches a service's tasks; a service without one is reached by nobody.",
    fix="Remove the ingress rule; what tasks need from each other goes through the queue or the database.",
)
def only_the_load_balancer_reaches_tasks(organization: Organization) -> Iterator[Finding]:
    """Look at every ECS service."""
    assembly = organization.assembly
    into = openings(assembly)
    balanced = _balanced_by(assembly)
    for service in assembly.resources("AWS::ECS::Service"):
        groups = _service_groups(service)
        allowed = {
            group
            for target in service.get("LoadBalancers", default=[])
            for group in balanced.get(service.stack.text(target.get("TargetGroupArn")), set())
        }
        wrong = [
            f"{opening.source} reaches its tasks through {opening.of.path}"
            for opening in into
            if opening.group in groups and opening.source not in allowed
        ]
        yield from judged(service, wrong if groups else ["it names no security group", *wrong])


def _balanced_by(assembly: Assembly) -> dict[str, set[str]]:
    """Map each target group to the security groups of the load balancers that forward to it."""
    groups = {each.reference: _groups(each, "SecurityGroups") for each in assembly.resources(LOAD_BALANCER)}
    found: dict[str, set[str]] = {}
    for listener in assembly.resources("AWS::ElasticLoadBalancingV2::Listener"):
        for action in listener.get("DefaultActions", default=[]):
            target = listener.stack.text(action.get("TargetGroupArn"))
            found.setdefault(target, set()).update(groups.get(listener.text("LoadBalancerArn"), set()))
    return found


@rule(
    "LZ-NET-3",
    text="Only tasks of its own environment reach a database, and it has no public address.",
    fix="Remove the ingress rule; people reach the database through one-off commands.",
)
def only_tasks_reach_the_database(organization: Organization) -> Iterator[Finding]:
    """Look at every database cluster and instance."""
    assembly = organization.assembly
    into = openings(assembly)
    for database in assembly.resources("AWS::RDS::DBCluster", "AWS::RDS::DBInstance"):
        tasks = _task_groups(assembly, database.stack.stage)
        groups = _groups(database, "VpcSecurityGroupIds") | _groups(database, "VPCSecurityGroups")
        wrong = [
            f"{opening.source} reaches it through {opening.of.path}"
            for opening in into
            if opening.group in groups and opening.source not in tasks
        ]
        if database.get("PubliclyAccessible") is True:
            wrong.append("it has a public address")
        yield from judged(database, wrong)


def _task_groups(assembly: Assembly, stage: str) -> set[str]:
    """Return the groups of an environment's tasks: its services', and its release and one-off tasks'."""
    found = set()
    for stack in assembly.in_stage(stage):
        for service in stack.resources("AWS::ECS::Service"):
            found |= _service_groups(service)
        for parameter in stack.resources("AWS::SSM::Parameter"):
            if parameter.text("Name").endswith(f"/{RELEASE_GROUP}"):
                found.add(parameter.text("Value"))
    return found
