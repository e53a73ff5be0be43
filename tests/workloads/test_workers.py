"""Celery: queue and dead letters, workers that follow the backlog, and one beat."""

import pytest

from config import Configuration
from tests import documents
from tests.assembly import Assembly, Stack
from tests.conftest import Synthesize
from tests.workloads.tasks import container, service, variables
from workloads.django.queues import visibility_seconds

STAGES = [documents.STAGING, documents.PRODUCTION]


@pytest.fixture(params=STAGES)
def workers(organization: Assembly, request: pytest.FixtureRequest) -> Stack:
    """The workers' stack of each environment."""
    return organization[f"{request.param}-Workers"]


@pytest.mark.parametrize(("timeout", "visibility"), [(30, 93), (900, 1050), (3600, 4020), (39_600, 43_200)])
def test_a_message_stays_hidden_longer_than_the_longest_task(timeout: int, visibility: int) -> None:
    assert visibility_seconds(timeout) == visibility > timeout
    assert visibility <= 43_200, "the limit of SQS"


def test_the_queue_and_the_workers_agree_on_the_time(
    organization: Assembly, configuration: Configuration
) -> None:
    for stage in configuration.stages():
        seconds = visibility_seconds(stage.environment.worker.task_timeout_seconds)
        queue = organization[f"{stage.stage_name}-Queues"].resource("AWS::SQS::Queue", "Queue4")
        assert queue.get("VisibilityTimeout") == seconds
        found = variables(organization, stage.stage_name, "Worker")
        assert found["CELERY_VISIBILITY_TIMEOUT"] == str(seconds)


def test_what_no_worker_can_finish_is_kept_for_a_person(organization: Assembly, workers: Stack) -> None:
    queues = organization[f"{workers.stage}-Queues"]
    queue, letters = (queues.resource("AWS::SQS::Queue", name) for name in ("Queue4", "DeadLetters"))
    redrive = queue.get("RedrivePolicy")
    assert redrive["maxReceiveCount"] == 3
    assert queues.text(redrive["deadLetterTargetArn"]) == f"${{{queues.name}/{letters.logical_id}.Arn}}"
    assert letters.get("MessageRetentionPeriod") == 14 * 24 * 3600
    assert letters.get("RedrivePolicy") is None


def _alarms(workers: Stack) -> dict[str, tuple[str, float]]:
    """Map each scaling policy's logical id to the comparison and the threshold that trigger it."""
    return {
        action["Ref"]: (alarm.get("ComparisonOperator"), alarm.get("Threshold"))
        for alarm in workers.resources("AWS::CloudWatch::Alarm")
        for action in alarm.get("AlarmActions")
    }


def test_workers_are_scaled_by_one_rule_on_the_backlog(workers: Stack) -> None:
    policies = workers.resources("AWS::ApplicationAutoScaling::ScalingPolicy")
    assert {policy.get("PolicyType") for policy in policies} == {"StepScaling"}, "none on the processor"
    assert len(policies) == 2, "the two halves of one rule: more, and fewer"
    assert set(_alarms(workers)) == {policy.logical_id for policy in policies}
    assert len(workers.resources("AWS::ApplicationAutoScaling::ScalableTarget")) == 1


def _steps(workers: Stack, direction: str) -> list[tuple[float | None, float | None, int]]:
    policy = workers.resource("AWS::ApplicationAutoScaling::ScalingPolicy", f"{direction}Policy")
    return [
        (
            step.get("MetricIntervalLowerBound"),
            step.get("MetricIntervalUpperBound"),
            step["ScalingAdjustment"],
        )
        for step in policy.get("StepScalingPolicyConfiguration", "StepAdjustments")
    ]


def test_workers_are_added_by_backlog_and_leave_only_when_there_is_nothing_to_do(workers: Stack) -> None:
    alarms = {("Lower" if "Lower" in key else "Upper"): value for key, value in _alarms(workers).items()}
    assert alarms == {
        "Lower": ("LessThanOrEqualToThreshold", 0.01),
        "Upper": ("GreaterThanOrEqualToThreshold", 10),
    }
    assert _steps(workers, "Lower") == [(None, 0, -1)]
    assert _steps(workers, "Upper") == [(0, 40, 1), (40, None, 2)], "bounds are relative to the threshold"


def _expression(workers: Stack) -> str:
    (text,) = {
        metric["Expression"]
        for alarm in workers.resources("AWS::CloudWatch::Alarm")
        for metric in alarm.get("Metrics")
        if "Expression" in metric
    }
    return str(text)


def _backlog(expression: str, **metrics: int) -> float:
    """Evaluate the metric as CloudWatch does: both sides of an IF, so that neither may divide by zero."""
    names = {
        "choose": lambda condition, yes, no: yes if condition else no,
        "FILL": lambda value, _: value,
        **metrics,
    }
    return float(eval(expression.replace("IF(", "choose("), {"__builtins__": {}}, names))  # noqa: S307


