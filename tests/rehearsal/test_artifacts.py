"""The artifact bucket of the rehearsed pipeline: an image build keeps its hands off what other steps made."""

import pytest
from botocore.exceptions import ClientError

from config.artifacts import ASSEMBLY, image_steps, output_of
from operations.pipeline_access import PipelineAccess
from operations.pipeline_view import find_pipeline
from rehearsal.checks import Deployed
from tests.rehearsal.released import BUILD_SERVICE

pytestmark = pytest.mark.rehearsal


def places(deployed: Deployed) -> dict[str, tuple[str, str]]:
    """Bucket and key of the artifacts of the last execution, by their names."""
    emulator, tooling = deployed.emulator, deployed.configuration.accounts.tooling
    access = PipelineAccess(
        emulator.client("codepipeline", tooling),
        find_pipeline(emulator.client("cloudformation", tooling)),
        deployed.configuration,
    )
    pages = access.api.get_paginator("list_action_executions").paginate(pipelineName=access.name)
    found: dict[str, tuple[str, str]] = {}
    for page in pages:
        for detail in page["actionExecutionDetails"]:
            for made in detail.get("output", {}).get("outputArtifacts", []):
                where = made["s3location"]
                found.setdefault(made["name"], (where["bucket"], where["key"]))
    return found


def image_build_role(deployed: Deployed, step: str) -> str:
    """ARN of the role that a workload's image build runs with."""
    tooling = deployed.configuration.accounts.tooling
    cloudformation = deployed.emulator.client("cloudformation", tooling)
    listed = cloudformation.get_paginator("list_stack_resources").paginate(StackName="Pipeline")
    (name,) = {
        entry["PhysicalResourceId"]
        for page in listed
        for entry in page["StackResourceSummaries"]
        if entry["ResourceType"] == "AWS::IAM::Role"
        and f"Build{step.replace('-', '')}Role" in entry["LogicalResourceId"]
    }
    return f"arn:aws:iam::{tooling}:role/{name}"


def test_an_image_build_is_refused_what_other_steps_made_and_still_does_its_own_work(
    deployed: Deployed,
) -> None:
    """Its own work it did: that execution released the organization."""
    (step,) = image_steps(deployed.configuration.workloads).values()
    where = places(deployed)
    tooling = deployed.configuration.accounts.tooling
    role = image_build_role(deployed, step)
    s3 = deployed.emulator.client(
        "s3", tooling, credentials=deployed.emulator.service_session(role, BUILD_SERVICE)
    )
    own_bucket, own_key = where[output_of(step)]
    content = (
        deployed.emulator.client("s3", tooling).get_object(Bucket=own_bucket, Key=own_key)["Body"].read()
    )
    s3.put_object(Bucket=own_bucket, Key=own_key, Body=content)

    others = {name: place for name, place in where.items() if name != output_of(step)}
    assert ASSEMBLY in others
    for bucket, key in others.values():
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"exchanged")
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=where[ASSEMBLY][0], Key=where[ASSEMBLY][1])
