"""What the packet says of a release: from two templates, two lists of migrations and two lists of waivers."""

from typing import Any

import pytest

from compliance.results import Cell, ComplianceResult, Coverage, Status
from config import Configuration
from operations.packet.make import Candidate, make_packet, running_digest
from operations.packet.model import Packet
from operations.packet.page import page
from operations.packet.words import summary
from operations.releases.judged import Baseline
from tests.compliance.results import EXPOSURE, TRUST, row
from tests.operations.packet.releases import (
    ACCOUNT,
    BREAKS,
    BUCKET,
    DIGEST,
    LOCKS,
    NOW,
    OTHER_COMMIT,
    OTHER_DIGEST,
    OWN_CODE,
    PRODUCTION,
    STACK,
    assembled,
    deployed,
    judged,
    migration,
    migrations,
    packet,
    record,
)
from tests.operations.packet.templates import resource, template

PLAIN = template(Bucket=resource("S3::Bucket", {"BucketName": "photos"}))
RENAMED = template(Bucket=resource("S3::Bucket", {"BucketName": "pictures"}))


def _statement(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return resource(
        "IAM::Policy",
        {"PolicyName": "p", "Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [statement]}},
    )


def _highlights(found: Packet) -> list[tuple[str, str]]:
    return [(one.kind, one.where) for one in found.highlights]


def test_an_empty_change_says_so() -> None:
    found = packet(PLAIN, PLAIN)
    assert found.is_empty
    assert not found.highlights
    assert [stack.fate for stack in found.stacks] == ["unchanged"]
    assert summary(found).startswith("Empty change")


def test_notes_for_tools_alone_are_an_empty_change() -> None:
    noted = resource("S3::Bucket", {"BucketName": "photos"}, Metadata={"cdk_nag": "other words"})
    assert packet(PLAIN, template(Bucket=noted)).is_empty


def test_a_replaced_bucket_stops_the_release() -> None:
    found = packet(PLAIN, RENAMED)
    (one,) = found.blocked
    assert (one.kind, one.where) == ("data", f"{PRODUCTION}-Media/Bucket: replace")
    assert one.fix
    assert summary(found).startswith("STOPPED: 1 change would lose something")


def test_a_replaced_bucket_that_is_acknowledged_is_shown_with_its_reason() -> None:
    change = f"{PRODUCTION}-Media/Bucket: replace"
    found = packet(PLAIN, RENAMED, acknowledged={change: "The photos were copied."})
    assert not found.blocked
    assert [(one.where, one.acknowledged) for one in found.highlights] == [
        (change, "The photos were copied.")
    ]


def test_acknowledgements_of_other_environments_are_not_this_ones_business() -> None:
    entries = {
        "MyDjangoAppStaging-Media: remove": "It is another one.",
        f"{PRODUCTION}-Web: remove": "It is this one.",
    }
    (warning,) = packet(PLAIN, PLAIN, acknowledged=entries).warnings
    assert warning.startswith(f"{PRODUCTION}-Web: remove: acknowledged, and nothing")


def test_a_stack_that_the_assembly_has_no_more_stops_the_release() -> None:
    found = packet(PLAIN, PLAIN, more=(deployed(PLAIN, "Former"),))
    assert [one.where for one in found.blocked] == [f"{PRODUCTION}-Former: remove"]
    assert [stack.fate for stack in found.stacks] == ["unchanged", "left behind"]


@pytest.mark.parametrize("state", ["UPDATE_ROLLBACK_FAILED", "ROLLBACK_COMPLETE"])
def test_a_stack_that_cannot_be_updated_stops_the_release(state: str) -> None:
    found = packet(PLAIN, PLAIN, state=state)
    (one,) = found.blocked
    assert state in one.what
    assert ACCOUNT in one.fix
    assert summary(found) == f"STOPPED: 1 stack cannot be updated: {PRODUCTION}-Media"
    assert "lose" not in page(found), "nothing is lost: CloudFormation would refuse it"


def test_what_would_be_lost_and_what_cannot_be_updated_are_counted_apart() -> None:
    found = packet(PLAIN, RENAMED, state="UPDATE_ROLLBACK_FAILED")
    assert summary(found) == (
        f"STOPPED: 1 change would lose something, 1 stack cannot be updated: {PRODUCTION}-Media/Bucket: replace"
    )


def test_a_new_stack_is_said_to_be_new_and_its_permissions_are_counted() -> None:
    found = packet(None, template(Policy=_statement("s3:*")))
    assert [stack.fate for stack in found.stacks] == ["new"]
    assert [one.what for one in found.highlights] == ["the stack is new and brings 1 permission"]
    assert not found.blocked


def test_new_stacks_are_counted_in_one_line_and_what_their_resources_do_alike_is_said_once() -> None:
    way = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw"}
    first = template(
        Policy=_statement("s3:*"),
        One=resource("EC2::Route", way),
        Two=resource("EC2::Route", way),
        Gateway=resource("EC2::InternetGateway", {}),
    )
    stacks = [assembled(first), assembled(template(Other=_statement("sqs:*")), "Queues")]
    found = packet(None, None, stacks=stacks)
    assert [(one.kind, one.where, one.what) for one in found.highlights] == [
        ("access", "2 new stacks", "they bring 2 permissions (Media 1, Queues 1)"),
        (
            "network",
            f"{PRODUCTION}-Media",
            "One, Two: a way to 0.0.0.0/0 through GatewayId; Gateway a new way to the internet",
        ),
    ]


def test_a_broader_permission_is_called_out_and_a_narrower_one_is_not() -> None:
    narrow, broad = template(Policy=_statement("s3:Get*")), template(Policy=_statement("s3:*"))
    (one,) = packet(narrow, broad).highlights
    assert (one.kind, one.where) == ("access", f"{PRODUCTION}-Media")
    assert one.what == "permissions broaden: Allow s3:* on * for AWS:${Role}"
    bounded = _statement("s3:*")
    (statement,) = bounded["Properties"]["PolicyDocument"]["Statement"]
    statement["Condition"] = {"ArnEquals": {"ecs:cluster": "mine"}}
    (one,) = packet(narrow, template(Policy=bounded)).highlights
    assert one.what == (
        'permissions broaden: Allow s3:* on * for AWS:${Role} where "ArnEquals": { "ecs:cluster": "mine" }'
    ), "without its condition it would look wider than it is"
    both = template(One=_statement("s3:Get*"), Two=_statement("s3:Put*"))
    assert not packet(both, template(One=_statement("s3:Get*"))).highlights


def test_a_security_group_that_opens_is_called_out() -> None:
    rule = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    closed = template(Group=resource("EC2::SecurityGroup", {"GroupDescription": "x"}))
    opened = template(
        Group=resource("EC2::SecurityGroup", {"GroupDescription": "x", "SecurityGroupIngress": [rule]})
    )
    (one,) = packet(closed, opened).highlights
    assert (one.kind, one.what) == ("network", "security groups open: from Everyone (IPv4), TCP 22")


def test_another_network_stops_the_release_and_what_goes_with_it_is_counted() -> None:
    def network(block: str) -> dict[str, Any]:
        vpc = resource("EC2::VPC", {"CidrBlock": block})
        subnets = {
            name: resource("EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": block})
            for name in ("A", "B")
        }
        return template(Vpc=vpc, **subnets)

    found = packet(network("10.1.0.0/20"), network("10.2.0.0/20"))
    assert [one.where for one in found.blocked] == [f"{PRODUCTION}-Media/Vpc: replace"]
    assert [one.what for one in found.highlights if one.kind == "replacement"] == [
        "removed or replaced: 2 AWS::EC2::Subnet"
    ]


def test_a_new_revision_of_a_task_definition_is_nothing_to_worry_about() -> None:
    before = template(Web=resource("ECS::TaskDefinition", {"Cpu": "256"}))
    after = template(Web=resource("ECS::TaskDefinition", {"Cpu": "512"}))
    found = packet(before, after)
    assert not found.highlights
    assert [stack.fate for stack in found.stacks] == ["changed"]


def test_pending_migrations_are_those_that_the_last_release_had_not() -> None:
    found = packet(PLAIN, PLAIN, migrations=migrations(migration("0001"), migration("0002")))
    assert [one.key for one in found.database.pending] == ["notes.0002"]
    assert not found.highlights
    assert not found.is_empty


def test_migrations_that_contract_or_cannot_be_judged_or_undone_are_called_out() -> None:
    pending = (
        migration("0001"),
        migration("0002", LOCKS),
        migration("0003", BREAKS),
        migration("0004", OWN_CODE, atomic=False),
    )
    found = packet(PLAIN, PLAIN, migrations=migrations(*pending), digest=OTHER_DIGEST)
    assert [(one.where, one.what.partition(":")[0]) for one in found.highlights] == [
        ("notes.0002", "locks"),
        ("notes.0003", "breaks the version before"),
        ("notes.0004", "cannot be judged"),
        ("notes.0004", "is not atomic"),
    ]
    assert "comes with other code" in found.highlights[1].what
    (same_code,) = packet(PLAIN, PLAIN, migrations=migrations(migration("0002", BREAKS))).highlights
    assert "comes with other code" not in same_code.what


@pytest.mark.parametrize(
    ("last", "found", "problem"),
    [
        (record(), None, "the image was not asked"),
        (record(), migrations(inspected=False, problem="it does not start"), "it does not start"),
        (record(applied=None), migrations(), "the last release does not say"),
    ],
)
def test_migrations_that_are_not_known_are_no_empty_change(last: Any, found: Any, problem: str) -> None:
    result = packet(PLAIN, PLAIN, last=last, migrations=found)
    assert not result.is_empty
    assert not result.database.known
    assert problem in result.highlights[0].what


def test_a_first_release_has_nothing_before_it(configuration: Configuration) -> None:
    candidate = Candidate(
        stacks=[assembled(PLAIN), assembled(PLAIN, stage="MyDjangoAppStaging")],
        digest=OTHER_DIGEST,
        revision=None,
        migrations=migrations(migration("0001")),
        judged=judged("AwsSolutions-S1"),
    )
    found = make_packet(
        configuration,
        configuration.find_stage("production"),
        candidate=candidate,
        deployed=(),
        record=None,
        baseline=Baseline(None, "no release was recorded yet"),
        now=NOW,
    )
    assert [stack.name for stack in found.stacks] == [f"{PRODUCTION}-Media"]
    assert found.previous is None
    assert found.image.before is None
    assert [one.key for one in found.database.pending] == ["notes.0001"]
    assert found.compliance.judged_before is None
    assert found.compliance.change is None, "all would be new"


def test_findings_that_are_accepted_now_and_were_not_before_are_to_be_decided() -> None:
    found = packet(
        PLAIN,
        PLAIN,
        baseline=Baseline(judged("AwsSolutions-S1")),
        judged=judged("AwsSolutions-S1", "AwsSolutions-S10"),
    )
    assert found.compliance.change is not None
    assert [one.after.rule for one in found.compliance.change.weaker if one.after] == ["AwsSolutions-S10"]
    assert not found.compliance.change.settled
    assert not found.is_empty
    (one,) = found.highlights
    assert (one.kind, one.blocks) == ("compliance", False)
    assert one.what.endswith(f"(1): AwsSolutions-S10 on {BUCKET}")
    assert summary(found).endswith("LOOK AT compliance.")


def test_findings_that_are_gone_are_settled_and_nothing_to_look_at() -> None:
    found = packet(PLAIN, PLAIN, baseline=Baseline(judged("AwsSolutions-S1")))
    assert found.compliance.change is not None
    assert [one.before.rule for one in found.compliance.change.settled if one.before] == ["AwsSolutions-S1"]
    assert not found.highlights
    assert not found.is_empty


def test_what_becomes_public_and_who_may_assume_more_are_called_out() -> None:
    exposure = EXPOSURE.model_copy(update={"account": ACCOUNT, "stack": STACK.name})
    trust = TRUST.model_copy(update={"account": ACCOUNT, "stack": STACK.name, "from_account": "9" * 12})
    own = trust.model_copy(update={"from_account": ACCOUNT, "role": "Own", "resource": "Own"})
    found = packet(PLAIN, PLAIN, judged=judged(exposures=(exposure,), trust=(trust, own)))
    public, assumed = [one.what for one in found.highlights]
    assert public.startswith("public: load balancer staging.acme.example")
    assert assumed.startswith("other accounts may assume more (1): acme-dns-delegation-shop-staging")


def test_a_pack_that_looks_no_longer_is_called_out() -> None:
    def looked(coverage: Coverage) -> ComplianceResult:
        return judged(coverage=(Cell(pack="nist-800-53-r5", stack=STACK.name, coverage=coverage),))

    found = packet(PLAIN, PLAIN, baseline=Baseline(looked(Coverage.EVALUATED)), judged=looked(Coverage.OFF))
    assert [one.what for one in found.highlights] == [
        f"packs that look no longer (1): nist-800-53-r5 on {STACK.name}"
    ]


def test_what_the_gate_says_of_other_environments_is_not_this_ones_business() -> None:
    elsewhere = row(
        "AwsSolutions-S1", "MyDjangoAppStaging/Media/Bucket/Resource", "Other", Status.NON_COMPLIANT
    )
    mine = judged()
    found = packet(PLAIN, PLAIN, judged=mine.model_copy(update={"rows": (*mine.rows, elsewhere)}))
    assert found.is_empty
    assert found.compliance.open == 0


def test_an_open_finding_is_called_out() -> None:
    bad = row("AwsSolutions-S1", BUCKET, STACK.name, Status.NON_COMPLIANT)
    found = packet(PLAIN, PLAIN, judged=judged(rows=(bad,)))
    assert found.compliance.open == 1
    assert "without a fix or a waiver: 1" in found.highlights[0].what


def test_what_runs_is_what_the_deployed_templates_name_whatever_the_record_says() -> None:
    def runs(*digests: str) -> str | None:
        templates = [
            template(Web=resource("ECS::TaskDefinition", {"Image": f"repo@{one}"})) for one in digests
        ]
        return running_digest([deployed(one, f"Web{number}") for number, one in enumerate(templates)])

    assert runs(OTHER_DIGEST, OTHER_DIGEST) == OTHER_DIGEST
    assert runs() is None
    assert runs(DIGEST, OTHER_DIGEST) is None, "a release that stopped half-way"
    web = template(Web=resource("ECS::TaskDefinition", {"Image": f"repo@{OTHER_DIGEST}"}))
    assert packet(web, web, digest=OTHER_DIGEST).is_empty


def test_another_image_and_another_commit_are_told_with_where_they_come_from() -> None:
    found = packet(PLAIN, PLAIN, digest=OTHER_DIGEST, commit=OTHER_COMMIT, revision=OTHER_COMMIT)
    assert found.image.differs
    assert found.previous is not None
    assert (found.previous.commit, found.commit) == (record().commit, OTHER_COMMIT)
    assert summary(found) == "no stack changed; another image; no migrations."


def test_the_packet_is_read_as_it_was_written() -> None:
    found = packet(PLAIN, RENAMED, migrations=migrations(migration("0002", BREAKS)))
    assert Packet.model_validate_json(found.model_dump_json()) == found
