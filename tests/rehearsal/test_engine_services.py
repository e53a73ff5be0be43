"""Services of real tasks: they are replaced, counted by their health, scaled, and rolled back."""

import os
import signal
import ssl
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rehearsal.failed_services import why_tasks_stopped
from tests.rehearsal.conftest import REGION, STAGING
from tests.rehearsal.workload import Workload, processes_of, until

pytestmark = pytest.mark.rehearsal

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@pytest.fixture
def group(workload: Workload) -> str:
    """A target group, and a load balancer that sends everything there."""
    elb, ec2 = workload.cloud.client("elbv2"), workload.cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    name = f"g{os.urandom(4).hex()}"
    arn: str = elb.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=8000,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath="/status/",
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
        Matcher={"HttpCode": "200"},
    )["TargetGroups"][0]["TargetGroupArn"]
    balancer = elb.create_load_balancer(Name=name, Subnets=[subnet])["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    return arn


def balanced(group: str) -> list[dict[str, Any]]:
    return [{"targetGroupArn": group, "containerName": "main", "containerPort": 8000}]


def states(workload: Workload, group: str) -> dict[str, str]:
    """Address -> state of each target."""
    found = workload.cloud.client("elbv2").describe_target_health(TargetGroupArn=group)
    return {item["Target"]["Id"]: item["TargetHealth"]["State"] for item in found["TargetHealthDescriptions"]}


def page(address: str, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{address}:8000{path}", timeout=5) as answer:
        content: bytes = answer.read()
    return content


def test_tasks_of_a_service_listen_on_one_port_at_addresses_of_their_own(
    workload: Workload, group: str
) -> None:
    name = workload.serve(workload.define("bin/web"), count=2, loadBalancers=balanced(group))

    workload.stable(name)

    addresses = [workload.address(arn) for arn in workload.tasks(name)]
    assert len(set(addresses)) == 2
    assert len({page(address, "/") for address in addresses}) == 2
    assert states(workload, group) == dict.fromkeys(addresses, "healthy")
    workload.remove(name)
    until(lambda: not states(workload, group))


def test_a_task_that_dies_is_replaced(workload: Workload, group: str) -> None:
    name = workload.serve(workload.define("bin/web"), loadBalancers=balanced(group))
    workload.stable(name)
    (first,) = workload.tasks(name)
    (pid,) = {int(page(workload.address(first), "/"))}

    os.kill(pid, signal.SIGKILL)

    ended = workload.ended(first)
    assert ended.code == 137
    second = until(lambda: [arn for arn in workload.tasks(name) if arn != first])[0]
    until(lambda: states(workload, group) == {workload.address(second): "healthy"})
    workload.remove(name)


def test_a_task_that_fails_its_health_check_is_replaced(workload: Workload, group: str) -> None:
    name = workload.serve(workload.define("bin/web"), loadBalancers=balanced(group))
    workload.stable(name)
    (sick,) = workload.tasks(name)

    page(workload.address(sick), "/sicken")

    ended = workload.ended(sick)
    assert "failed ELB health checks" in ended.task["stoppedReason"]
    assert ended.task["stopCode"] == "ServiceSchedulerInitiated"
    until(lambda: workload.tasks(name) not in ([], [sick]))
    workload.remove(name)


def test_a_deployment_is_not_complete_before_its_tasks_are_healthy(workload: Workload, group: str) -> None:
    elb = workload.cloud.client("elbv2")
    elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/missing")
    settings: dict[str, Any] = {"loadBalancers": balanced(group), "healthCheckGracePeriodSeconds": 60}
    name = workload.serve(workload.define("bin/web"), **settings)
    until(lambda: "unhealthy" in states(workload, group).values())

    assert workload.service(name)["deployments"][0]["rolloutState"] == "IN_PROGRESS"

    elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/status/")
    workload.stable(name)
    workload.remove(name)


def test_a_version_that_does_not_start_is_rolled_back_and_the_old_one_serves_on(
    workload: Workload, group: str
) -> None:
    good, bad = workload.define("bin/web"), workload.define("bin/end", "1")
    settings: dict[str, Any] = {"deploymentConfiguration": BREAKER, "loadBalancers": balanced(group)}
    name = workload.serve(good, **settings)
    workload.stable(name)
    (serving,) = workload.tasks(name)

    workload.ecs.update_service(cluster=workload.cluster, service=name, taskDefinition=bad)

    until(lambda: any(one["rolloutState"] == "FAILED" for one in workload.service(name)["deployments"]))
    assert workload.stable(name)["taskDefinition"] == good
    assert page(workload.address(serving), "/")
    workload.remove(name)


def test_a_stack_fails_with_a_service_that_does_not_start_and_its_last_lines_outlive_it(
    workload: Workload,
) -> None:
    options = {"awslogs-region": REGION, "awslogs-stream-prefix": "test", "awslogs-group": {"Ref": "Logs"}}
    definition = {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Cpu": "256",
            "Memory": "512",
            "NetworkMode": "awsvpc",
            "RequiresCompatibilities": ["FARGATE"],
            "ExecutionRoleArn": workload.execution_role,
            "ContainerDefinitions": [
                {
                    "Name": "main",
                    "Image": workload.image,
                    "Command": ["bin/end", "9"],
                    "LogConfiguration": {"LogDriver": "awslogs", "Options": options},
                }
            ],
        },
    }
    service = {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "Cluster": workload.cluster,
            "TaskDefinition": {"Ref": "Definition"},
            "DesiredCount": 1,
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}},
            "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}},
        },
    }

    made = workload.cloud.deploy(
        {"Logs": {"Type": "AWS::Logs::LogGroup"}, "Definition": definition, "Service": service}
    )

    assert made.status == "ROLLBACK_COMPLETE"
    assert "Circuit Breaker was triggered" in made.failures["Service"]
    services = workload.ecs.list_services(cluster=workload.cluster)["serviceArns"]
    assert not [arn for arn in services if f"/{made.name}-" in arn], "it is rolled back, too"
    told = why_tasks_stopped(workload.cloud.emulator, STAGING, REGION, stack=made.name, logical_id="Service")
    assert "Essential container" in told[0]
    assert "exit code 9" in told[1]
    assert told[2:] == ("  ending with 9",)


