"""The hub: gateway, sharing, its two tables and the way out."""

import json

import pytest

from compliance.policies import identity_statements
from compliance.routes import association_table, network_of, propagation_table
from tests import documents
from tests.assembly import Assembly, Stack
from tests.conftest import Synthesize


@pytest.fixture(scope="module")
def network(organization: Assembly) -> Stack:
    """The stack of the hub."""
    return organization["SharedServices-Network"]


def test_the_gateway_accepts_attachments_of_the_accounts_that_it_is_shared_with(network: Stack) -> None:
    gateway = network.resource("AWS::EC2::TransitGateway")
    assert gateway.get("AutoAcceptSharedAttachments") == "enable"
    share = network.resource("AWS::RAM::ResourceShare")
    assert share.get("Principals") == ["333333333333", "444444444444"]
    assert share.get("AllowExternalPrincipals") is False
    assert len(share.get("ResourceArns")) == 1
    assert network.text(share.get("ResourceArns", 0)).endswith("/${SharedServices-Network/TransitGateway.Id}")


def test_accounts_that_hold_two_environments_are_named_once(synthesize: Synthesize) -> None:
    assembly = synthesize(documents.with_third_environment())
    share = assembly["SharedServices-Network"].resource("AWS::RAM::ResourceShare")
    assert share.get("Principals") == ["333333333333", "444444444444"]


def test_attachments_are_associated_with_spokes_and_propagate_into_hub(
    organization: Assembly, network: Stack
) -> None:
    assert association_table(organization) == f"${{{network.name}/SpokesRoutes}}"
    assert propagation_table(organization) == f"${{{network.name}/HubRoutes}}"
    gateway = network.resource("AWS::EC2::TransitGateway")
    assert gateway.get("DefaultRouteTableAssociation") == "disable", "until the two tables exist"
    assert gateway.get("DefaultRouteTablePropagation") == "disable"


def test_the_tables_become_the_defaults_by_one_call_at_creation_and_at_change(network: Stack) -> None:
    defaults = network.resource("Custom::AWS", "DefaultRouteTables")
    create, update = json.loads(defaults.text("Create")), json.loads(defaults.text("Update"))
    assert create == update
    assert (create["service"], create["action"]) == ("ec2", "ModifyTransitGateway")
    assert create["parameters"]["Options"]["DefaultRouteTableAssociation"] == "enable"
    assert create["parameters"]["Options"]["DefaultRouteTablePropagation"] == "enable"
    assert defaults.get("Delete") is None


def test_the_hubs_own_attachment_exists_before_the_defaults_could_catch_it(network: Stack) -> None:
    defaults = network.resource("Custom::AWS", "DefaultRouteTables")
    attachment = network.resource("AWS::EC2::TransitGatewayVpcAttachment")
    assert attachment.logical_id in defaults.body["DependsOn"]


def test_the_function_that_makes_the_call_may_change_this_gateway_alone(network: Stack) -> None:
    function = network.resource("AWS::Lambda::Function", "AWS679")
    role_id = function.get("Role", "Fn::GetAtt", 0)
    (role,) = [each for each in network.resources("AWS::IAM::Role") if each.logical_id == role_id]
    (statement,) = identity_statements(role)
    assert statement.actions == ("ec2:ModifyTransitGateway",)
    assert all("${SharedServices-Network/" in resource for resource in statement.resources)
    assert not any("*" in resource for resource in statement.resources)


def test_the_function_uses_the_sdk_that_it_is_shipped_with(network: Stack) -> None:
    assert network.resource("Custom::AWS", "DefaultRouteTables").get("InstallLatestAwsSdk") is False


def test_the_hub_publishes_the_gateway_and_nothing_else(network: Stack) -> None:
    assert set(network.outputs) == {"TransitGatewayId"}


def test_answers_find_their_way_back_from_the_hub(network: Stack) -> None:
    returns = [each for each in network.resources("AWS::EC2::Route") if each.get("TransitGatewayId")]
    assert [each.get("DestinationCidrBlock") for each in returns] == ["10.0.0.0/8", "10.0.0.0/8"]
    assert all("PublicSubnet" in each.text("RouteTableId") for each in returns)
    attachment = network.resource("AWS::EC2::TransitGatewayVpcAttachment")
    assert all(each.body["DependsOn"] == [attachment.logical_id] for each in returns)


@pytest.mark.parametrize("variant", ["tuned", "closed"])
def test_without_central_egress_the_hub_has_no_vpc(synthesize: Synthesize, variant: str) -> None:
    network = synthesize(documents.VARIANTS[variant])["SharedServices-Network"]
    assert not network.resources("AWS::EC2::VPC")
    assert not network.resources("AWS::EC2::TransitGatewayRouteTableAssociation")
    assert len(network.resources("AWS::EC2::TransitGatewayRoute")) == 1, "the black hole stays"


@pytest.mark.parametrize("variant", ["bare", "existing gateway"])
def test_without_a_gateway_of_its_own_there_is_no_hub(synthesize: Synthesize, variant: str) -> None:
    assert "SharedServices-Network" not in synthesize(documents.VARIANTS[variant]).stacks


def test_the_hub_fits_into_the_smallest_range_with_three_zones(synthesize: Synthesize) -> None:
    network = synthesize(documents.with_second_workload())["SharedServices-Network"]
    subnets = network.resources("AWS::EC2::Subnet")
    assert len(subnets) == 6
    assert {each.get("AvailabilityZone") for each in subnets} == {"eu-west-1a", "eu-west-1b", "eu-west-1c"}
    assert network_of(network).prefixlen == 24
