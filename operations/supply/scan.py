"""What the registry's own scan found in an image: waited for, with a deadline, and held against the ledger."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from compliance.allowances import Allowance
from config.models import ImageFindings
from operations.supply.image_scans import ImageFinding, ImageScan, rank

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

RUNNING = frozenset({"IN_PROGRESS", "PENDING"})
DONE = frozenset({"COMPLETE", "ACTIVE"})
CONTINUOUS = "ACTIVE"  # of enhanced scanning, which looks again by itself
OLDEST = timedelta(days=7)
"""A scan that is older is made again: what is known of an unchanged image grows."""
ONCE_A_DAY = "LimitExceededException"  # an image may be scanned once in 24 hours; ECR User Guide, Scan images
POLL_SECONDS = 10.0
NOT_HERE = frozenset({"InvalidAction", "UnknownOperationException"})
"""What an emulated registry answers that has no scans."""


def scan(
    ecr: "ECRClient",
    repository: str,
    digest: str,
    *,
    severity: ImageFindings,
    allowances: Sequence[Allowance],
    deadline: float,
    say: Callable[[str], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> ImageScan:
    """Return what the registry's scan found in an image.

    Args:
        ecr: client of the tooling account.
        repository: repository of the image.
        digest: the image.
        severity: what is as bad as this, or worse, blocks.
        allowances: the ledger.
        deadline: seconds to wait for a scan that runs.
        say: told what is waited for.
        now: the time.
        sleep: waits some seconds.
    """
    ends = time.monotonic() + deadline
    renewed = False
    while True:
        status, reason, age, found = _ask(ecr, repository, digest, now())
        if status in DONE:
            old = age is not None and age > OLDEST
            if old and not renewed:
                renewed = True
                old = _start(ecr, repository, digest)
            if not old:
                judged = tuple(_judged(one, severity, allowances, now()) for one in found)
                findings = tuple(sorted(judged, key=lambda one: (rank(one.severity), one.id)))
                return ImageScan(repository=repository, digest=digest, findings=findings, age=age)
            reason = f"its scan is {age.days if age else 0} days old, and is made again"
        elif status and status not in RUNNING:
            return ImageScan(repository=repository, digest=digest, unscanned=reason)
        if time.monotonic() >= ends:
            return ImageScan(
                repository=repository,
                digest=digest,
                unscanned=f"no scan was complete within {deadline:g} s: {reason}",
            )
        say(f"{repository}@{digest}: waiting for the registry's scan ({reason})")
        sleep(POLL_SECONDS)


def _ask(
    ecr: "ECRClient", repository: str, digest: str, now: datetime
) -> tuple[str, str, timedelta | None, Sequence[Mapping[str, str]]]:
    """Return status, reason, age and findings; an empty status while there is no scan."""
    arguments: dict[str, Any] = {"repositoryName": repository, "imageId": {"imageDigest": digest}}
    found: list[Mapping[str, str]] = []
    try:
        while True:
            answer: Mapping[str, Any] = ecr.describe_image_scan_findings(**arguments)
            findings = answer.get("imageScanFindings", {})
            found += [_basic(one) for one in findings.get("findings", ())]
            found += [part for one in findings.get("enhancedFindings", ()) for part in _enhanced(one)]
            if not answer.get("nextToken"):
                break
            arguments["nextToken"] = answer["nextToken"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ScanNotFoundException":
            return "", "there is no scan of it; is scan on push on?", None, ()
        if code in NOT_HERE:
            return "NOT_HERE", "this registry has no scans (a rehearsal's has none)", None, ()
        raise
    status = answer["imageScanStatus"]
    completed = findings.get("imageScanCompletedAt")
    continuous = status["status"] == CONTINUOUS
    age = None if completed is None or continuous else now - completed
    reason = f"{status['status']}: {status.get('description', '')}".rstrip(": ")
    return status["status"], reason, age, found


def _start(ecr: "ECRClient", repository: str, digest: str) -> bool:
    """Start a scan; False where the registry wants to wait until tomorrow."""
    try:
        ecr.start_image_scan(repositoryName=repository, imageId={"imageDigest": digest})
    except ClientError as error:
        if error.response["Error"]["Code"] == ONCE_A_DAY:
            return False
        raise
    return True


def _basic(finding: Mapping[str, Any]) -> Mapping[str, str]:
    attributes = {one["key"]: one.get("value", "") for one in finding.get("attributes", ())}
    return {
        "id": finding["name"],
        "severity": finding["severity"],
        "package": attributes.get("package_name", ""),
        "version": attributes.get("package_version", ""),
        "fix": finding.get("uri", ""),
    }


def _enhanced(finding: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    details = finding.get("packageVulnerabilityDetails", {})
    for package in details.get("vulnerablePackages", [{}]):
        fixed = package.get("fixedInVersion", "")
        yield {
            "id": details.get("vulnerabilityId", finding.get("title", "")),
            "severity": finding.get("severity", "UNTRIAGED"),
            "package": package.get("name", ""),
            "version": package.get("version", ""),
            "fix": f"raise it to {fixed}" if fixed else details.get("sourceUrl", ""),
        }


def _judged(
    finding: Mapping[str, str],
    severity: ImageFindings,
    allowances: Sequence[Allowance],
    now: datetime,
) -> ImageFinding:
    accepted = next(
        (
            one
            for one in allowances
            if one.expires >= now.date() and one.covers("image-finding", [finding["id"]], finding["package"])
        ),
        None,
    )
    serious = severity != "off" and rank(finding["severity"]) <= rank(severity.upper())
    return ImageFinding(**finding, serious=serious, allowance=accepted)
