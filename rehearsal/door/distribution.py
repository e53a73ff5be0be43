"""A CloudFront distribution: what the API says about it, and its answers."""

import fnmatch
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.door.bucket import Bucket, find_bucket, read_object
from rehearsal.door.certificates import Certificate, issued
from rehearsal.door.distribution_headers import apply_policy
from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps
from rehearsal.door.messages import Request, Response
from rehearsal.door.rules import host_of

CERTIFICATE_REGION = "us-east-1"  # the one region that CloudFront takes certificates from
_DEFAULT_METHODS = ("GET", "HEAD")
_REASONS = {403: "403 ERROR", 404: "404 Not Found", 502: "502 ERROR", 503: "503 ERROR"}


@dataclass(frozen=True)
class Distribution:
    """A distribution.

    Args:
        account: its account.
        arn: its ARN, which bucket policies name.
        name: its own name, such as d111111abcdef8.cloudfront.net.
        config: its configuration, as the API gives it.
        certificates: the certificate that viewers see.
    """

    account: str
    arn: str
    name: str
    config: Mapping[str, Any]
    certificates: tuple[Certificate, ...]


async def find(look_ups: LookUps, name: str, host: str, port: int) -> Distribution:
    """Find the distribution of a name.

    Args:
        look_ups: the API.
        name: its own name.
        host: the name that the client asked for.
        port: the port that the client asks.

    Raises:
        ChainError: there is none, it does not take that host, or its certificate cannot be used.
    """
    account, summary = await _describe(look_ups, name)
    where = f"distribution {summary['Id']} in account {account}"
    if port not in (80, 443):
        raise ChainError("listener", f"CloudFront listens on 80 and 443 and not on {port}")
    found = await look_ups.call("cloudfront", account, "get_distribution", Id=summary["Id"])
    distribution = found["Distribution"]
    config = distribution["DistributionConfig"]
    if not config.get("Enabled"):
        raise ChainError("distribution", f"{where} is disabled: the name has no address", status=503)
    aliases = [str(alias).lower() for alias in config.get("Aliases", {}).get("Items", [])]
    viewer = config.get("ViewerCertificate", {})
    certificates: tuple[Certificate, ...] = (Certificate(name, ("*.cloudfront.net",)),)
    if viewer.get("ACMCertificateArn"):
        own = await issued(
            look_ups,
            viewer["ACMCertificateArn"],
            account=account,
            region=CERTIFICATE_REGION,
            used_by=where,
        )
        # CloudFront shows a distribution's certificate for its alternate names alone.
        certificates = (own,) if any(_is_alias(host, alias) for alias in aliases) else certificates
    return Distribution(account, str(distribution["ARN"]), name, config, certificates)


async def _describe(look_ups: LookUps, name: str) -> tuple[str, Mapping[str, Any]]:
    for account in look_ups.emulator.accounts:
        listed = await look_ups.call("cloudfront", account, "list_distributions")
        for summary in listed.get("DistributionList", {}).get("Items", []):
            if str(summary["DomainName"]).lower() == name:
                return account, summary
    raise ChainError("alias", f"no account has a distribution {name}: the name has no address (NXDOMAIN)")


def _is_alias(host: str, alias: str) -> bool:
    return host == alias or (alias.startswith("*.") and host.partition(".")[2] == alias[2:])


