"""The certificates that a listener or a distribution shows, as ACM has them."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps
from rehearsal.door.names import normal


@dataclass(frozen=True)
class Certificate:
    """An issued certificate.

    Args:
        arn: its ARN.
        names: the names it is for; a star stands for one label.
    """

    arn: str
    names: tuple[str, ...]

    def covers(self, name: str) -> bool:
        """Whether a browser accepts it for a name."""
        wanted = normal(name)
        star = f"*.{wanted.partition('.')[2]}"
        return wanted in self.names or star in self.names


async def issued(look_ups: LookUps, arn: str, *, account: str, region: str, used_by: str) -> Certificate:
    """Read a certificate.

    Args:
        look_ups: the API.
        arn: its ARN.
        account: the account it must be in: that of what shows it.
        region: the region it must be in.
        used_by: what shows it, for the message.

    Raises:
        ChainError: it is elsewhere, not there, not issued or expired.
    """
    _, _, _, at, owner, _ = (arn.split(":", 5) + [""] * 6)[:6]
    if (owner, at) != (account, region):
        reason = f"{used_by} names {arn}, which is not in {account} {region}: it could not use it"
        raise ChainError("certificate", reason)
    try:
        found = await look_ups.call("acm", account, "describe_certificate", region=region, CertificateArn=arn)
    except ClientError as error:
        reason = f"{used_by} names {arn}, which does not exist ({error.response['Error']['Code']})"
        raise ChainError("certificate", reason) from error
    described = found["Certificate"]
    if described["Status"] != "ISSUED":
        raise ChainError("certificate", f"{used_by} shows {arn}, which is {described['Status']}")
    expires = described.get("NotAfter")
    if isinstance(expires, datetime.datetime) and expires <= datetime.datetime.now(datetime.UTC):
        raise ChainError("certificate", f"{used_by} shows {arn}, which expired on {expires:%d %B %Y}")
    names = [described["DomainName"], *described.get("SubjectAlternativeNames", [])]
    return Certificate(arn, tuple(dict.fromkeys(map(normal, names))))


def choose(certificates: Sequence[Certificate], name: str | None) -> tuple[Certificate, bool]:
    """Choose by the name that the client asks for (SNI), as a load balancer does.

    Args:
        certificates: what there is; the first is the default.
        name: the name, if the client gave one.

    Returns:
        The certificate, and whether it is one for that name.
    """
    for certificate in certificates:
        if name and certificate.covers(name):
            return certificate, True
    return certificates[0], False
