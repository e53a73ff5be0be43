"""Objects of a private bucket, read in the name of a distribution: S3 decides by the bucket's policy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from rehearsal.door.faults import ChainError
from rehearsal.door.look_ups import LookUps
from rehearsal.door.messages import Headers, Request, Response, nothing
from rehearsal.emulator.internals_iam import resource_policy_allows

SERVICE = "cloudfront.amazonaws.com"
_NAME = re.compile(r"(?P<bucket>.+)\.s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com")
_NOT_FOUND = ("NoSuchKey", "404", "NoSuchBucket")
# Answers of S3 that CloudFront passes on.
_PASSED_ON = {
    "CacheControl": b"Cache-Control",
    "ContentDisposition": b"Content-Disposition",
    "ContentEncoding": b"Content-Encoding",
    "ContentLanguage": b"Content-Language",
    "ContentRange": b"Content-Range",
    "ContentType": b"Content-Type",
    "ETag": b"ETag",
}


@dataclass(frozen=True)
class Bucket:
    """A bucket as the origin of a distribution.

    Args:
        account: its account.
        name: its name.
        prefix: what the origin puts before every key.
        policy: its policy; empty if it has none.
        distribution_arn: the distribution that signs requests; None if it does not sign them.
    """

    account: str
    name: str
    prefix: str
    policy: str
    distribution_arn: str | None

    def allows(self, action: str, resource: str) -> bool:
        """Whether the policy lets the distribution do something."""
        arn = f"arn:aws:s3:::{self.name}{resource}"
        if self.distribution_arn is None:
            return resource_policy_allows(self.policy, action=action, resource=arn, service=None, context={})
        context = {
            "aws:SourceArn": self.distribution_arn,
            "aws:SourceAccount": self.distribution_arn.split(":")[4],
            "s3:TlsVersion": "1.3",
        }
        return resource_policy_allows(
            self.policy, action=action, resource=arn, service=SERVICE, context=context
        )


async def find_bucket(look_ups: LookUps, domain: str, *, prefix: str, distribution_arn: str | None) -> Bucket:
    """Find an origin's bucket, in whatever account: bucket names are the world's.

    Args:
        look_ups: the API.
        domain: the origin's domain name.
        prefix: the origin's path.
        distribution_arn: the distribution, if its requests are signed.

    Raises:
        ChainError: the origin is no bucket, or there is no such bucket.
    """
    named = _NAME.fullmatch(domain)
    if named is None:
        raise ChainError("origin", f"the origin {domain} is no S3 bucket; the rehearsal has no other origins")
    bucket = named["bucket"]
    for account in look_ups.emulator.accounts:
        listed = await look_ups.call("s3", account, "list_buckets")
        if any(entry["Name"] == bucket for entry in listed.get("Buckets", [])):
            policy = await _policy(look_ups, account, bucket)
            return Bucket(account, bucket, prefix.strip("/"), policy, distribution_arn)
    raise ChainError("origin", f"the origin's bucket {bucket} does not exist", status=404)


async def _policy(look_ups: LookUps, account: str, bucket: str) -> str:
    try:
        answer = await look_ups.call("s3", account, "get_bucket_policy", Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return ""
        raise
    return str(answer["Policy"])


async def read_object(look_ups: LookUps, bucket: Bucket, key: str, request: Request) -> Response:
    """Answer with an object.

    Args:
        look_ups: the API.
        bucket: where it is.
        key: its key as the path has it, without the origin's prefix.
        request: the request, for its conditions and its range.

    Raises:
        ChainError: the policy does not let the distribution read it, or it does not exist.
    """
    whole_key = unquote("/".join(part for part in (bucket.prefix, key) if part))
    if not bucket.allows("s3:GetObject", f"/{whole_key}"):
        who = bucket.distribution_arn or "anybody (the origin's requests are not signed)"
        reason = f"the policy of {bucket.name} does not let {who} read {whole_key} (AccessDenied)"
        raise ChainError("bucket policy", reason, status=403)
    if not whole_key:
        raise ChainError(
            "object", f"the distribution has no default root object for {request.path}", status=403
        )
    if request.method == "OPTIONS":
        raise ChainError(
            "object", f"{bucket.name} has no CORS rules of its own, so S3 refuses OPTIONS", status=403
        )
    try:
        found, content = await look_ups.read_object(
            bucket.account, bucket.name, whole_key, _conditions(request)
        )
    except ClientError as error:
        return _refusal(bucket, whole_key, error)
    status = int(found["ResponseMetadata"]["HTTPStatusCode"])
    return Response.whole(
        status, content, (b"Server", b"AmazonS3"), (b"Accept-Ranges", b"bytes"), *_passed_on(found)
    )


def _conditions(request: Request) -> Mapping[str, str]:
    """The request's headers that S3 decides by."""
    wanted = {
        "Range": request.header(b"range"),
        "IfNoneMatch": request.header(b"if-none-match"),
    }
    return {name: value for name, value in wanted.items() if value}


def _passed_on(found: Mapping[str, Any]) -> Headers:
    headers = [(name, str(found[key]).encode()) for key, name in _PASSED_ON.items() if found.get(key)]
    if found.get("LastModified"):
        stamp = found["LastModified"].strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers.append((b"Last-Modified", stamp.encode()))
    return headers


def _refusal(bucket: Bucket, key: str, error: ClientError) -> Response:
    """S3's refusal as CloudFront passes it on."""
    code = error.response["Error"]["Code"]
    status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    if status == 304:  # noqa: PLR2004
        return Response(304, [], nothing())
    if code not in _NOT_FOUND:
        raise ChainError("object", f"S3 refused {key} of {bucket.name}: {code}", status=status) from error
    # S3 says that a key does not exist only to those who may list the bucket.
    if bucket.allows("s3:ListBucket", ""):
        raise ChainError("object", f"{bucket.name} has no object {key} (NoSuchKey)", status=404) from error
    reason = f"{bucket.name} has no object {key}; who may not list a bucket gets AccessDenied for that"
    raise ChainError("object", reason, status=403) from error
