"""cdk-nag on every stack, the waivers, and the reports that a security review reads."""

from compliance.nag import Compliance
from compliance.waivers import Waiver, WaiverError, read_waivers

__all__ = ["Compliance", "Waiver", "WaiverError", "read_waivers"]
