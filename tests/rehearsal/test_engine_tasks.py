"""Tasks as processes: their environment, their rights, their output and their end."""

import json
import os
import re
import urllib.error
import urllib.request
from ipaddress import ip_address

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.conftest import PRODUCTION, REGION, STAGING
from tests.rehearsal.workload import Workload, processes_of, until

pytestmark = pytest.mark.rehearsal

ECS = {"Service": "ecs-tasks.amazonaws.com"}


def test_a_task_has_exactly_the_environment_that_ecs_gives_it(workload: Workload) -> None:
    assert "HOME" in os.environ
    ended = workload.run("bin/show", environment=[{"name": "DJANGO_ENVIRONMENT", "value": "staging"}])

    assert ended.code == 0
    found = ended.environment
    shell = {"PWD", "SHLVL", "_", "OLDPWD"}  # set by the shell that the script is
    assert found.keys() - shell - {"LD_LIBRARY_PATH"} == {
        "AWS_CA_BUNDLE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_EXECUTION_ENV",
        "AWS_REGION",
        "BIND_HOST",
        "DJANGO_ENVIRONMENT",
        "ECS_CONTAINER_METADATA_URI_V4",
        "HOME",
        "LANG",
        "PATH",
        "TMPDIR",
    }
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == REGION
    assert found["AWS_ENDPOINT_URL"] == workload.cloud.emulator.endpoint
    assert found["AWS_CA_BUNDLE"] == str(workload.cloud.emulator.ca_file)
    assert ip_address(found["BIND_HOST"]).is_loopback
    assert found["HOME"].startswith(str(workload.cloud.emulator.directory))
    # Nothing of whoever rehearses: neither names nor values.
    mine = {
        value for name, value in os.environ.items() if len(value) > 8 and name not in ("PWD", "PATH", "LANG")
    }
    assert not mine & set(found.values())


def test_a_task_has_the_credentials_of_its_role_and_says_who_it_is(workload: Workload) -> None:
    ended = workload.run("bin/credentials")

    assert ended.code == 0, ended.lines
    given = json.loads(ended.lines[0])
    assert given["RoleArn"] == workload.task_role
    keys = {**given, "SessionToken": given["Token"]}
    identity = workload.cloud.client("sts", credentials=keys).get_caller_identity()
    name, task_id = workload.task_role.rpartition("/")[2], ended.task["taskArn"].rpartition("/")[2]
    assert identity["Arn"] == f"arn:aws:sts::{STAGING}:assumed-role/{name}/{task_id}"
    metadata = json.loads(ended.lines[1])
    assert metadata["TaskARN"] == ended.task["taskArn"]
    workload.cloud.client("s3", credentials=keys).list_buckets()
    with pytest.raises(ClientError, match="AccessDenied"):
        workload.cloud.client("sqs", credentials=keys).list_queues()


def test_credentials_need_the_task_s_own_token_and_end_with_the_task(workload: Workload) -> None:
    arn = workload.start(workload.define("bin/polite"))
    until(lambda: "ready" in workload.lines(arn))
    uri = processes_of(workload.address(arn))[0]["AWS_CONTAINER_CREDENTIALS_FULL_URI"]

    assert status_of(uri) == status_of(uri, "another") == 403
    assert status_of(uri[:-1] + ("0" if uri[-1] != "0" else "1")) == 404

    workload.ecs.stop_task(cluster=workload.cluster, task=arn)
    workload.ended(arn)
    until(lambda: status_of(uri) == 404)


