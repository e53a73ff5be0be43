"""What stands behind a name and a port: a load balancer, a distribution, or AWS itself."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rehearsal.door import balancer, distribution
from rehearsal.door.authority import Authority
from rehearsal.door.aws import AwsEndpoint, is_aws
from rehearsal.door.balancing import Balancers
from rehearsal.door.certificates import Certificate
from rehearsal.door.look_ups import LookUps, Moment
from rehearsal.door.messages import Request, Response
from rehearsal.door.names import Names, normal


@dataclass(frozen=True)
class Entry:
    """What a connection to a name and a port reaches.

    Args:
        kind: in words, such as `load balancer`.
        is_secure: whether it speaks TLS.
        certificates: what it shows then; the first is its default.
        answer: answers a request.
        chain: the links on the way, for people.
    """

    kind: str
    is_secure: bool
    certificates: tuple[Certificate, ...]
    answer: Callable[[Request], Awaitable[Response]]
    chain: tuple[str, ...]


class Front:
    """Finds what stands behind a name, each time anew after a second.

    Args:
        look_ups: the API.
        names: the resolver.
        authority: signs what is shown.
    """

    def __init__(self, look_ups: LookUps, names: Names, authority: Authority) -> None:
        self._look_ups = look_ups
        self._names = names
        self._authority = authority
        self._moment = Moment(look_ups.seconds)
        self._balancers = Balancers(look_ups)
        self._distributions = distribution.Distributions(look_ups)
        self._aws = AwsEndpoint(look_ups.emulator)

    async def entry(self, host: str, port: int) -> Entry:
        """Find what a connection reaches.

        Args:
            host: host name.
            port: port.

        Raises:
            ChainError: the chain to it does not hold.
        """
        return await self._moment.get((normal(host), port), lambda: self._find(normal(host), port))

    def tls(self, entry: Entry) -> ssl.SSLContext:
        """Return the server's side of TLS for an entry."""
        return self._authority.context(entry.certificates)

    async def _find(self, host: str, port: int) -> Entry:
        if is_aws(host):
            own = Certificate("arn:aws:acm:::certificate/aws", (host,))
            return Entry("AWS", port == 443, (own,), self._aws.answer, (f"{host} is AWS itself",))  # noqa: PLR2004
        resolved = await self._names.resolve(host)
        if resolved.target.endswith(".cloudfront.net"):
            found = await distribution.find(self._look_ups, resolved.target, host, port)

            async def of_distribution(request: Request) -> Response:
                return await self._distributions.answer(found, request)

            chain = (*resolved.chain, f"{resolved.target} is distribution {found.arn}")
            return Entry("distribution", port == 443, found.certificates, of_distribution, chain)  # noqa: PLR2004
        behind = await balancer.find(self._look_ups, resolved.target, port)

        async def of_balancer(request: Request) -> Response:
            return await self._balancers.answer(behind, request)

        chain = (*resolved.chain, f"{resolved.target} is load balancer {behind.listener['LoadBalancerArn']}")
        return Entry("load balancer", behind.is_secure, behind.certificates, of_balancer, chain)

    def close(self) -> None:
        """End its connections and threads."""
        self._balancers.close()
        self._look_ups.close()
