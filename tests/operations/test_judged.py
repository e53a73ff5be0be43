"""What the gate found at a release: written beside its record, and read as the next one's baseline."""

import io
from typing import Any

import pytest
from botocore.response import StreamingBody

from config.naming import judged_key, record_prefix
from operations.releases.judged import Baseline, baseline, to_bytes
from tests.compliance.results import result
from tests.operations.support import scripted

STAGE = "ShopStaging"


def _read(answer: Any) -> Baseline:
    asked = {"Bucket": "records", "Key": judged_key(STAGE)}
    return baseline(scripted("s3", ("get_object", asked, answer)), "records", STAGE)


def _body(content: bytes) -> Any:
    return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def test_a_result_is_read_as_it_was_written_and_the_same_result_gives_the_same_bytes() -> None:
    content = to_bytes(result())
    assert to_bytes(result()) == content
    assert _read(_body(content)) == Baseline(result())
    assert judged_key(STAGE).startswith(record_prefix(STAGE))


def test_before_a_first_release_there_is_nothing_to_compare_with() -> None:
    found = _read("NoSuchKey")
    assert (found.result, found.problem) == (None, "no release was recorded yet")


@pytest.mark.parametrize("content", [b"", b"{}", to_bytes(result())[:99]])
def test_what_this_version_cannot_read_stops_nobody_and_is_named(content: bytes) -> None:
    found = _read(_body(content))
    assert found.result is None
    assert found.problem == "this version cannot read s3://records/ShopStaging/compliance.json.gz"
