"""The registry's scan before an approval: waited for, repeated, and held against the ledger."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from compliance.allowances import Allowance
from config.models import ImageFindings
from operations.supply.image_scans import ImageScan
from operations.supply.scan import scan
from tests.operations.support import scripted

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32
REPOSITORY = "acme/my-django-app"
ASKED = {"repositoryName": REPOSITORY, "imageId": {"imageDigest": DIGEST}}
OPENSSL = {
    "name": "CVE-2026-1000",
    "severity": "HIGH",
    "uri": "https://security.example/CVE-2026-1000",
    "attributes": [{"key": "package_name", "value": "openssl"}, {"key": "package_version", "value": "3.0.1"}],
}
ZLIB = {"name": "CVE-2026-2000", "severity": "MEDIUM"}


def answer(
    status: str, *findings: Mapping[str, Any], age: timedelta = timedelta(hours=1), **more: Any
) -> tuple[str, Any, Any]:
    found = {"findings": list(findings), "imageScanCompletedAt": NOW - age}
    response = {"imageScanStatus": {"status": status}, "imageScanFindings": {**found, **more}}
    return ("describe_image_scan_findings", ASKED, response)


def look(
    *script: Any, severity: ImageFindings = "high", allowances: Sequence[Allowance] = (), deadline: float = 60
) -> ImageScan:
    ecr = scripted("ecr", *script)
    found = scan(
        ecr,
        REPOSITORY,
        DIGEST,
        severity=severity,
        allowances=allowances,
        deadline=deadline,
        say=lambda _: None,
        now=lambda: NOW,
        sleep=lambda _: None,
    )
    ecr.assert_all_asked()
    return found


def accepted(package: str = "openssl", expires: date = date(2027, 1, 1)) -> Allowance:
    return Allowance(
        kind="image-finding",
        id="CVE-2026-1000",
        packages=(package,),
        reason="Not reachable.",
        owner="platform",
        ticket="SEC-201",
        expires=expires,
    )


@pytest.mark.parametrize(
    ("severity", "blocking"),
    [("critical", 0), ("high", 1), ("medium", 2), ("low", 2), ("off", 0)],
)
def test_findings_at_or_above_the_severity_block(severity: ImageFindings, blocking: int) -> None:
    found = look(answer("COMPLETE", ZLIB, OPENSSL), severity=severity)
    assert len(found.blocking) == blocking
    assert [one.id for one in found.findings] == ["CVE-2026-1000", "CVE-2026-2000"]


def test_the_ledger_accepts_a_finding_in_a_package_until_its_day() -> None:
    assert look(answer("COMPLETE", OPENSSL), allowances=[accepted()]).blocking == ()
    assert look(answer("COMPLETE", OPENSSL), allowances=[accepted(package="zlib")]).blocking
    assert look(answer("COMPLETE", OPENSSL), allowances=[accepted(expires=date(2026, 11, 26))]).blocking


def test_a_running_scan_is_waited_for() -> None:
    found = look(
        ("describe_image_scan_findings", ASKED, "ScanNotFoundException"),
        answer("IN_PROGRESS"),
        answer("COMPLETE", OPENSSL),
    )
    assert found.unscanned == ""
    assert len(found.blocking) == 1


def test_the_deadline_ends_the_wait_and_the_image_counts_as_not_scanned() -> None:
    found = look(answer("IN_PROGRESS"), deadline=0)
    assert "no scan was complete within 0 s" in found.unscanned


@pytest.mark.parametrize(
    "status", ["FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED", "FINDINGS_UNAVAILABLE"]
)
def test_any_other_status_counts_as_not_scanned(status: str) -> None:
    assert status in look(answer(status, OPENSSL)).unscanned


def test_all_pages_are_read() -> None:
    name, _, first = answer("COMPLETE", ZLIB)
    second = ("describe_image_scan_findings", {**ASKED, "nextToken": "2"}, answer("COMPLETE", OPENSSL)[2])
    assert len(look((name, ASKED, {**first, "nextToken": "2"}), second).findings) == 2


def test_an_old_scan_is_made_again_and_waited_for() -> None:
    old = answer("COMPLETE", age=timedelta(days=8))
    found = look(
        old, ("start_image_scan", ASKED, {}), old, answer("IN_PROGRESS"), answer("COMPLETE", OPENSSL)
    )
    assert len(found.blocking) == 1


def test_an_old_scan_counts_where_today_no_other_is_allowed() -> None:
    old = answer("COMPLETE", OPENSSL, age=timedelta(days=8))
    found = look(old, ("start_image_scan", ASKED, "LimitExceededException"))
    assert len(found.blocking) == 1
    assert found.age == timedelta(days=8)


def test_enhanced_scanning_is_read_and_never_started_by_hand() -> None:
    finding = {
        "severity": "CRITICAL",
        "title": "CVE-2026-3000 - django",
        "packageVulnerabilityDetails": {
            "vulnerabilityId": "CVE-2026-3000",
            "vulnerablePackages": [{"name": "django", "version": "4.2.0", "fixedInVersion": "4.2.9"}],
        },
    }
    (found,) = look(answer("ACTIVE", age=timedelta(days=90), enhancedFindings=[finding])).blocking
    assert (found.id, found.package, found.fix) == ("CVE-2026-3000", "django", "raise it to 4.2.9")


def test_a_registry_without_scans_counts_as_not_scanned() -> None:
    found = look(("describe_image_scan_findings", ASKED, "InvalidAction"))
    assert "a rehearsal's has none" in found.unscanned


def test_a_severity_that_nobody_knows_blocks() -> None:
    assert look(answer("COMPLETE", {**ZLIB, "severity": "APOCALYPTIC"}), severity="critical").blocking
