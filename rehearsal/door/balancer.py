"""An Application Load Balancer and one of its listeners, as the API describes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.door.certificates import Certificate, issued
from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps

IDLE_SECONDS = 60.0  # idle_timeout.timeout_seconds, unless the attribute says otherwise


@dataclass(frozen=True)
class Balancer:
    """A load balancer and one of its listeners.

    Args:
        account: its account.
        region: its region.
        name: its DNS name.
        attributes: key -> value.
        listener: the listener, as the API describes it.
        rules: the listener's rules.
        certificates: the listener's; the first is the default.
    """

    account: str
    region: str
    name: str
    attributes: Mapping[str, str]
    listener: Mapping[str, Any]
    rules: Sequence[Mapping[str, Any]]
    certificates: tuple[Certificate, ...]

    @property
    def is_secure(self) -> bool:
        """Whether the listener speaks TLS."""
        return bool(self.listener["Protocol"] == "HTTPS")

    @property
    def idle_seconds(self) -> float:
        """How long a connection may be silent."""
        return float(self.attributes.get("idle_timeout.timeout_seconds", IDLE_SECONDS))


async def find(look_ups: LookUps, name: str, port: int) -> Balancer:
    """Find the load balancer of a name, and its listener on a port.

    Args:
        look_ups: the API.
        name: DNS name, as AWS gave it out.
        port: the port that the client asks.

    Raises:
        ChainError: there is none, the world cannot reach it, or a certificate cannot be used.
    """
    region = name.split(".")[-4]
    account, described = await _describe(look_ups, name, region)
    arn = described["LoadBalancerArn"]
    where = f"load balancer {described['LoadBalancerName']} in account {account}"
    if described.get("Scheme") != "internet-facing":
        reason = f"{where} is {described.get('Scheme')}: its name leads to private addresses"
        raise ChainError("load balancer", reason, status=504)
    if described.get("State", {}).get("Code") not in ("active", "active_impaired"):
        raise ChainError("load balancer", f"{where} is {described.get('State', {}).get('Code')}", status=504)
    await _admitted(look_ups, account, region, described, port, where)
    listeners = await look_ups.call(
        "elbv2", account, "describe_listeners", region=region, LoadBalancerArn=arn
    )
    listener = next((one for one in listeners["Listeners"] if int(one["Port"]) == port), None)
    if listener is None:
        ports = ", ".join(str(one["Port"]) for one in listeners["Listeners"]) or "no port at all"
        raise ChainError(
            "listener", f"{where} listens on {ports} and not on {port}: the connection times out"
        )
    attributes = await look_ups.call(
        "elbv2", account, "describe_load_balancer_attributes", region=region, LoadBalancerArn=arn
    )
    rules = await look_ups.call(
        "elbv2", account, "describe_rules", region=region, ListenerArn=listener["ListenerArn"]
    )
    return Balancer(
        account,
        region,
        name,
        {entry["Key"]: entry["Value"] for entry in attributes["Attributes"]},
        listener,
        rules["Rules"],
        await _certificates(look_ups, account, region, listener, where),
    )


async def _describe(look_ups: LookUps, name: str, region: str) -> tuple[str, Mapping[str, Any]]:
    """Find the account that has a load balancer: the world knows its name alone."""
    for account in look_ups.emulator.accounts:
        found = await look_ups.call("elbv2", account, "describe_load_balancers", region=region)
        for described in found["LoadBalancers"]:
            if str(described["DNSName"]).lower() == name:
                return account, described
    raise ChainError("alias", f"no account has a load balancer {name}: the name has no address (NXDOMAIN)")


async def _admitted(
    look_ups: LookUps, account: str, region: str, described: Mapping[str, Any], port: int, where: str
) -> None:
    """Look whether the load balancer's security groups let the world in."""
    wanted = set(described.get("SecurityGroups", []))
    found = await look_ups.call("ec2", account, "describe_security_groups", region=region)
    for group in found["SecurityGroups"]:
        if group["GroupId"] in wanted and any(_admits(rule, port) for rule in group["IpPermissions"]):
            return
    reason = f"no security group of {where} ({', '.join(sorted(wanted))}) admits port {port}: it times out"
    raise ChainError("security group", reason, status=504)


def _admits(rule: Mapping[str, Any], port: int) -> bool:
    """Whether a rule lets somebody outside reach a port."""
    anybody = rule.get("IpRanges") or rule.get("Ipv6Ranges") or rule.get("PrefixListIds")
    if not anybody:
        return False
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and int(rule["FromPort"]) <= port <= int(rule["ToPort"])


async def _certificates(
    look_ups: LookUps, account: str, region: str, listener: Mapping[str, Any], where: str
) -> tuple[Certificate, ...]:
    if listener["Protocol"] != "HTTPS":
        return ()
    arns = [entry["CertificateArn"] for entry in listener.get("Certificates", [])]
    try:
        more = await look_ups.call(
            "elbv2",
            account,
            "describe_listener_certificates",
            region=region,
            ListenerArn=listener["ListenerArn"],
        )
        arns += [entry["CertificateArn"] for entry in more["Certificates"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidAction":  # the emulator's listeners have one each
            raise
    if not arns:
        raise ChainError(
            "certificate", f"the listener on port {listener['Port']} of {where} has no certificate"
        )
    return tuple(
        [
            await issued(look_ups, arn, account=account, region=region, used_by=where)
            for arn in dict.fromkeys(arns)
        ]
    )
