"""What the registry's scan found, in the packet: per image its state, its counts, what blocks and what is accepted."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.allowances import Allowance
from operations.errors import CommandError
from operations.packet.image_scans import in_short
from operations.packet.model import Packet
from operations.packet.page import page
from operations.packet.text import text
from operations.packet.words import summary
from operations.supply.image_scans import ImageFinding, ImageScan, ImageScans, read_scans
from tests.operations.packet.releases import DIGEST, OTHER_DIGEST, packet
from tests.operations.packet.templates import resource, template

PLAIN = template(Bucket=resource("S3::Bucket", {"BucketName": "photos"}))
ALLOWANCE = Allowance(
    kind="image-finding",
    id="CVE-2026-1000",
    packages=("openssl",),
    reason="<b>Not reachable</b>",
    owner="platform",
    ticket="SEC-201",
    expires=date(2027, 1, 1),
)


def finding(id_: str = "CVE-2026-1000", severity: str = "HIGH", **changes: Any) -> ImageFinding:
    plain: dict[str, Any] = {
        "package": "openssl",
        "version": "3.0.1",
        "fix": "raise it to 3.0.2",
        "serious": True,
    }
    return ImageFinding(id=id_, severity=severity, **{**plain, **changes})


def scanned(*findings: ImageFinding, **changes: Any) -> ImageScans:
    plain: dict[str, Any] = {"repository": "acme/my-django-app", "digest": DIGEST, "age": timedelta(days=2)}
    return ImageScans(severity="high", scans=(ImageScan(findings=findings, **{**plain, **changes}),))


def made(scans: ImageScans | None) -> Packet:
    return packet(PLAIN, PLAIN, scans=scans)


def written(found: Packet) -> tuple[str, str]:
    """The page and the text: what one says the other has to say."""
    return page(found), text(found)


def test_a_packet_that_nobody_asked_the_registry_for_says_so() -> None:
    found = made(None)
    assert not found.highlights
    assert in_short(found.scans) == "not asked"
    assert all("The registry was not asked." in content for content in written(found))


def test_an_image_in_which_nothing_was_found_says_so() -> None:
    found = made(scanned())
    assert not found.highlights
    assert in_short(found.scans) == "nothing found"
    for content in written(found):
        assert "Nothing found (scanned 2 days ago); no findings at or above high." in content


def test_mild_findings_are_counted_and_not_listed() -> None:
    mild = [finding(f"CVE-2026-{number}", "LOW", serious=False) for number in range(3)]
    found = made(scanned(finding("CVE-2026-9", "MEDIUM", serious=False), *mild))
    assert not found.highlights
    for content in written(found):
        assert "1 medium, 3 low (scanned 2 days ago); no findings at or above high." in content
        assert "CVE-2026-9" not in content


def test_an_accepted_finding_is_to_be_seen_first_with_its_reason_and_its_last_day() -> None:
    found = made(scanned(finding(allowance=ALLOWANCE)))
    (highlight,) = found.highlights
    assert (highlight.kind, highlight.blocks) == ("image", False)
    assert (
        "1 serious finding that the ledger accepts: HIGH CVE-2026-1000 in openssl 3.0.1 until"
        in highlight.what
    )
    assert "Empty change" in summary(found)
    assert "LOOK AT image scan" in summary(found)
    shown, told = written(found)
    assert "Nothing changes." not in shown
    assert "&lt;b&gt;Not reachable&lt;/b&gt;" in shown
    assert "(platform, SEC-201, until 2027-01-01)" in shown
    assert "accepted: <b>Not reachable</b> (platform, SEC-201, until 2027-01-01)" in told
    assert all("1 finding at or above high, 1 of them accepted." in content for content in (shown, told))


def test_a_mild_finding_that_is_accepted_is_listed_too() -> None:
    found = made(scanned(finding(severity="LOW", serious=False, allowance=ALLOWANCE)))
    assert not found.highlights
    assert all("CVE-2026-1000" in content for content in written(found))


def test_a_finding_that_blocks_says_what_to_do() -> None:
    found = made(scanned(finding(), finding("CVE-2026-2", "CRITICAL", fix="")))
    assert [one.kind for one in found.highlights] == ["image"]
    for content in written(found):
        assert "blocks the approval; fix: raise it to 3.0.2" in content
        assert "blocks the approval; fix: none is known" in content


def test_an_image_without_a_scan_is_to_be_seen_first() -> None:
    found = made(scanned(unscanned="this registry has no scans", age=None))
    assert [one.what for one in found.highlights] == ["it was not scanned: this registry has no scans"]
    assert in_short(found.scans) == "not scanned"
    assert all("Not scanned: this registry has no scans." in content for content in written(found))


def test_where_no_severity_blocks_the_packet_says_so() -> None:
    scans = scanned(finding(serious=False)).model_copy(update={"severity": "off"})
    assert all(
        "pipeline.image_findings is off, so nothing blocks" in content for content in written(made(scans))
    )


def test_the_packets_data_has_the_scan_whole(tmp_path: Path) -> None:
    scans = scanned(finding(allowance=ALLOWANCE), finding("CVE-2026-2", "LOW", serious=False))
    assert Packet.model_validate_json(made(scans).model_dump_json()).scans == scans
    file = tmp_path / "image-scan.json"
    file.write_text(scans.model_dump_json(), encoding="utf-8")
    assert read_scans(file, DIGEST) == scans
    with pytest.raises(CommandError, match="about other images"):
        read_scans(file, OTHER_DIGEST)
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(CommandError, match=r"not what \./lz image-scan --output writes"):
        read_scans(file, DIGEST)