def status_of(uri: str, token: str = "") -> int:
    request = urllib.request.Request(uri, headers={"Authorization": token} if token else {})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_task_reaches_its_own_bucket_and_queue_and_no_other_environment_s(workload: Workload) -> None:
    cloud = workload.cloud
    for account, name in ((STAGING, "own-bucket"), (PRODUCTION, "other-bucket")):
        cloud.client("s3", account).create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    own = cloud.client("sqs").create_queue(QueueName="own")["QueueUrl"]
    other = cloud.client("sqs", PRODUCTION).create_queue(QueueName="other")["QueueUrl"]
    role = cloud.role(trust=ECS)
    statements = [
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::own-bucket/*"},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:{REGION}:{STAGING}:own"},
    ]
    cloud.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="own",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    given = json.loads(workload.run("bin/credentials", taskRoleArn=role).lines[0])
    keys = {**given, "SessionToken": given["Token"]}
    s3, sqs = (cloud.client(service, credentials=keys) for service in ("s3", "sqs"))

    s3.put_object(Bucket="own-bucket", Key="a", Body=b"a")
    sqs.send_message(QueueUrl=own, MessageBody="a")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="other-bucket", Key="a", Body=b"a")
    with pytest.raises(ClientError, match=r"AccessDenied|NonExistentQueue"):
        sqs.send_message(QueueUrl=other, MessageBody="a")


def test_secrets_are_read_with_the_execution_role_whole_and_by_key(workload: Workload) -> None:
    cloud = workload.cloud
    user = workload.secret({"username": "django", "password": "p=ß"})
    key = workload.secret("whole")
    cloud.client("ssm").put_parameter(Name="/tests/value", Value="from-ssm", Type="SecureString")
    reader = cloud.role(
        trust=ECS,
        allow=["ecr:*", "logs:*", "secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt"],
    )
    ended = workload.run(
        "bin/show",
        executionRoleArn=reader,
        secrets=[
            {"name": "DATABASE_PASSWORD", "valueFrom": f"{user}:password::"},
            {"name": "KEY", "valueFrom": key},
            {"name": "PARAMETER", "valueFrom": "/tests/value"},
        ],
    )

    assert ended.code == 0
    found = ended.environment
    assert found["DATABASE_PASSWORD"] == "p=ß"
    assert found["KEY"] == "whole"
    assert found["PARAMETER"] == "from-ssm"


def test_a_secret_that_the_execution_role_may_not_read_stops_the_task(workload: Workload) -> None:
    ended = workload.run("bin/show", secrets=[{"name": "KEY", "valueFrom": workload.secret("hidden")}])

    assert ended.code is None
    assert "ResourceInitializationError" in ended.task["stoppedReason"]
    assert "secretsmanager:GetSecretValue" in ended.task["stoppedReason"]
    assert ended.lines == []


def test_an_execution_role_that_may_not_pull_stops_the_task(workload: Workload) -> None:
    ended = workload.run("bin/show", executionRoleArn=workload.cloud.role(trust=ECS, allow=["logs:*"]))

    assert ended.code is None
    assert "CannotPullContainerError" in ended.task["stoppedReason"]


def test_an_execution_role_that_may_not_log_stops_the_task(workload: Workload) -> None:
    ended = workload.run("bin/show", executionRoleArn=workload.cloud.role(trust=ECS, allow=["ecr:*"]))

    assert ended.code is None
    assert "failed to create log stream" in ended.task["stoppedReason"]
    assert "logs:CreateLogStream" in ended.task["stoppedReason"]


def test_a_role_that_does_not_trust_ecs_is_of_no_use(workload: Workload) -> None:
    ended = workload.run("bin/show", executionRoleArn=workload.cloud.role(allow=["*"]))

    assert "ECS was unable to assume the role" in ended.task["stoppedReason"]


@pytest.mark.parametrize("code", [0, 1, 42])
def test_an_exit_code_is_kept(workload: Workload, code: int) -> None:
    ended = workload.run("bin/end", str(code))

    assert ended.code == code
    assert ended.lines == [f"ending with {code}"]
    assert ended.task["stopCode"] == "EssentialContainerExited"


def test_output_is_in_cloudwatch_logs_while_the_task_runs(workload: Workload) -> None:
    arn = workload.start(workload.define("bin/polite"))

    until(lambda: workload.lines(arn) == ["ready"])
    assert workload.describe(arn)["lastStatus"] == "RUNNING"
    workload.ecs.stop_task(cluster=workload.cluster, task=arn, reason="seen enough")
    assert workload.ended(arn).lines == ["ready", "bye"]


def test_stop_gives_a_task_time_and_tells_its_own_exit_code(workload: Workload) -> None:
    arn = workload.start(workload.define("bin/polite", stopTimeout=30))
    until(lambda: workload.lines(arn))

    answered = workload.ecs.stop_task(cluster=workload.cluster, task=arn, reason="seen enough")["task"]

    assert answered["desiredStatus"] == "STOPPED"
    ended = workload.ended(arn)
    assert ended.code == 7
    assert ended.task["stopCode"] == "UserInitiated"
    assert ended.task["stoppedReason"] == "seen enough"


def test_a_task_that_does_not_end_is_killed_with_all_that_it_started(workload: Workload) -> None:
    arn = workload.start(workload.define("bin/stubborn", stopTimeout=1))
    until(lambda: workload.lines(arn))
    address = workload.address(arn)
    assert len(processes_of(address)) >= 2

    workload.ecs.stop_task(cluster=workload.cluster, task=arn)

    assert workload.ended(arn).code == 137
    until(lambda: not processes_of(address))


def test_a_task_that_needs_more_memory_than_it_has_is_killed(workload: Workload) -> None:
    small = workload.run("bin/greedy", memory=128)

    assert small.code == 137
    assert small.task["containers"][0]["reason"].startswith("OutOfMemoryError")


def test_an_override_changes_the_size_of_the_task(workload: Workload) -> None:
    size = {"cpu": "512", "memory": "1024"}
    ended = workload.ended(workload.start(workload.define("bin/end", "0"), overrides=size))
    assert {name: ended.task[name] for name in size} == size

    # Below the definition's 512 MiB, which would do for it. Fargate would not offer so little.
    little = workload.ended(workload.start(workload.define("bin/greedy"), overrides={"memory": "128"}))
    assert little.code == 137


def test_an_override_changes_command_and_environment(workload: Workload) -> None:
    arn = workload.start(
        workload.define(
            "bin/end", "9", environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
        ),
        overrides={
            "containerOverrides": [
                {"name": "main", "command": ["bin/show"], "environment": [{"name": "A", "value": "2"}]}
            ]
        },
    )

    ended = workload.ended(arn)

    assert ended.code == 0
    assert (ended.environment["A"], ended.environment["B"]) == ("2", "1")


def test_an_image_without_a_digest_is_refused(workload: Workload) -> None:
    ended = workload.run("bin/show", image=re.sub("@.*", ":latest", workload.image))

    assert "names no digest" in ended.task["stoppedReason"]


@pytest.mark.parametrize("platform", [{}, {"runtimePlatform": {"cpuArchitecture": "ARM64"}}])
def test_a_digest_that_is_not_in_the_registry_is_refused(
    workload: Workload, platform: dict[str, dict[str, str]]
) -> None:
    missing = re.sub("@.*", f"@sha256:{'1' * 64}", workload.image)
    ended = workload.run("bin/show", image=missing, **platform)

    assert "CannotPullContainerError" in ended.task["stoppedReason"]


def test_a_command_that_does_not_exist_is_told(workload: Workload) -> None:
    ended = workload.run("bin/nothing")

    assert "bin/nothing" in ended.task["stoppedReason"]
