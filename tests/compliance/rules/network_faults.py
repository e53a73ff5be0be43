"""Ways in that nobody wants."""

from collections.abc import Callable
from functools import partial

from tests.assembly import Assembly, Stack
from tests.compliance.rules.fault import LIVE, SHARED, STAGE, Fault, add

GROUP, INGRESS = "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"
SERVICE = "AWS::ECS::Service"


def _network(assembly: Assembly) -> Stack:
    return assembly[f"{STAGE}-Network"]


def _hole(source: object, group: str, port: int, key: str, assembly: Assembly) -> None:
    network = _network(assembly)
    if key == "SourceSecurityGroupId":
        source = {"Fn::GetAtt": [network.resource(GROUP, str(source)).logical_id, "GroupId"]}
    add(
        network,
        "Hole",
        INGRESS,
        GroupId={"Fn::GetAtt": [network.resource(GROUP, group).logical_id, "GroupId"]},
        FromPort=port,
        ToPort=port,
        IpProtocol="tcp",
        **{key: source},
    )


def _let_in(source: str, group: str, *, port: int = 8000, key: str = "CidrIp") -> Callable[[Assembly], None]:
    """Let somebody into a group of staging."""
    return partial(_hole, source, group, port, key)


def _open_inline(assembly: Assembly) -> None:
    group = _network(assembly).resource(GROUP, "Endpoints")
    rule = {"CidrIp": "0.0.0.0/0", "FromPort": 443, "ToPort": 443, "IpProtocol": "tcp"}
    group.properties["SecurityGroupIngress"] = [rule]


def _public_database(assembly: Assembly) -> None:
    instance = assembly[f"{STAGE}-Database"].resources("AWS::RDS::DBInstance")[0]
    instance.properties["PubliclyAccessible"] = True


def _drop_black_hole(assembly: Assembly) -> None:
    del assembly["SharedServices-Network"].template["Resources"]["SpokesDropSupernet"]


def _precise_route(assembly: Assembly) -> None:
    routes = assembly["SharedServices-Network"].template["Resources"]
    routes["SpokesHubRoute"]["Properties"]["DestinationCidrBlock"] = "10.2.0.0/20"


def _wrong_table(assembly: Assembly) -> None:
    defaults = assembly["SharedServices-Network"].resource("Custom::AWS", "DefaultRouteTables").properties
    for part in defaults["Create"]["Fn::Join"][1]:
        if part == {"Ref": "SpokesRoutes"}:
            part["Ref"] = "HubRoutes"


def _peering(assembly: Assembly) -> None:
    add(_network(assembly), "Peering", "AWS::EC2::VPCPeeringConnection", PeerOwnerId=SHARED)


_HOLE = f"{STAGE}/Network/Hole"
_VPC = f"{STAGE}/Network/Vpc/Resource"
_CLUSTER = f"{STAGE}/Database/Cluster/Resource"

FAULTS = (
    Fault("LZ-NET-1", "tasks open to the world", _let_in("0.0.0.0/0", "Web"), _HOLE, "lets in 0.0.0.0/0"),
    Fault("LZ-NET-1", "IPv6", _let_in("::/0", "Web", key="CidrIpv6"), _HOLE, "lets in ::/0"),
    Fault("LZ-NET-1", "a public range", _let_in("93.184.0.0/16", "Release"), _HOLE, "93.184.0.0/16"),
    Fault("LZ-NET-1", "another port", _let_in("0.0.0.0/0", "Alb", port=22), _HOLE, "on ports 22 to 22"),
    Fault(
        "LZ-NET-1",
        "a prefix list",
        _let_in("pl-12345678", "Web", key="SourcePrefixListId"),
        _HOLE,
        "pl-12345678",
    ),
    Fault(
        "LZ-NET-1",
        "inside the group",
        _open_inline,
        f"{STAGE}/Network/SecurityGroups/Endpoints/Resource",
        "0.0.0.0/0",
    ),
    Fault(
        "LZ-NET-2",
        "workers reach the web tasks",
        _let_in("Workers", "Web", key="SourceSecurityGroupId"),
        f"{STAGE}/Web/Service/Service",
        "reaches its tasks",
    ),
    Fault(
        "LZ-NET-2",
        "the load balancer reaches workers",
        _let_in("Alb", "Workers", key="SourceSecurityGroupId"),
        f"{STAGE}/Workers/Service/Service",
        "reaches its tasks",
    ),
    Fault(
        "LZ-NET-3",
        "the load balancer reaches the database",
        _let_in("Alb", "Database", port=5432, key="SourceSecurityGroupId"),
        _CLUSTER,
        "reaches it",
    ),
    Fault(
        "LZ-NET-3", "a range", _let_in("10.0.0.0/8", "Database", port=5432), _CLUSTER, "10.0.0.0/8 reaches it"
    ),
    Fault(
        "LZ-NET-3",
        "a public address",
        _public_database,
        f"{STAGE}/Database/Cluster/Writer/Resource",
        "it has a public address",
    ),
    Fault("LZ-NET-4", "no black hole", _drop_black_hole, _VPC, f"of {LIVE}"),
    Fault("LZ-NET-4", "a route more precise than the black hole", _precise_route, _VPC, f"of {LIVE}"),
    Fault("LZ-NET-4", "environments in the wrong table", _wrong_table, _VPC, "not that of the spokes"),
    Fault("LZ-NET-4", "a peering", _peering, _VPC, "leads around the hub"),
)
