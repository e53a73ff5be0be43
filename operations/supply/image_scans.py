"""What the registry's scan found in images, as data: the scan gate writes it, the approval packet shows it."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from compliance.allowances import Allowance
from config.models import ImageFindings, Model
from operations.errors import CommandError

# From the worst to the mildest; the registry's basic scan says UNDEFINED and its enhanced one UNTRIAGED of what
# nobody has rated yet.
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED", "UNTRIAGED")


def rank(severity: str) -> int:
    """Return the place of a severity, the worst first; one that nobody knows is as bad as the worst.

    Args:
        severity: as the registry says it.
    """
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


class ImageFinding(Model):
    """One finding of a scan.

    Args:
        id: number of the vulnerability.
        severity: one of `SEVERITIES`.
        package: where it is.
        version: of the package.
        fix: what to do.
        serious: it is as bad as the configured severity, or worse.
        allowance: the entry of the ledger that accepts it; None if nothing does.
    """

    id: str
    severity: str
    package: str
    version: str
    fix: str
    serious: bool = False
    allowance: Allowance | None = None

    @property
    def blocks(self) -> bool:
        """Whether it stops the approval."""
        return self.serious and self.allowance is None

    @property
    def place(self) -> str:
        """The package and its version."""
        return f"{self.package} {self.version}".strip()


class ImageScan(Model):
    """What is known of an image.

    Args:
        repository: its repository.
        digest: its digest.
        findings: what was found, the worst first.
        unscanned: why nothing is known; empty if it was scanned.
        age: how old the scan is; None where it never ends, or is not there.
    """

    repository: str
    digest: str
    findings: tuple[ImageFinding, ...] = ()
    unscanned: str = ""
    age: timedelta | None = None

    @property
    def blocking(self) -> tuple[ImageFinding, ...]:
        """The findings that stop the approval."""
        return tuple(finding for finding in self.findings if finding.blocks)

    @property
    def accepted(self) -> tuple[ImageFinding, ...]:
        """The findings that an entry of the ledger accepts."""
        return tuple(finding for finding in self.findings if finding.allowance is not None)

    @property
    def shown(self) -> tuple[ImageFinding, ...]:
        """The findings that a person has to see: the serious ones, and whatever is accepted."""
        return tuple(finding for finding in self.findings if finding.serious or finding.allowance is not None)

    @property
    def counted(self) -> str:
        """The findings by severity, the worst first: `1 critical, 3 low`."""
        counts = Counter(finding.severity.lower() for finding in self.findings)
        return ", ".join(f"{count} {severity}" for severity, count in counts.items()) or "nothing found"

    @property
    def scanned(self) -> str:
        """When it was scanned, as seen from when the registry was asked; empty where that is not told."""
        if self.age is None:
            return ""
        days = max(self.age.days, 0)
        return f"scanned {'today' if days == 0 else 'a day ago' if days == 1 else f'{days} days ago'}"


class ImageScans(Model):
    """What is known of the images that an environment is about to run.

    Args:
        severity: what is as bad as this, or worse, is serious; `off` where nothing is.
        scans: of each image.
    """

    version: Literal[1] = 1
    severity: ImageFindings
    scans: tuple[ImageScan, ...]


def read_scans(path: Path, digest: str) -> ImageScans:
    """Read what the scan gate wrote.

    Args:
        path: the file.
        digest: the image that would be released; the file has to be about it.

    Raises:
        CommandError: the file cannot be read, or is about other images.
    """
    fix = "run ./lz image-scan --output on the same assembly"
    try:
        found = ImageScans.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        message = f"{path} is not what ./lz image-scan --output writes: {type(error).__name__}"
        raise CommandError(message, fix=fix) from error
    if digest not in {scan.digest for scan in found.scans}:
        message = f"{path} is about other images than {digest}, which would be released"
        raise CommandError(message, fix=fix)
    return found
