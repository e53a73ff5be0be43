"""The main job, end to end, as its users run it."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import load
from tests.rehearsal.support import (
    ROOT,
    finish,
    leftovers,
    may,
    rehearse,
    rehearse_as_ordinary_user,
    short_temporary_folder,
    start,
    what_builds_wrote,
)

pytestmark = pytest.mark.rehearsal


@pytest.fixture
def temporary() -> Iterator[Path]:
    folder = short_temporary_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_sample_organization_is_rehearsed_and_nothing_is_left_behind(temporary: Path) -> None:
    """With Synth's buildspec whole: `./lz test` runs the unit tests, types and synthesis here, and nowhere else."""
    done = rehearse(["--json", "--all-checks"], temporary)

    assert done.code == 0, f"{done.messages}\n{done.report.get('problem')}\n{what_builds_wrote(done)}"
    assert done.report["passed"]
    assert not [line for line in done.report["not_run"] if "./lz check" in line]
    assert [check["name"] for check in done.report["checks"] if not check["passed"]] == []
    assert len(done.report["checks"]) >= 16
    assert done.report["peak_memory_mib"] > 200
    assert {stack["account"] for stack in done.report["stacks"]} == set(load().account_ids().values())
    assert all(stack["status"] == "CREATE_COMPLETE" for stack in done.report["stacks"])
    assert done.report["by_pipeline"]
    assert {action["status"] for action in done.report["pipeline"]} == {"Succeeded"}
    assert [note for note in done.report["notes"] if "name servers were entered" in note]
    assert [note for note in done.report["notes"] if "approved by the rehearsal itself" in note]
    assert done.report["recorded_only"]
    assert done.report["not_enforced"]
    assert any("the audit of dependencies" in line for line in done.report["not_run"])
    assert any("image scan" in line for line in done.report["not_run"])
    assert leftovers(temporary) == []


def test_the_report_for_people_names_every_stack_and_what_was_not_proven(temporary: Path) -> None:
    done = rehearse(["--environment", "staging"], temporary)

    assert done.code == 0, done.messages
    for text in ("MyDjangoAppStaging-Web", "SharedServices-Dns", "Pipeline", "Not enforced", "Recorded only"):
        assert text in done.output
    assert "MyDjangoAppProduction" not in done.output
    assert max(len(line) for line in done.output.splitlines()) <= 100
    assert "deploy my-django-app/staging" in done.messages


@pytest.mark.skipif(os.getuid() != 0, reason="every other test runs as an ordinary user already")
def test_an_ordinary_user_can_rehearse_beside_another_rehearsal(temporary: Path) -> None:
    if not may("/usr/bin/test", "-r", str(ROOT / "app.py")):
        pytest.skip("this checkout is in a folder that other users may not enter")
    other = short_temporary_folder()
    try:
        beside = start(["--environment", "production", "--json"], other)
        done = rehearse_as_ordinary_user(["--environment", "staging", "--json"], temporary)
        second = finish(beside)
        assert done.code == 0, done.messages
        assert second.code == 0, second.messages
        assert done.report["passed"]
        assert second.report["passed"]
        assert leftovers(temporary) + leftovers(other) == []
    finally:
        shutil.rmtree(other, ignore_errors=True)


@pytest.mark.parametrize("moment", ["bootstrap", "pipeline"])
def test_ctrl_c_leaves_no_process_and_no_file_behind(temporary: Path, moment: str) -> None:
    process = start([], temporary)
    assert process.stderr is not None
    waiting_for = {"bootstrap": "start the local AWS", "pipeline": "deploy tooling by hand"}[moment]
    for line in process.stderr:
        if waiting_for in line:
            break
    time.sleep(2)  # into the phase that follows

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode == 130
    assert leftovers(temporary) == []


def test_a_kept_rehearsal_stays_up_until_it_is_taken_down(temporary: Path) -> None:
    done = rehearse(["--environment", "staging", "--keep"], temporary)
    assert done.code == 0, done.messages
    assert "AWS_ENDPOINT_URL=https://" in done.messages
    assert leftovers(temporary) != []

    down = rehearse(["--down"], temporary)

    assert down.code == 0
    assert "1 rehearsal(s) taken down" in down.messages
    assert leftovers(temporary) == []
    again = rehearse(["--down"], temporary)
    assert again.code == 0
    assert "no rehearsal is up" in again.messages


def test_an_environment_that_does_not_exist_is_told_with_what_exists(temporary: Path) -> None:
    done = rehearse(["--environment", "stagin"], temporary)

    assert done.code == 2
    assert "did you mean my-django-app/staging?" in done.messages
    assert "Traceback" not in done.messages
    assert leftovers(temporary) == []