@pytest.mark.parametrize(
    ("waiting", "working", "running", "backlog"),
    [(0, 0, 0, 0), (1, 0, 0, 10), (0, 0, 2, 0), (5, 1, 2, 3), (40, 0, 4, 10), (0, 1, 4, 0.25)],
)
def test_the_backlog_counts_waiting_and_working_per_worker_and_wakes_a_service_at_zero(
    workers: Stack, waiting: int, working: int, running: int, backlog: float
) -> None:
    assert _backlog(_expression(workers), waiting=waiting, working=working, running=running) == backlog


def test_the_backlog_is_that_of_the_own_queue_and_service(workers: Stack) -> None:
    for alarm in workers.resources("AWS::CloudWatch::Alarm"):
        metrics = {
            metric["Id"]: metric["MetricStat"] for metric in alarm.get("Metrics") if "MetricStat" in metric
        }
        names = {key: metric["Metric"]["MetricName"] for key, metric in metrics.items()}
        assert names == {
            "waiting": "ApproximateNumberOfMessagesVisible",
            "working": "ApproximateNumberOfMessagesNotVisible",
            "running": "RunningTaskCount",
        }
        dimensions = {
            each["Name"]: workers.text(each["Value"])
            for metric in metrics.values()
            for each in metric["Metric"]["Dimensions"]
        }
        worker = service(workers, "Worker")
        assert dimensions["QueueName"].startswith(f"${{{workers.stage}-Queues/Queue")
        assert dimensions["ClusterName"].startswith(f"${{{workers.stage}-Network/Cluster")
        assert dimensions["ServiceName"] == f"${{{workers.name}/{worker.logical_id}.Name}}"
        assert {metric["Period"] for metric in metrics.values()} == {60}


@pytest.mark.parametrize(("stage", "limits"), [(documents.STAGING, (0, 2)), (documents.PRODUCTION, (2, 6))])
def test_the_number_of_workers_stays_within_the_configured_limits(
    organization: Assembly, stage: str, limits: tuple[int, int]
) -> None:
    target = organization[f"{stage}-Workers"].resource("AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target.get("MinCapacity"), target.get("MaxCapacity")) == limits


def test_a_deployment_leaves_the_number_of_workers_to_the_scaling(workers: Stack) -> None:
    worker = service(workers, "Worker")
    assert worker.get("DesiredCount") is None
    deployment = worker.get("DeploymentConfiguration")
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)


def test_there_is_never_more_than_one_beat(workers: Stack) -> None:
    beat = service(workers, "Beat")
    assert beat.get("DesiredCount") == 1
    deployment = beat.get("DeploymentConfiguration")
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100)
    assert beat.get("AvailabilityZoneRebalancing") == "DISABLED"
    targets = workers.resources("AWS::ApplicationAutoScaling::ScalableTarget")
    assert not [target for target in targets if beat.logical_id in target.text("ResourceId")]


@pytest.mark.parametrize(
    ("stage", "provider"), [(documents.STAGING, "FARGATE_SPOT"), (documents.PRODUCTION, "FARGATE")]
)
def test_workers_run_on_spot_where_it_is_configured(
    organization: Assembly, stage: str, provider: str
) -> None:
    for process in ("Worker", "Beat"):
        found = service(organization[f"{stage}-Workers"], process)
        assert found.get("CapacityProviderStrategy") == [{"CapacityProvider": provider, "Weight": 1}]
        assert found.get("LaunchType") is None


def test_nobody_can_reach_a_worker(workers: Stack) -> None:
    for process in ("Worker", "Beat"):
        network = service(workers, process).get("NetworkConfiguration", "AwsvpcConfiguration")
        assert network["AssignPublicIp"] == "DISABLED"
        assert all("/VpcPrivateSubnet" in workers.text(subnet) for subnet in network["Subnets"])
        assert ["/SecurityGroupsWorkers" in workers.text(group) for group in network["SecurityGroups"]] == [
            True
        ]


def test_a_person_can_open_a_shell_in_a_worker(workers: Stack) -> None:
    for process in ("Worker", "Beat"):
        assert service(workers, process).get("EnableExecuteCommand") is True


def test_processes_run_the_configured_commands(organization: Assembly, synthesize: Synthesize) -> None:
    assert container(organization, documents.STAGING, "Worker")["Command"] == ["bin/worker"]
    assert container(organization, documents.STAGING, "Beat")["Command"] == ["bin/beat"]
    assert container(organization, documents.STAGING, "Release")["Command"] == ["bin/release"]
    other = synthesize(documents.tuned())
    assert container(other, documents.STAGING, "Worker")["Command"] == ["celery", "worker"]
    assert len(other[f"{documents.STAGING}-Workers"].resources("AWS::ECS::Service")) == 1
