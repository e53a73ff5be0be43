"""What an approver must not miss of the registry's image scan, and its words."""

from collections.abc import Iterator

from operations.packet.model import Highlight
from operations.packet.words import count, digest, some
from operations.supply.image_scans import ImageFinding, ImageScan, ImageScans

NOT_ASKED = "The registry was not asked. The pipeline asks it before each approval; so does ./lz image-scan."


def scan_concerns(found: ImageScans | None) -> Iterator[Highlight]:
    """Find images that nobody scanned, and serious findings, also where the ledger accepts them.

    A finding that blocks stops the pipeline before it makes a packet; a packet that shows one was made by hand.

    Args:
        found: what the registry said; None if nobody asked.
    """
    for scan in found.scans if found else ():
        where = f"{scan.repository}@{digest(scan.digest)}"
        if scan.unscanned:
            yield Highlight(kind="image", where=where, what=f"it was not scanned: {scan.unscanned}")
        if scan.blocking:
            texts = [f"{one.severity} {one.id} in {one.place}" for one in scan.blocking]
            what = f"{count(len(texts), 'serious finding')} that nobody accepted: {some(texts)}"
            yield Highlight(kind="image", where=where, what=what)
        accepted = [
            f"{one.severity} {one.id} in {one.place} until {one.allowance.expires}"
            for one in scan.accepted
            if one.serious and one.allowance is not None
        ]
        if accepted:
            what = f"{count(len(accepted), 'serious finding')} that the ledger accepts: {some(accepted)}"
            yield Highlight(kind="image", where=where, what=what)


def in_short(found: ImageScans | None) -> str:
    """Say in a few words what the scans are like, the worst first.

    Args:
        found: what the registry said; None if nobody asked.
    """
    if found is None:
        return "not asked"
    if any(scan.unscanned for scan in found.scans):
        return "not scanned"
    blocking = sum(len(scan.blocking) for scan in found.scans)
    accepted = sum(len(scan.accepted) for scan in found.scans)
    if blocking or accepted:
        return ", ".join(f"{n} {word}" for n, word in ((blocking, "blocking"), (accepted, "accepted")) if n)
    return "; ".join(dict.fromkeys(scan.counted for scan in found.scans))


def verdict(scan: ImageScan, severity: str) -> str:
    """Say what was found in an image, by severity, and what of it is serious.

    Args:
        scan: of the image.
        severity: what is as bad as this, or worse, is serious.
    """
    if scan.unscanned:
        return f"Not scanned: {scan.unscanned}."
    age = f" ({scan.scanned})" if scan.scanned else ""
    found = f"{scan.counted[:1].upper()}{scan.counted[1:]}{age}"
    if severity == "off":
        return f"{found}; pipeline.image_findings is off, so nothing blocks."
    serious = sum(one.serious for one in scan.findings)
    accepted = sum(one.serious for one in scan.accepted)
    rest = f", {accepted} of them accepted" if accepted else ""
    return f"{found}; {count(serious, 'finding')} at or above {severity}{rest}."


def why(finding: ImageFinding) -> str:
    """Say why a finding may stay, or what to do about it.

    Args:
        finding: a finding that is shown.
    """
    if finding.allowance is not None:
        return f"accepted: {finding.allowance.because}"
    return f"blocks the approval; fix: {finding.fix or 'none is known'}"
