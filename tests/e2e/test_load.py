"""Two hundred people at once, and not one of them sees an error."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from bench.load import figures
from bench.visitors import load
from tests.kept import Kept

CONNECTIONS = 200
SECONDS = 20.0


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_two_hundred_at_once_see_no_error(kept: Kept, reports: Path, environment: str) -> None:
    reach = kept.open(environment)
    url = reach["urls"]["site"]

    tally = asyncio.run(load(reach["proxy"], reach["ca_file"], url, connections=CONNECTIONS, seconds=SECONDS))

    found = figures(tally, url, connections=CONNECTIONS, seconds=SECONDS)
    (reports / f"load-{environment}.json").write_text(json.dumps(asdict(found), indent=2), encoding="utf-8")
    assert set(tally.statuses) == {200}, (tally.statuses, tally.problems)
    assert tally.statuses[200] >= CONNECTIONS
