"""What the internet can reach, computed from the templates, held against what the configuration says is public."""

from collections.abc import Callable, Iterator

from compliance.results import Exposure
from compliance.rules.rule import Organization
from compliance.templates import Assembly, Resource, Stack
from config.naming import static_domain

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
DISTRIBUTION = "AWS::CloudFront::Distribution"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def declared(organization: Organization) -> dict[str, frozenset[str]]:
    """Map each stage to what the configuration says is public in it; tooling and shared services have an empty name.

    Args:
        organization: whose configuration.
    """
    found = {"": frozenset(organization.configuration.compliance.public)}
    for name, stage in organization.environments.items():
        environment = stage.environment
        names = environment.compliance.public
        default = (environment.domain, static_domain(environment.domain))
        found[name] = frozenset(default if names is None else names)
    return found


def exposures(organization: Organization) -> tuple[Exposure, ...]:
    """List everything that the internet can reach, and what is declared and not there.

    Looked at: load balancers, distributions, APIs, function URLs, tasks and instances with a public address, databases
    that ask for one, elastic addresses that are not a NAT gateway's, and buckets without a full public access block.

    Args:
        organization: what to look at.
    """
    absent = [name for names in absences(organization).values() for name in names]
    return (
        *(exposure for _, exposure in _found(organization)),
        *(
            Exposure(
                names=(name,), kind="nothing", account="", stack="", resource="", ports="", declared=True
            )
            for name in absent
        ),
    )


def absences(organization: Organization) -> dict[str, list[str]]:
    """Map each stage to what is declared public in it and is not there; tooling and shared services are one.

    Args:
        organization: what to look at.
    """
    seen: dict[str, set[str]] = {}
    for stage, exposure in _found(organization):
        seen.setdefault(stage, set()).update(exposure.names)
    return {stage: sorted(names - seen.get(stage, set())) for stage, names in declared(organization).items()}


def _found(organization: Organization) -> Iterator[tuple[str, Exposure]]:
    """Yield what is public, with the stage whose declaration counts."""
    said, aliases = declared(organization), _aliases(organization.assembly)
    for resource, kind, ports in _public(organization.assembly):
        stage = _owner(resource.stack, said)
        names = _names(resource, aliases)
        yield (
            stage,
            Exposure(
                names=tuple(sorted(names)),
                kind=kind,
                account=resource.stack.account,
                stack=resource.stack.name,
                resource=resource.path,
                ports=ports,
                declared=names <= said[stage],
            ),
        )


def _owner(stack: Stack, said: dict[str, frozenset[str]]) -> str:
    return stack.stage if stack.stage in said else ""


def _names(resource: Resource, aliases: dict[str, set[str]]) -> set[str]:
    """Return the host names that lead to a resource; its construct path if none does."""
    names = set(resource.texts("DistributionConfig", "Aliases")) if resource.type == DISTRIBUTION else set()
    for attribute in ("DNSName", "DomainName"):
        names |= aliases.get(resource.attribute(attribute), set())
    return names or {resource.path}


def _aliases(assembly: Assembly) -> dict[str, set[str]]:
    """Map what alias records point to, such as `${stack/LoadBalancer.DNSName}`, to their names."""
    found: dict[str, set[str]] = {}
    for record in assembly.resources("AWS::Route53::RecordSet"):
        target = record.text("AliasTarget", "DNSName").removeprefix("dualstack.")
        found.setdefault(target, set()).add(record.text("Name").removesuffix("."))
    return found


def _public(assembly: Assembly) -> Iterator[tuple[Resource, str, str]]:
    """Yield every resource that the internet can reach, with its kind and its ports."""
    translated = {
        address
        for gateway in assembly.resources("AWS::EC2::NatGateway")
        for address in gateway.texts("AllocationId")
    }
    for resource in assembly.resources():
        kind, is_public = _KINDS.get(resource.type, ("", lambda _: False))
        if is_public(resource) and resource.attribute("AllocationId") not in translated:
            yield resource, kind, _ports(resource)


def _has_public_address(instance: Resource) -> bool:
    interfaces = instance.get("NetworkInterfaces", default=[])
    return any(each.get("AssociatePublicIpAddress") is True for each in interfaces)


def _may_become_public(bucket: Resource) -> bool:
    blocked = bucket.get("PublicAccessBlockConfiguration", default={})
    return not all(blocked.get(key) is True for key in _BLOCKS)


def _is_private_api(api: Resource) -> bool:
    return "PRIVATE" in api.get("EndpointConfiguration", "Types", default=[])


def _task_address(service: Resource) -> bool:
    return bool(service.get("NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp") == "ENABLED")


def _database_address(database: Resource) -> bool:
    return database.get("PubliclyAccessible") is True


_KINDS: dict[str, tuple[str, Callable[[Resource], bool]]] = {
    # Without a scheme it faces the internet.
    LOAD_BALANCER: ("load balancer", lambda resource: resource.get("Scheme") != "internal"),
    DISTRIBUTION: ("distribution", lambda _: True),
    "AWS::ApiGateway::RestApi": ("API", lambda resource: not _is_private_api(resource)),
    "AWS::ApiGatewayV2::Api": ("API", lambda _: True),
    "AWS::AppRunner::Service": ("API", lambda _: True),
    "AWS::AppSync::GraphQLApi": ("API", lambda _: True),
    "AWS::Lambda::Url": ("function URL", lambda _: True),
    "AWS::ECS::Service": ("tasks with a public address", _task_address),
    "AWS::EC2::Instance": ("instance with a public address", _has_public_address),
    "AWS::RDS::DBCluster": ("database", _database_address),
    "AWS::RDS::DBInstance": ("database", _database_address),
    "AWS::EC2::EIP": ("address", lambda _: True),
    "AWS::S3::Bucket": ("bucket", _may_become_public),
}


def _ports(resource: Resource) -> str:
    if resource.type == LOAD_BALANCER:
        listeners = resource.stack.assembly.resources("AWS::ElasticLoadBalancingV2::Listener")
        ports = {
            each.text("Port") for each in listeners if each.text("LoadBalancerArn") == resource.reference
        }
        return ", ".join(sorted(ports, key=int))
    return "80, 443" if resource.type == DISTRIBUTION else ""
