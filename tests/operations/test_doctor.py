"""Reading trust policies, and knowing which places there are."""

from typing import Any

import pytest

from operations.bootstrap import bootstraps
from operations.doctor import places, trusts
from tests import documents

ROOT = "arn:aws:iam::111111111111:root"


def _policy(**changes: Any) -> dict[str, Any]:
    return {
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ROOT}, **changes},
            {"Effect": "Allow", "Action": "sts:TagSession", "Principal": {"AWS": ROOT}},
        ]
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": {"AWS": ["arn:aws:iam::999999999999:root", ROOT]}},
        {"Principal": {"AWS": "111111111111"}},
        {"Action": ["sts:AssumeRole", "sts:TagSession"]},
        {"Principal": {"AWS": "arn:aws-cn:iam::111111111111:root"}},
    ],
)
def test_trust_in_an_account_is_seen(changes: dict[str, Any]) -> None:
    assert trusts(_policy(**changes), "111111111111")


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Action": "sts:TagSession"},
        {"Principal": {"AWS": "arn:aws:iam::999999999999:root"}},
        {"Principal": {"AWS": "arn:aws:iam::111111111111:role/somebody"}},
        {"Principal": {"Service": "cloudformation.amazonaws.com"}},
        {"Principal": "*"},
    ],
)
def test_no_trust_is_seen_where_there_is_none(changes: dict[str, Any]) -> None:
    assert not trusts(_policy(**changes), "111111111111")


def test_every_place_that_is_bootstrapped_is_looked_at() -> None:
    for document in documents.VARIANTS.values():
        configuration = documents.configured(document)
        expected = {environment for call in bootstraps(configuration) for environment in call.environments}
        assert {f"aws://{place.account_id}/{place.region}" for place in places(configuration)} == expected