def test_there_are_never_two_of_a_singleton(workload: Workload) -> None:
    only_one = {"maximumPercent": 100, "minimumHealthyPercent": 0}
    name = workload.serve(workload.define("bin/stubborn", stopTimeout=2), deploymentConfiguration=only_one)
    workload.stable(name)
    (first,) = workload.tasks(name)
    address = workload.address(first)

    workload.ecs.update_service(cluster=workload.cluster, service=name, forceNewDeployment=True)

    while processes_of(address):
        assert all(
            not processes_of(workload.address(arn)) for arn in workload.tasks(name) if started(workload, arn)
        )
    workload.stable(name)
    assert workload.tasks(name) != [first]
    workload.remove(name)


def started(workload: Workload, arn: str) -> bool:
    return bool(workload.describe(arn)["attachments"])


def scaled(workload: Workload, service: str, queue: str, *, lowest: int, highest: int) -> dict[str, Any]:
    """Bounds, two policies and their alarms, as the CDK makes them for a queue."""
    dimensions = [{"Name": "QueueName", "Value": queue}]
    expression = "(waiting + working) / IF(FILL(running, 0) < 1, 1 / 10, FILL(running, 1))"
    running = {
        "Namespace": "ECS/ContainerInsights",
        "MetricName": "RunningTaskCount",
        "Dimensions": [
            {"Name": "ClusterName", "Value": workload.cluster},
            {"Name": "ServiceName", "Value": service},
        ],
    }
    metrics = [
        {"Id": "e", "Expression": expression, "ReturnData": True},
        *(
            {
                "Id": identifier,
                "ReturnData": False,
                "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"},
            }
            for identifier, metric in {
                "waiting": {
                    "Namespace": "AWS/SQS",
                    "MetricName": "ApproximateNumberOfMessagesVisible",
                    "Dimensions": dimensions,
                },
                "working": {
                    "Namespace": "AWS/SQS",
                    "MetricName": "ApproximateNumberOfMessagesNotVisible",
                    "Dimensions": dimensions,
                },
                "running": running,
            }.items()
        ),
    ]
    resources: dict[str, Any] = {
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "ResourceId": f"service/{workload.cluster}/{service}",
                "ScalableDimension": "ecs:service:DesiredCount",
                "ServiceNamespace": "ecs",
                "MinCapacity": lowest,
                "MaxCapacity": highest,
            },
        }
    }
    for way, comparison, threshold, step in (
        (
            "Upper",
            "GreaterThanOrEqualToThreshold",
            10,
            {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1},
        ),
        (
            "Lower",
            "LessThanOrEqualToThreshold",
            0.01,
            {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1},
        ),
    ):
        resources[f"{way}Policy"] = {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": f"{service}-{way}",
                "PolicyType": "StepScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "StepScalingPolicyConfiguration": {
                    "AdjustmentType": "ChangeInCapacity",
                    "Cooldown": 2,
                    "StepAdjustments": [step],
                },
            },
        }
        resources[f"{way}Alarm"] = {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmActions": [{"Ref": f"{way}Policy"}],
                "ComparisonOperator": comparison,
                "EvaluationPeriods": 1,
                "Threshold": threshold,
                "Metrics": metrics,
            },
        }
    return resources


