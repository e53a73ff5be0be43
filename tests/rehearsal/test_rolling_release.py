"""A good release, while people use the site: nobody sees an error, and the old version gives way to the new one."""

import shutil
from pathlib import Path

import pytest

from bench.visitors import Manner, people
from rehearsal.checks import Deployed
from tests.kept import Kept
from tests.rehearsal.released import SOURCE, Released

pytestmark = pytest.mark.rehearsal

PEOPLE = 6
NEW = "A second project. It runs in"


def test_a_page_under_load_through_a_whole_good_release_sees_no_error(
    kept: Kept, deployed: Deployed, tmp_path: Path
) -> None:
    """Through two of them: to the new version and back, in the environment with one task, where it is hardest."""
    source = tmp_path / "source"
    # The app's own tests may run meanwhile, and make these.
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns(".venv", ".dev", "__pycache__", ".*_cache"))
    base = source / "fieldnotes" / "templates" / "fieldnotes" / "base.html"
    page = base.read_text(encoding="utf-8")
    base.write_text(page.replace("A sample project. It runs in", NEW), encoding="utf-8")
    assert base.read_text(encoding="utf-8") != page
    stage = deployed.configuration.find_stage("staging")
    released = Released(deployed, stage, tmp_path)
    second = released.push("second", source)
    door, url = kept.door, f"https://{stage.environment.domain}/"
    manner = Manner(pause=0.05, mark=NEW.encode())

    with people(door.proxy, door.ca_file, url, connections=PEOPLE, manner=manner) as tally:
        released.deploy(second, tmp_path / "there")
        seen_there = tally.marked
        released.deploy(released.digest, tmp_path / "back")

    assert set(tally.statuses) == {200}, (tally.statuses, tally.problems)
    assert tally.statuses[200] > 100
    assert 0 < seen_there < tally.marked < tally.statuses[200], "both versions answered, in both releases"
