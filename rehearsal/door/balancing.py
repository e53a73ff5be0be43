"""What a load balancer answers: by its rules, with its headers, from its targets."""

import random
from collections.abc import Mapping
from typing import Any, Self

from rehearsal.door.balancer import Balancer
from rehearsal.door.balancer_headers import server_header, to_target
from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps
from rehearsal.door.messages import Request, Response, forwardable
from rehearsal.door.rules import first_match, redirect_location
from rehearsal.door.targets import Group, Targets
from rehearsal.door.upstream import Pool, Upstream, UpstreamError

_REASONS = {
    400: "400 Bad Request",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


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
