"""Networks across accounts: who may attach to a transit gateway, and what its tables then say."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.conftest import PRODUCTION, SHARED, STAGING, Cloud, Stack

pytestmark = pytest.mark.rehearsal


def gateway(cloud: Cloud, *, shared_with: tuple[str, ...] = (), **options: str) -> Stack:
    """A transit gateway of the shared services account."""
    arn = {"Fn::Sub": "arn:aws:ec2:${AWS::Region}:${AWS::AccountId}:transit-gateway/${Gateway}"}
    share = {
        "Type": "AWS::RAM::ResourceShare",
        "Properties": {"Name": "hub", "ResourceArns": [arn], "Principals": list(shared_with)},
    }
    made = cloud.deploy(
        {
            "Gateway": {
                "Type": "AWS::EC2::TransitGateway",
                "Properties": {"Description": "hub", "AutoAcceptSharedAttachments": "enable", **options},
            },
            "Table": {
                "Type": "AWS::EC2::TransitGatewayRouteTable",
                "Properties": {
                    "TransitGatewayId": {"Ref": "Gateway"},
                    "Tags": [{"Key": "Name", "Value": "spokes"}],
                },
            },
            **({"Share": share} if shared_with else {}),
        },
        account=SHARED,
        outputs={"Arn": {"Fn::GetAtt": ["Gateway", "TransitGatewayArn"]}},
    )
    assert made.status == "CREATE_COMPLETE", made.failures
    return made


def spoke(gateway_id: str, cidr: str, *, waits: bool = True) -> dict[str, object]:
    """A VPC that is attached to a gateway, and a route there."""
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": cidr.replace("/20", "/28")},
        },
        "RouteTable": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "ZAttachment": {
            "Type": "AWS::EC2::TransitGatewayVpcAttachment",
            "Properties": {
                "TransitGatewayId": gateway_id,
                "VpcId": {"Ref": "Vpc"},
                "SubnetIds": [{"Ref": "Subnet"}],
            },
        },
        "Route": {
            "Type": "AWS::EC2::Route",
            **({"DependsOn": "ZAttachment"} if waits else {}),
            "Properties": {
                "RouteTableId": {"Ref": "RouteTable"},
                "DestinationCidrBlock": "10.0.0.0/8",
                "TransitGatewayId": gateway_id,
            },
        },
    }


def test_an_account_attaches_to_what_is_shared_with_it(cloud: Cloud) -> None:
    hub = gateway(cloud, shared_with=(STAGING,), DefaultRouteTablePropagation="enable")

    attached = cloud.deploy(spoke(hub.ids["Gateway"], "10.1.0.0/20"))

    assert attached.status == "CREATE_COMPLETE", attached.failures
    owner, member = cloud.client("ec2", SHARED), cloud.client("ec2", STAGING)
    default = owner.describe_transit_gateways(TransitGatewayIds=[hub.ids["Gateway"]])["TransitGateways"][0]
    table = default["Options"]["PropagationDefaultRouteTableId"]
    routes = owner.search_transit_gateway_routes(
        TransitGatewayRouteTableId=table, Filters=[{"Name": "type", "Values": ["propagated"]}]
    )["Routes"]
    assert [route["DestinationCidrBlock"] for route in routes] == ["10.1.0.0/20"]
    seen = [
        ec2.describe_transit_gateway_attachments(
            Filters=[{"Name": "transit-gateway-id", "Values": [hub.ids["Gateway"]]}]
        )["TransitGatewayAttachments"][0]["TransitGatewayAttachmentId"]
        for ec2 in (owner, member)
    ]
    assert seen == [attached.ids["ZAttachment"]] * 2
    assert member.describe_transit_gateway_route_tables()["TransitGatewayRouteTables"] == []


def test_no_account_attaches_to_what_is_not_shared_with_it(cloud: Cloud) -> None:
    hub = gateway(cloud, shared_with=(STAGING,))

    refused = cloud.deploy(spoke(hub.ids["Gateway"], "10.2.0.0/20"), account=PRODUCTION)

    assert refused.status == "ROLLBACK_COMPLETE"
    assert "InvalidTransitGatewayID.NotFound" in refused.failures["ZAttachment"]
    seen = cloud.client("ec2", PRODUCTION).describe_transit_gateways()["TransitGateways"]
    assert hub.ids["Gateway"] not in {item["TransitGatewayId"] for item in seen}


def test_the_end_of_a_share_refuses_the_next_attachment(cloud: Cloud) -> None:
    hub = gateway(cloud, shared_with=(STAGING,))
    share = {
        "Share": {
            "Type": "AWS::RAM::ResourceShare",
            "Properties": {"Name": "x", "ResourceArns": [hub.outputs["Arn"]], "Principals": [PRODUCTION]},
        }
    }
    more = cloud.deploy(share, account=SHARED)
    cloud.client("ec2", PRODUCTION).describe_transit_gateways(TransitGatewayIds=[hub.ids["Gateway"]])

    cloud.delete(more, account=SHARED)

    with pytest.raises(ClientError, match="NotFound"):
        cloud.client("ec2", PRODUCTION).describe_transit_gateways(TransitGatewayIds=[hub.ids["Gateway"]])


def test_an_account_shares_only_what_it_owns(cloud: Cloud) -> None:
    hub = gateway(cloud)
    share = {
        "Share": {
            "Type": "AWS::RAM::ResourceShare",
            "Properties": {"Name": "x", "ResourceArns": [hub.outputs["Arn"]], "Principals": [PRODUCTION]},
        }
    }

    refused = cloud.deploy(share, account=STAGING)

    assert "does not own them" in refused.failures["Share"]


def test_an_attachment_that_nobody_accepts_fails_the_stack(cloud: Cloud) -> None:
    hub = gateway(cloud, shared_with=(STAGING,), AutoAcceptSharedAttachments="disable")

    waiting = cloud.deploy(spoke(hub.ids["Gateway"], "10.1.0.0/20"))

    assert "waits for acceptance" in waiting.failures["ZAttachment"]


def test_a_route_must_come_after_the_attachment(cloud: Cloud) -> None:
    hub = gateway(cloud, shared_with=(STAGING,))

    early = cloud.deploy(spoke(hub.ids["Gateway"], "10.1.0.0/20", waits=False))

    assert "must depend on the attachment" in early.failures["Route"]


def test_an_sdk_call_makes_a_table_the_default(cloud: Cloud) -> None:
    hub = gateway(cloud, DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable")
    arns = [
        f"arn:aws:ec2:eu-west-1:{SHARED}:{kind}"
        for kind in ("transit-gateway/*", "transit-gateway-route-table/*")
    ]
    narrow = cloud.role(account=SHARED)
    iam = cloud.client("iam", SHARED)
    ec2 = cloud.client("ec2", SHARED, credentials=cloud.session(narrow))
    change = {
        "TransitGatewayId": hub.ids["Gateway"],
        "Options": {
            "DefaultRouteTableAssociation": "enable",
            "AssociationDefaultRouteTableId": hub.ids["Table"],
        },
    }
    name = narrow.rsplit("/", 1)[-1]
    for allowed, works in ((arns[:1], False), (arns, True)):
        document = {"Effect": "Allow", "Action": "ec2:ModifyTransitGateway", "Resource": allowed}
        iam.put_role_policy(
            RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": [document]})
        )
        if works:
            ec2.modify_transit_gateway(**change)
        else:
            with pytest.raises(ClientError, match="not authorized"):
                ec2.modify_transit_gateway(**change)

    attached = cloud.deploy(spoke(hub.ids["Gateway"], "10.0.0.0/20"), account=SHARED)

    associations = cloud.client("ec2", SHARED).get_transit_gateway_route_table_associations(
        TransitGatewayRouteTableId=hub.ids["Table"]
    )["Associations"]
    assert [item["TransitGatewayAttachmentId"] for item in associations] == [attached.ids["ZAttachment"]]


def test_routes_and_associations_of_the_hub(cloud: Cloud) -> None:
    hub = gateway(cloud, DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable")
    table, gateway_id = hub.ids["Table"], hub.ids["Gateway"]
    pair = {"TransitGatewayAttachmentId": {"Ref": "ZAttachment"}, "TransitGatewayRouteTableId": table}
    route = {"TransitGatewayRouteTableId": table}
    resources = {
        **spoke(gateway_id, "10.3.0.0/20"),
        "Association": {"Type": "AWS::EC2::TransitGatewayRouteTableAssociation", "Properties": pair},
        "Propagation": {"Type": "AWS::EC2::TransitGatewayRouteTablePropagation", "Properties": pair},
        "Drop": {
            "Type": "AWS::EC2::TransitGatewayRoute",
            "Properties": {**route, "DestinationCidrBlock": "10.0.0.0/8", "Blackhole": True},
        },
        "Out": {
            "Type": "AWS::EC2::TransitGatewayRoute",
            "Properties": {
                **route,
                "DestinationCidrBlock": "0.0.0.0/0",
                "TransitGatewayAttachmentId": {"Ref": "ZAttachment"},
            },
        },
    }

    made = cloud.deploy(resources, account=SHARED)

    assert made.status == "CREATE_COMPLETE", made.failures
    ec2 = cloud.client("ec2", SHARED)
    everything = [{"Name": "type", "Values": ["static", "propagated"]}]
    found = ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=everything)["Routes"]
    assert {(r["DestinationCidrBlock"], r["Type"], r["State"]) for r in found} == {
        ("10.0.0.0/8", "static", "blackhole"),
        ("0.0.0.0/0", "static", "active"),
        ("10.3.0.0/20", "propagated", "active"),
    }

    cloud.delete(made, account=SHARED)

    assert (
        ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=everything)["Routes"]
        == []
    )
    cloud.delete(hub, account=SHARED)
    with pytest.raises(ClientError, match="NotFound"):
        ec2.describe_transit_gateways(TransitGatewayIds=[gateway_id])


def test_addresses_nat_gateways_flow_logs_and_rules_are_known_to_ec2(cloud: Cloud) -> None:
    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.5.0.0/20"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.5.0.0/24"},
        },
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "Nat": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "SubnetId": {"Ref": "Subnet"},
                "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
            },
        },
        "Log": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {"ResourceId": {"Ref": "Vpc"}, "ResourceType": "VPC", "LogGroupName": "flow"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "g", "VpcId": {"Ref": "Vpc"}, "SecurityGroupEgress": []},
        },
        "Rule": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["Group", "GroupId"]},
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "CidrIp": {"Fn::GetAtt": ["Vpc", "CidrBlock"]},
            },
        },
    }

    made = cloud.deploy(resources, outputs={"Cidr": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}})

    assert made.status == "CREATE_COMPLETE", made.failures
    assert made.outputs["Cidr"] == "10.5.0.0/20"
    ec2 = cloud.client("ec2")
    nat = ec2.describe_nat_gateways(NatGatewayIds=[made.ids["Nat"]])["NatGateways"][0]
    assert (nat["SubnetId"], nat["State"]) == (made.ids["Subnet"], "available")
    addresses = {a["PublicIp"]: a["AllocationId"] for a in ec2.describe_addresses()["Addresses"]}
    assert made.ids["Address"] in addresses
    logs = ec2.describe_flow_logs(FlowLogIds=[made.ids["Log"]])["FlowLogs"]
    assert logs[0]["ResourceId"] == made.ids["Vpc"]
    group = ec2.describe_security_groups(GroupIds=[made.ids["Group"]])["SecurityGroups"][0]
    assert [(p["FromPort"], p["IpRanges"][0]["CidrIp"]) for p in group["IpPermissions"]] == [
        (443, "10.5.0.0/20")
    ]

    resources["Rule"]["Properties"]["FromPort"] = 80  # type: ignore[index]
    changed = cloud.deploy(resources, name=made.name)

    assert changed.status == "UPDATE_COMPLETE", changed.failures
    group = ec2.describe_security_groups(GroupIds=[made.ids["Group"]])["SecurityGroups"][0]
    assert [(p["FromPort"], p["ToPort"]) for p in group["IpPermissions"]] == [(80, 443)]
    cloud.delete(made)
    assert made.ids["Address"] not in {a["PublicIp"] for a in ec2.describe_addresses()["Addresses"]}
