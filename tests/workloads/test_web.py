"""The site: load balancer, service, scaling and its DNS record."""

import pytest

from tests import documents
from tests.assembly import Assembly, Resource, Stack
from tests.conftest import Synthesize
from tests.workloads.tasks import container, service

STAGES = [documents.STAGING, documents.PRODUCTION]


@pytest.fixture(params=STAGES)
def web(organization: Assembly, request: pytest.FixtureRequest) -> Stack:
    """The web stack of each environment."""
    return organization[f"{request.param}-Web"]


def _listener(web: Stack, port: int) -> Resource:
    (found,) = [
        each for each in web.resources("AWS::ElasticLoadBalancingV2::Listener") if each.get("Port") == port
    ]
    return found


def _attributes(resource: Resource, key: str) -> dict[str, str]:
    return {each["Key"]: resource.stack.text(each["Value"]) for each in resource.get(key)}


def test_https_is_served_with_the_environments_certificate(web: Stack) -> None:
    listener = _listener(web, 443)
    assert listener.get("Protocol") == "HTTPS"
    assert "TLS13-1-2" in listener.get("SslPolicy")
    (certificate,) = listener.get("Certificates")
    assert web.text(certificate["CertificateArn"]).startswith(f"${{{web.stage}-Dns/Certificate")
    (action,) = listener.get("DefaultActions")
    assert action["Type"] == "forward"


def test_plain_http_is_sent_to_https_for_good(web: Stack) -> None:
    (action,) = _listener(web, 80).get("DefaultActions")
    assert action["Type"] == "redirect"
    assert action["RedirectConfig"] == {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}


def test_tasks_are_healthy_after_three_answers_and_unhealthy_after_two_failures(web: Stack) -> None:
    group = web.resource("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group.get("HealthCheckPath") == "/status/"
    assert group.get("Matcher") == {"HttpCode": "200"}
    assert (group.get("HealthyThresholdCount"), group.get("UnhealthyThresholdCount")) == (3, 2)
    assert group.get("HealthCheckTimeoutSeconds") < group.get("HealthCheckIntervalSeconds")
    assert group.get("TargetType") == "ip"


def test_port_and_health_check_are_those_of_the_workload(synthesize: Synthesize) -> None:
    web = synthesize(documents.with_second_workload())["ShopStaging-Web"]
    group = web.resource("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert (group.get("Port"), group.get("HealthCheckPath")) == (9000, "/healthz")
    (ports,) = web.resource("AWS::ECS::TaskDefinition").get("ContainerDefinitions", 0, "PortMappings")
    assert ports["ContainerPort"] == 9000
    (balanced,) = service(web, "Web").get("LoadBalancers")
    assert balanced["ContainerPort"] == 9000


def test_a_task_stops_later_than_the_load_balancer_stops_asking_it(
    organization: Assembly, web: Stack
) -> None:
    group = web.resource("AWS::ElasticLoadBalancingV2::TargetGroup")
    delay = int(_attributes(group, "TargetGroupAttributes")["deregistration_delay.timeout_seconds"])
    assert delay < container(organization, web.stage, "Web")["StopTimeout"]


def test_the_load_balancer_is_public_logged_and_strict(web: Stack) -> None:
    balancer = web.resource("AWS::ElasticLoadBalancingV2::LoadBalancer")
    attributes = _attributes(balancer, "LoadBalancerAttributes")
    assert balancer.get("Scheme") == "internet-facing"
    assert attributes["access_logs.s3.enabled"] == "true"
    assert attributes["access_logs.s3.bucket"].startswith(f"${{{web.stage}-Logs/Alb")
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert all("/VpcPublicSubnet" in web.text(subnet) for subnet in balancer.get("Subnets"))
    assert ["/SecurityGroupsAlb" in web.text(group) for group in balancer.get("SecurityGroups")] == [True]


def test_no_load_balancer_blocks_the_rollback_of_its_own_creation(organization: Assembly) -> None:
    protected = {
        stage: _attributes(
            organization[f"{stage}-Web"].resource("AWS::ElasticLoadBalancingV2::LoadBalancer"),
            "LoadBalancerAttributes",
        )["deletion_protection.enabled"]
        for stage in STAGES
    }
    assert set(protected.values()) == {"false"}


def test_a_deployment_keeps_all_tasks_and_goes_back_if_it_fails(web: Stack) -> None:
    deployment = service(web, "Web").get("DeploymentConfiguration")
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)


def test_a_deployment_leaves_the_number_of_tasks_to_the_scaling(web: Stack) -> None:
    assert service(web, "Web").get("DesiredCount") is None


def test_a_person_can_open_a_shell_in_a_task(web: Stack) -> None:
    assert service(web, "Web").get("EnableExecuteCommand") is True


def test_tasks_have_no_public_address_and_the_web_group(web: Stack) -> None:
    network = service(web, "Web").get("NetworkConfiguration", "AwsvpcConfiguration")
    assert network["AssignPublicIp"] == "DISABLED"
    assert all("/VpcPrivateSubnet" in web.text(subnet) for subnet in network["Subnets"])
    assert ["/SecurityGroupsWeb" in web.text(group) for group in network["SecurityGroups"]] == [True]


def test_the_service_waits_for_its_listener(web: Stack) -> None:
    assert _listener(web, 443).logical_id in service(web, "Web").body["DependsOn"]


@pytest.mark.parametrize(("stage", "limits"), [(documents.STAGING, (1, 2)), (documents.PRODUCTION, (2, 6))])
def test_tasks_follow_the_processor_load_within_the_configured_limits(
    organization: Assembly, stage: str, limits: tuple[int, int]
) -> None:
    web = organization[f"{stage}-Web"]
    target = web.resource("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target.get("MinCapacity"), target.get("MaxCapacity")) == limits
    policy = web.resource("AWS::ApplicationAutoScaling::ScalingPolicy")
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
    assert tracking["TargetValue"] == 75
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
    }


def test_the_sites_name_leads_to_the_load_balancer(web: Stack) -> None:
    record = web.resource("AWS::Route53::RecordSet")
    balancer = web.resource("AWS::ElasticLoadBalancingV2::LoadBalancer")
    domain = {documents.STAGING: "staging.acme.example.", documents.PRODUCTION: "www.acme.example."}[
        web.stage
    ]
    assert (record.get("Name"), record.get("Type")) == (domain, "A")
    assert record.text("HostedZoneId").startswith(f"${{{web.stage}-Dns/Zone")
    assert balancer.logical_id in record.text("AliasTarget", "DNSName")


def test_the_web_container_runs_the_configured_command(
    organization: Assembly, synthesize: Synthesize
) -> None:
    assert container(organization, documents.STAGING, "Web")["Command"] == ["bin/web"]
    other = synthesize(documents.tuned())
    assert container(other, documents.STAGING, "Web")["Command"] == ["gunicorn", "shop.wsgi"]
