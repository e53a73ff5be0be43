"""The CDN: CloudFront's behaviors, headers and refusals, and the bucket's policy."""

import json
from collections.abc import Iterator

import pytest

from rehearsal.door import DoorState
from tests.rehearsal.conftest import Cloud
from tests.rehearsal.site_template import HOST, STATIC
from tests.rehearsal.sites import Site, Target, ask, eventually

STYLE = f"https://{STATIC}/css/site.1a2b.css"


@pytest.fixture(autouse=True)
def style(site: Site, cloud: Cloud) -> Iterator[None]:
    """A file in the bucket."""
    place = {"Bucket": site.outputs["Bucket"], "Key": "css/site.1a2b.css"}
    cloud.client("s3").put_object(
        **place,
        Body=b"body { color: teal }",
        ContentType="text/css",
        CacheControl="max-age=31536000, immutable",
    )
    yield
    cloud.client("s3").delete_object(**place)


def test_a_file_of_the_bucket_is_served_with_its_type_and_its_caching(state: DoorState) -> None:
    answer = ask(state, STYLE)

    assert (answer.status, answer.body) == (200, b"body { color: teal }")
    assert answer.headers["Content-Type"] == "text/css"
    assert answer.headers["Cache-Control"] == "max-age=31536000, immutable"
    assert answer.headers["X-Cache"] == "Miss from cloudfront"
    assert answer.headers["Via"].endswith("(CloudFront)")


def test_only_the_site_itself_may_read_files_from_its_pages(state: DoorState) -> None:
    own = ask(state, STYLE, headers={"Origin": f"https://{HOST}"})
    other = ask(state, STYLE, headers={"Origin": "https://elsewhere.example"})

    assert own.headers["Access-Control-Allow-Origin"] == f"https://{HOST}"
    assert own.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_known_version_is_not_sent_again_and_a_part_is_sent_alone(state: DoorState) -> None:
    tag = ask(state, STYLE).headers["ETag"]

    assert ask(state, STYLE, headers={"If-None-Match": tag}).status == 304
    part = ask(state, STYLE, headers={"Range": "bytes=0-3"})
    assert (part.status, part.body) == (206, b"body")


def test_plain_http_is_redirected(state: DoorState) -> None:
    answer = ask(state, f"http://{STATIC}/a.css")

    assert (answer.status, answer.headers["Location"]) == (301, f"https://{STATIC}/a.css")


def test_a_file_that_is_not_there_is_forbidden_to_who_may_not_list_the_bucket(state: DoorState) -> None:
    answer = ask(state, f"https://{STATIC}/missing.css")

    assert (answer.status, answer.step) == (403, "object")
    assert answer.headers["X-Cache"] == "Error from cloudfront"


def test_a_method_that_the_behavior_does_not_allow_is_refused(state: DoorState) -> None:
    answer = ask(state, STYLE, method="POST", data=b"x")

    assert (answer.status, answer.step) == (403, "behavior")


def test_a_bucket_policy_for_another_distribution_refuses_every_file(
    state: DoorState, site: Site, cloud: Cloud
) -> None:
    s3, bucket = cloud.client("s3"), site.outputs["Bucket"]
    own = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.put_bucket_policy(Bucket=bucket, Policy=own.replace(site.outputs["Distribution"], "E000OTHER"))
    refused = eventually(lambda: ask(state, STYLE), lambda found: found.status == 403)
    s3.delete_bucket_policy(Bucket=bucket)
    without = eventually(lambda: ask(state, STYLE), lambda found: found.status == 403)
    s3.put_bucket_policy(Bucket=bucket, Policy=own)
    mended = eventually(lambda: ask(state, STYLE), lambda found: found.status == 200)

    assert (refused.step, without.step) == ("bucket policy", "bucket policy")
    assert site.outputs["Distribution"] in refused.reason
    assert mended.status == 200


def test_a_policy_that_lets_the_distribution_list_makes_a_missing_file_not_found(
    state: DoorState, site: Site, cloud: Cloud
) -> None:
    s3, bucket = cloud.client("s3"), site.outputs["Bucket"]
    own = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    policy = json.loads(own)
    listing = {
        **policy["Statement"][0],
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{bucket}",
    }
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({**policy, "Statement": [*policy["Statement"], listing]})
    )
    answer = eventually(
        lambda: ask(state, f"https://{STATIC}/missing.css"), lambda found: found.status == 404
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=own)

    assert (answer.status, answer.step) == (404, "object")


def test_the_cdn_never_asks_the_load_balancer(state: DoorState, targets: list[Target]) -> None:
    before = [target.requests for target in targets]

    assert ask(state, STYLE).status == 200
    assert ask(state, f"https://{STATIC}/missing.css").status == 403

    assert [target.requests for target in targets] == before