def test_a_message_wakes_a_worker_and_an_empty_queue_sends_it_to_sleep(workload: Workload) -> None:
    sqs = workload.cloud.client("sqs")
    queue = f"q{os.urandom(4).hex()}"
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    name = workload.serve(workload.define("bin/polite"))
    workload.stable(name)

    made = workload.cloud.deploy(scaled(workload, name, queue, lowest=0, highest=2))

    assert made.status == "CREATE_COMPLETE", made.failures
    until(lambda: workload.service(name)["desiredCount"] == 0 and not workload.tasks(name))
    sqs.send_message(QueueUrl=url, MessageBody="work")
    until(lambda: workload.service(name)["runningCount"] == 1)
    sqs.purge_queue(QueueUrl=url)
    until(lambda: workload.service(name)["desiredCount"] == 0)
    workload.cloud.delete(made)
    workload.remove(name)


def test_a_service_is_brought_inside_its_bounds(workload: Workload) -> None:
    name = workload.serve(workload.define("bin/polite"))
    workload.stable(name)
    resources = scaled(workload, name, "none", lowest=2, highest=3)

    made = workload.cloud.deploy({"Target": resources["Target"]})

    assert made.status == "CREATE_COMPLETE", made.failures
    assert workload.stable(name)["desiredCount"] == 2
    workload.cloud.delete(made)
    workload.remove(name)


def through_balancer(workload: Workload, group: str, path: str) -> tuple[int, bytes]:
    """Ask the load balancer of a group by its name: status and body."""
    elb = workload.cloud.client("elbv2")
    name = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["TargetGroupName"]
    balancer = elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["DNSName"]
    request = urllib.request.Request(f"{workload.cloud.emulator.endpoint}{path}", headers={"Host": balancer})
    context = ssl.create_default_context(cafile=str(workload.cloud.emulator.ca_file))
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_load_balancer_of_any_account_answers_by_its_name(workload: Workload, group: str) -> None:
    name = workload.serve(workload.define("bin/web"), loadBalancers=balanced(group))
    workload.stable(name)

    found = through_balancer(workload, group, "/")

    assert found == (200, page(workload.address(workload.tasks(name)[0]), "/"))
    workload.remove(name)


@pytest.mark.parametrize(("delay", "status"), [("30", 200), ("0", 502)])
def test_a_task_is_told_to_stop_a_moment_after_it_left_its_load_balancer_at_most_the_deregistration_delay(
    workload: Workload, group: str, delay: str, status: int
) -> None:
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": delay}
    workload.cloud.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[attribute]
    )
    name = workload.serve(workload.define("bin/web"), loadBalancers=balanced(group))
    workload.stable(name)
    (task,) = workload.tasks(name)
    assert workload.describe(task)["lastStatus"] == "RUNNING"

    with ThreadPoolExecutor(max_workers=1) as pool:
        slow = pool.submit(through_balancer, workload, group, "/slow")
        time.sleep(0.5)  # it is under way; the process ends at once when it is told to
        workload.ecs.update_service(cluster=workload.cluster, service=name, desiredCount=0)

    assert slow.result()[0] == status
    workload.ended(task)
    workload.remove(name)
