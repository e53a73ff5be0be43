"""What the packet of a checkout is made of; the app itself is not run."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from operations.checkout import Checkout
from operations.packet import evidence
from tests import documents
from tests.operations.packet.releases import COMMIT, judged


@pytest.mark.parametrize(
    ("config", "checkout", "expected"),
    [
        (None, Checkout(COMMIT, uncommitted=False), (COMMIT, False)),
        (None, Checkout(None, uncommitted=True), (None, True)),
        (documents.SAMPLE, Checkout(COMMIT, uncommitted=False), (None, False)),
    ],
)
def test_a_checkout_is_named_by_its_commit_unless_another_configuration_is_read(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    config: Path | None,
    checkout: Checkout,
    expected: tuple[str | None, bool],
) -> None:
    monkeypatch.setattr(evidence, "read_checkout", lambda: checkout)
    monkeypatch.setattr(evidence, "drafted", lambda **_: nullcontext(tmp_path))
    monkeypatch.setattr(evidence, "read_assembly", lambda _: ())
    monkeypatch.setattr(evidence, "judged_now", lambda *_: judged())
    configuration = documents.configured(documents.sample())
    stage = configuration.find_stage("production")

    with evidence.from_checkout(configuration, stage, None, running=None, config=config) as candidate:
        assert (candidate.commit, candidate.uncommitted) == expected
