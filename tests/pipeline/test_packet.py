"""The approval packet's step: what it may do, when it runs, and how the approver gets to what it made."""

import pytest

from compliance.policies import identity_statements
from tests import documents
from tests.assembly import Assembly
from tests.conftest import Synthesize
from tests.pipeline.actions import Action, actions, commands, environment_of, role_of

STAGE = documents.PRODUCTION
BUCKET = "arn:aws:s3:::acme-releases-111111111111-eu-west-1"
NAMESPACE = f"{STAGE}@Packet-{STAGE}"


@pytest.fixture(scope="module")
def production(organization: Assembly) -> dict[str, Action]:
    return actions(organization, STAGE)


def test_the_packet_is_made_after_the_refusal_and_before_the_question(production: dict[str, Action]) -> None:
    names = [f"RefusePlaceholder-{STAGE}", f"Packet-{STAGE}", f"Approve-{STAGE}"]
    assert [production[name].order for name in names] == [1, 2, 3]
    assert all(action.order > 3 for action in production.values() if action.category == "Deploy")


def test_where_nobody_is_asked_no_packet_is_made(organization: Assembly, synthesize: Synthesize) -> None:
    assert not [name for name in actions(organization, documents.STAGING) if name.startswith("Packet")]
    asked = actions(synthesize(documents.bare()), documents.STAGING)
    assert [name for name in asked if name.startswith("Packet")] == [f"Packet-{documents.STAGING}"]


def test_the_packet_is_made_of_the_assembly_and_of_what_the_build_found(
    organization: Assembly, production: dict[str, Action]
) -> None:
    packet = production[f"Packet-{STAGE}"]
    *linking, scan, make, summary = commands(organization, packet)
    assert scan == (
        "./lz image-scan --environment my-django-app/production --assembly assembly "
        "--output packet/image-scan.json"
    )
    assert make == (
        "./lz packet --environment my-django-app/production --assembly assembly --images images "
        "--scan packet/image-scan.json --output packet --publish"
    )
    assert summary == 'export PACKET_SUMMARY="$(cat packet/summary.txt)"'
    assert "images/my-django-app" in " ".join(linking)
    assert [artifact["Name"] for artifact in packet.body["InputArtifacts"]] == [
        "acme_landing_zone_Source",
        "Synth_Output",
        "Image_my_django_app_Output",
    ]
    assert len(packet.body["OutputArtifacts"]) == 1


def test_the_console_shows_the_summary_and_links_to_the_packet_of_this_execution(
    organization: Assembly, production: dict[str, Action]
) -> None:
    packet, approval = production[f"Packet-{STAGE}"], production[f"Approve-{STAGE}"]
    assert packet.body["Namespace"] == NAMESPACE
    assert environment_of(organization, packet)["exported-variables"] == ["PACKET_SUMMARY"]
    configuration = approval.body["Configuration"]
    assert configuration["CustomData"] == (
        f"my-django-app/production (www.acme.example): #{{{NAMESPACE}.PACKET_SUMMARY}}"
    )
    assert configuration["ExternalEntityLink"] == (
        "https://eu-west-1.console.aws.amazon.com/s3/object/acme-releases-111111111111-eu-west-1?region=eu-west-1"
        f"&prefix=packets/{STAGE}/#{{codepipeline.PipelineExecutionId}}/packet.html"
    )


def test_the_step_reads_its_account_with_the_look_up_role_and_writes_nothing_but_packets(
    organization: Assembly, production: dict[str, Action]
) -> None:
    role = role_of(organization, production[f"Packet-{STAGE}"])
    found = {
        each.actions: (each.resources, each.condition)
        for each in identity_statements(role)
        if "acme-releases" in str(each.resources) or "sts:AssumeRole" in each.actions
    }
    roles = [
        f"arn:aws:iam::444444444444:role/cdk-hnb659fds-lookup-role-444444444444-{region}"
        for region in ("eu-west-1", "us-east-1")
    ]
    assert found == {
        ("sts:AssumeRole",): (tuple(roles), {}),
        ("s3:GetObject",): ((f"{BUCKET}/{STAGE}/*",), {}),
        ("s3:ListBucket",): ((BUCKET,), {"StringLike": {"s3:prefix": f"{STAGE}/*"}}),
        ("s3:PutObject",): ((f"{BUCKET}/packets/{STAGE}/*",), {}),
    }


def test_the_step_asks_for_the_scan_of_its_own_image_alone(
    organization: Assembly, production: dict[str, Action]
) -> None:
    role = role_of(organization, production[f"Packet-{STAGE}"])
    found = [
        (each.actions, each.resources)
        for each in identity_statements(role)
        if each.actions[0].startswith("ecr:")
    ]
    repository = "arn:aws:ecr:eu-west-1:111111111111:repository/acme/my-django-app"
    assert found == [(("ecr:DescribeImageScanFindings", "ecr:StartImageScan"), (repository,))]


def test_synthesis_reads_the_templates_of_earlier_releases_and_no_record(organization: Assembly) -> None:
    role = role_of(organization, actions(organization, "Build")["Synth"])
    found = {
        each.actions: (each.resources, each.condition)
        for each in identity_statements(role)
        if "acme-releases" in str(each.resources)
    }
    assert found == {
        ("s3:ListBucket",): ((BUCKET,), {}),
        ("s3:GetObject",): ((f"{BUCKET}/*/templates.json.gz",), {}),
    }
