"""What is said when a link of the chain from a name to its page does not hold."""

import html
from typing import Literal

Step = Literal[
    "parent zone",
    "delegation",
    "record",
    "alias",
    "load balancer",
    "security group",
    "listener",
    "certificate",
    "rule",
    "target group",
    "target",
    "distribution",
    "behavior",
    "origin",
    "bucket policy",
    "object",
    "outside",
]

STEP_HEADER = b"X-Rehearsal-Step"
REASON_HEADER = b"X-Rehearsal-Reason"


class ChainError(Exception):
    """A link that does not hold.

    Args:
        step: which one.
        reason: what is wrong, with the account and the resource.
        status: HTTP status that a browser would see, or would see of a proxy where there is no connection at all.
    """

    def __init__(self, step: Step, reason: str, *, status: int = 502) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason
        self.status = status

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that programs read."""
        reason = " ".join(self.reason.split()).encode("ascii", "replace")
        return [(STEP_HEADER, self.step.encode()), (REASON_HEADER, reason)]

    def page(self, title: str) -> bytes:
        """The page that people read.

        Args:
            title: what AWS's own page says, such as `503 Service Temporarily Unavailable`.
        """
        return (
            f"<!doctype html><html><head><title>{html.escape(title)}</title></head><body>"
            f"<center><h1>{html.escape(title)}</h1></center><hr>"
            f"<p>The rehearsal stopped at this link of the chain: <strong>{html.escape(self.step)}</strong></p>"
            f"<p>{html.escape(self.reason)}</p></body></html>\n"
        ).encode()