class Distributions:
    """Answers requests as CloudFront does; nothing is cached, so that every request tests the origin.

    Args:
        look_ups: the API.
    """

    def __init__(self, look_ups: LookUps) -> None:
        self._look_ups = look_ups

    async def answer(self, distribution: Distribution, request: Request) -> Response:
        """Answer a request by the distribution's behaviors.

        Args:
            distribution: the distribution.
            request: the request.
        """
        behavior = _behavior(distribution.config, request.path)
        try:
            response = await self._act(distribution, behavior, request)
        except ChainError as broken:
            page = broken.page(_REASONS.get(broken.status, str(broken.status)))
            response = Response.whole(
                broken.status,
                page,
                (b"Server", b"CloudFront"),
                (b"Content-Type", b"text/html"),
                (b"X-Cache", b"Error from cloudfront"),
                *broken.headers(),
            )
        response.headers = await self._headers(distribution, behavior, request, response)
        return response

    async def _act(
        self, distribution: Distribution, behavior: Mapping[str, Any], request: Request
    ) -> Response:
        config = distribution.config
        aliases = [str(alias).lower() for alias in config.get("Aliases", {}).get("Items", [])]
        host = host_of(request)
        if host != distribution.name and not any(_is_alias(host, alias) for alias in aliases):
            reason = f"{distribution.arn} has no alternate domain name {host}; it has {', '.join(aliases) or 'none'}"
            raise ChainError("distribution", reason, status=403)
        policy = behavior.get("ViewerProtocolPolicy", "allow-all")
        if request.scheme == "http" and policy == "redirect-to-https":
            location = f"https://{host}{request.target}".encode()
            return Response.whole(301, b"", (b"Server", b"CloudFront"), (b"Location", location))
        if request.scheme == "http" and policy == "https-only":
            raise ChainError("behavior", "the behavior takes HTTPS only", status=403)
        allowed = behavior.get("AllowedMethods", {}).get("Items") or _DEFAULT_METHODS
        if request.method not in allowed:
            reason = f"the behavior allows {', '.join(allowed)} and not {request.method}"
            raise ChainError("behavior", reason, status=403)
        bucket = await self._origin(distribution, behavior)
        key = request.path.removeprefix("/") or str(config.get("DefaultRootObject") or "")
        return await read_object(self._look_ups, bucket, key, request)

    async def _origin(self, distribution: Distribution, behavior: Mapping[str, Any]) -> Bucket:
        """The bucket behind a behavior."""
        origins = distribution.config["Origins"]["Items"]
        wanted = behavior["TargetOriginId"]
        origin = next((one for one in origins if one["Id"] == wanted), None)
        if origin is None:
            raise ChainError("origin", f"{distribution.arn} has no origin {wanted}")
        signed = False
        if origin.get("OriginAccessControlId"):
            found = await self._look_ups.call(
                "cloudfront",
                distribution.account,
                "get_origin_access_control",
                Id=origin["OriginAccessControlId"],
            )
            control = found["OriginAccessControl"]["OriginAccessControlConfig"]
            signed = (
                control["SigningBehavior"] == "always" and control["OriginAccessControlOriginType"] == "s3"
            )
        return await find_bucket(
            self._look_ups,
            str(origin["DomainName"]),
            prefix=str(origin.get("OriginPath") or ""),
            distribution_arn=distribution.arn if signed else None,
        )

    async def _headers(
        self,
        distribution: Distribution,
        behavior: Mapping[str, Any],
        request: Request,
        response: Response,
    ) -> list[tuple[bytes, bytes]]:
        headers = list(response.headers)
        if not any(name == b"X-Cache" for name, _ in headers):
            headers.append((b"X-Cache", b"Miss from cloudfront"))
        headers.append((b"Via", f"1.1 {distribution.name} (CloudFront)".encode()))
        headers.append((b"X-Amz-Cf-Id", secrets.token_urlsafe(42).encode()))
        policy_id = behavior.get("ResponseHeadersPolicyId")
        if not policy_id:
            return headers
        found = await self._look_ups.call(
            "cloudfront", distribution.account, "get_response_headers_policy", Id=policy_id
        )
        return apply_policy(found["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"], request, headers)


def _behavior(config: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The first behavior whose pattern matches a path, or the default one."""
    for behavior in config.get("CacheBehaviors", {}).get("Items", []):
        pattern = "/" + str(behavior["PathPattern"]).removeprefix("/")
        if fnmatch.fnmatchcase(path, pattern.replace("[", "[[]")):
            return behavior  # type: ignore[no-any-return]
    return config["DefaultCacheBehavior"]  # type: ignore[no-any-return]
