"""Results for tests: a small one to change, and a large one to measure with."""

from datetime import date
from typing import Any

from compliance.results import (
    Account,
    Cell,
    ComplianceResult,
    Coverage,
    Exposure,
    Pack,
    Problem,
    Row,
    Rule,
    Stack,
    Status,
    Trust,
    WaiverUse,
)

TODAY = date(2026, 11, 27)
WAIVER = WaiverUse(
    rule="AwsSolutions-S1",
    path="Pipeline/Pipeline/Pipeline/ArtifactsBucket/Resource",
    findings=(),
    reason="Build artifacts: every read is an API call that CloudTrail records.",
    owner="platform",
    ticket="SEC-12",
    expires=date(2027, 10, 31),
    covers=1,
)
TRUST = Trust(
    role="acme-dns-delegation-shop-staging",
    account="222222222222",
    resource="SharedServices/Dns/Delegation/Resource",
    stack="SharedServices-Dns",
    principal="arn:aws:iam::333333333333:root",
    kind="account",
    from_account="333333333333",
)
EXPOSURE = Exposure(
    names=("staging.acme.example",),
    kind="load balancer",
    account="333333333333",
    stack="ShopStaging-Web",
    resource="ShopStaging/Web/Balancer/Resource",
    ports="80, 443",
    declared=True,
)
BUCKET = "Pipeline/Pipeline/Pipeline/ArtifactsBucket/Resource"
BALANCER = "ShopStaging/Web/Balancer/Resource"


def row(rule: str, resource: str, stack: str, status: Status = Status.COMPLIANT, **more: Any) -> Row:
    """A row of the pack that the rule's name begins with."""
    pack = "landing-zone" if rule.startswith("LZ-") else "aws-solutions"
    return Row(pack=pack, rule=rule, resource=resource, stack=stack, status=status, **more)


def result(**changes: Any) -> ComplianceResult:
    """A result of two accounts that passes, with a waiver, a rechecked rule, a trust and something public."""
    parts: dict[str, Any] = {
        "organization": "acme",
        "region": "eu-west-1",
        "judged_on": TODAY,
        "passed": True,
        "accounts": (
            Account(name="tooling", id="111111111111"),
            Account(name="staging", id="333333333333", environments=("shop/staging",)),
        ),
        "stacks": (
            Stack(
                name="Pipeline",
                path="Pipeline",
                account="111111111111",
                region="eu-west-1",
                environment="",
                resources=60,
            ),
            Stack(
                name="ShopStaging-Web",
                path="ShopStaging/Web",
                account="333333333333",
                region="eu-west-1",
                environment="shop/staging",
                resources=20,
            ),
        ),
        "packs": (
            Pack(id="aws-solutions", title="AWS Solutions", source="cdk-nag 2.38.2", rules=2),
            Pack(id="landing-zone", title="Rules of this landing zone", source="compliance/rules", rules=1),
        ),
        "rules": (
            Rule(
                id="AwsSolutions-S1",
                pack="aws-solutions",
                level="error",
                text="The S3 Bucket has server access logs disabled.",
                fix="Turn access logs on.",
            ),
            Rule(
                id="AwsSolutions-EC23",
                pack="aws-solutions",
                level="error",
                text="The Security Group allows for 0.0.0.0/0 inbound access.",
                fix="Name the sources.",
            ),
            Rule(
                id="LZ-NET-1",
                pack="landing-zone",
                level="error",
                text="Only the load balancer takes connections from everywhere.",
                fix="Name a security group as the source.",
            ),
        ),
        "waivers": (WAIVER,),
        "rows": (
            row("AwsSolutions-S1", BUCKET, "Pipeline", Status.WAIVED, waiver=0),
            row("AwsSolutions-EC23", BALANCER, "ShopStaging-Web", Status.RECHECKED, rechecked_by="LZ-NET-1"),
            row("LZ-NET-1", BALANCER, "ShopStaging-Web"),
        ),
        "coverage": (
            Cell(
                pack="aws-solutions",
                stack="Pipeline",
                coverage=Coverage.EVALUATED,
                resources=1,
                rules=1,
                rows=1,
            ),
            Cell(
                pack="aws-solutions",
                stack="ShopStaging-Web",
                coverage=Coverage.EVALUATED,
                resources=1,
                rules=1,
                rows=1,
            ),
            Cell(pack="landing-zone", stack="Pipeline", coverage=Coverage.NOTHING_TO_JUDGE),
            Cell(
                pack="landing-zone",
                stack="ShopStaging-Web",
                coverage=Coverage.EVALUATED,
                resources=1,
                rules=1,
                rows=1,
            ),
        ),
        "trust": (TRUST,),
        "exposures": (EXPOSURE,),
        "problems": (),
        "warnings": (),
    }
    return ComplianceResult(**{**parts, **changes})


def problem(where: str = "Pipeline", text: str = "no report") -> Problem:
    """A problem."""
    return Problem(where=where, problem=text, fix="look")
