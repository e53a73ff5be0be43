"""An Application Load Balancer: what the API says about it, and its answers."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from rehearsal.door.balancer_headers import server_header, to_target
from rehearsal.door.certificates import Certificate, issued
from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps
from rehearsal.door.messages import Request, Response, forwardable
from rehearsal.door.rules import first_match, redirect_location
from rehearsal.door.targets import Group, Targets
from rehearsal.door.upstream import Pool, Upstream, UpstreamError

IDLE_SECONDS = 60.0  # idle_timeout.timeout_seconds, unless the attribute says otherwise

_REASONS = {
    400: "400 Bad Request",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


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


class Balancers:
    """Answers requests as load balancers do.

    Args:
        look_ups: the API.
    """

    def __init__(self, look_ups: LookUps) -> None:
        self._targets = Targets(look_ups)
        self._pool = Pool()

    async def answer(self, balancer: Balancer, request: Request) -> Response:
        """Answer a request by the listener's rules.

        Args:
            balancer: the load balancer and its listener.
            request: the request.
        """
        try:
            return await self._act(balancer, request)
        except ChainError as broken:
            page = broken.page(_REASONS.get(broken.status, str(broken.status)))
            return Response.whole(
                broken.status, page, server_header(), (b"Content-Type", b"text/html"), *broken.headers()
            )

    async def _act(self, balancer: Balancer, request: Request) -> Response:
        rule = first_match(balancer.rules, request)
        if rule is None:
            reason = f"no rule of the listener on port {request.port} matches {request.target}"
            raise ChainError("rule", reason, status=503)
        action = max(rule["Actions"], key=lambda one: int(one.get("Order", 1)))
        if action["Type"] == "redirect":
            location = redirect_location(action["RedirectConfig"], request)
            status = int(action["RedirectConfig"]["StatusCode"].removeprefix("HTTP_"))
            return Response.whole(
                status,
                b"",
                server_header(),
                (b"Content-Type", b"text/html"),
                (b"Location", location.encode()),
            )
        if action["Type"] == "fixed-response":
            config = action["FixedResponseConfig"]
            kind = str(config.get("ContentType", "text/plain")).encode()
            content = str(config.get("MessageBody", "")).encode()
            return Response.whole(
                int(config["StatusCode"]), content, server_header(), (b"Content-Type", kind)
            )
        if action["Type"] == "forward":
            group = await self._targets.group(balancer.account, balancer.region, _target_group(action))
            return await self._forward(balancer, group, request)
        reason = f"the rehearsal does not do the action {action['Type']} of rule {rule.get('Priority')}"
        raise ChainError("rule", reason, status=500)

    async def _forward(self, balancer: Balancer, group: Group, request: Request) -> Response:
        """Send a request to a target; a target that refuses the connection costs nothing but the next try."""
        refused: list[str] = []
        for address in self._targets.candidates(group):
            try:
                connection = await self._pool.connect(address, idle_seconds=balancer.idle_seconds)
            except TimeoutError as error:
                reason = (
                    f"target {address[0]}:{address[1]} of {group.name} did not accept a connection in 10 s"
                )
                raise ChainError("target", reason, status=504) from error
            except OSError as error:
                refused.append(f"{address[0]}:{address[1]} ({error.strerror or error})")
                continue
            headers = to_target(balancer.attributes, request)
            try:
                await connection.send(request.method, request.target, headers, request.body)
                answer = await connection.receive(idle_seconds=balancer.idle_seconds)
            except (TimeoutError, UpstreamError) as error:
                connection.close()
                raise _silent(group, address, error, balancer.idle_seconds) from error
            except BaseException:
                connection.close()  # the client has gone
                raise
            body = _Exchange(self._pool, connection, balancer.idle_seconds)
            return Response(answer.status_code, forwardable(list(answer.headers.raw_items())), body)
        reason = f"every target of {group.name} refused the connection: {', '.join(refused)}"
        raise ChainError("target", reason, status=502)

    def close(self) -> None:
        """End the connections to targets."""
        self._pool.close()


class _Exchange:
    """The body of a target's answer; the connection goes back to the pool at its end, or is closed before it."""

    def __init__(self, pool: Pool, connection: Upstream, idle_seconds: float) -> None:
        self._pool = pool
        self._connection: Upstream | None = connection
        self._body = connection.body(idle_seconds=idle_seconds)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._body)
        except StopAsyncIteration:
            if self._connection is not None:
                self._pool.give_back(self._connection)
                self._connection = None
            raise

    async def aclose(self) -> None:
        """Close the connection, unless the body has been read to its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _silent(group: Group, address: tuple[str, int], error: Exception, seconds: float) -> ChainError:
    target = f"target {address[0]}:{address[1]} of {group.name}"
    if isinstance(error, TimeoutError):
        return ChainError("target", f"{target} was silent for {seconds:g} s", status=504)
    return ChainError("target", f"{target} ended the connection before it answered: {error}", status=502)


def _target_group(action: Mapping[str, Any]) -> str:
    """The target group of a forward action, by weight if there are several."""
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or []
    if not groups:
        return str(action["TargetGroupArn"])
    weights = [int(group.get("Weight", 1)) for group in groups]
    if not any(weights):
        raise ChainError("rule", "every target group of the rule has the weight 0", status=503)
    return str(random.choices(groups, weights)[0]["TargetGroupArn"])  # noqa: S311 -- no secret
