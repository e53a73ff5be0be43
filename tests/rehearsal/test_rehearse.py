"""The main job, end to end, as its users run it."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import load
from tests.conftest import only_once
from tests.rehearsal.support import (
    ROOT,
    Rehearsed,
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

TIDY_SECONDS = 30


@pytest.fixture
def temporary() -> Iterator[Path]:
    folder = short_temporary_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class SideBySide:
    """Two rehearsals that ran at the same time, without the pipeline.

    Args:
        kept: of staging, by the user of the tests, kept and up.
        folder: its temporary folder.
        ordinary: of production, by a user without any privilege; None where that is no other user, or cannot be.
        folder_of_ordinary: its temporary folder.
    """

    kept: Rehearsed
    folder: Path
    ordinary: Rehearsed | None
    folder_of_ordinary: Path


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SideBySide]:
    only_once(tmp_path_factory, "side_by_side")
    folder, folder_of_ordinary = short_temporary_folder(), short_temporary_folder()
    process = start(["--environment", "staging", "--keep"], folder)
    ordinary = None
    try:
        if os.getuid() == 0 and may("/usr/bin/test", "-r", str(ROOT / "app.py")):
            arguments = ["--environment", "production", "--json"]
            ordinary = rehearse_as_ordinary_user(arguments, folder_of_ordinary)
        yield SideBySide(finish(process), folder, ordinary, folder_of_ordinary)
    finally:
        # Whatever does not end, or fails to, the rest is still taken down; and what went wrong first is what is told.
        with contextlib.ExitStack() as tidied:
            for each in (folder, folder_of_ordinary):
                tidied.callback(shutil.rmtree, each, ignore_errors=True)
            tidied.callback(lambda: leftovers(folder) and rehearse(["--down"], folder))
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.communicate(timeout=TIDY_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


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


def test_the_report_for_people_names_every_stack_and_what_was_not_proven(side_by_side: SideBySide) -> None:
    done = side_by_side.kept

    assert done.code == 0, done.messages
    for text in ("MyDjangoAppStaging-Web", "SharedServices-Dns", "Pipeline", "Not enforced", "Recorded only"):
        assert text in done.output
    assert "MyDjangoAppProduction" not in done.output
    assert max(len(line) for line in done.output.splitlines()) <= 100
    assert "deploy my-django-app/staging" in done.messages


def test_an_ordinary_user_can_rehearse_beside_another_rehearsal(side_by_side: SideBySide) -> None:
    done = side_by_side.ordinary
    if done is None:
        pytest.skip("every other test runs as an ordinary user, or none may enter this checkout's folder")

    assert done.code == 0, done.messages
    assert side_by_side.kept.code == 0, side_by_side.kept.messages
    assert done.report["passed"]
    assert done.report["environments"] == ["my-django-app/production"]
    assert leftovers(side_by_side.folder_of_ordinary) == []


def test_a_kept_rehearsal_stays_up_until_it_is_taken_down(side_by_side: SideBySide) -> None:
    """The last that needs the kept rehearsal: it takes it down."""
    done, folder = side_by_side.kept, side_by_side.folder
    assert done.code == 0, done.messages
    assert "AWS_ENDPOINT_URL=https://" in done.messages
    assert leftovers(folder) != []

    down = rehearse(["--down"], folder)

    assert down.code == 0
    assert "1 rehearsal(s) taken down" in down.messages
    assert leftovers(folder) == []
    again = rehearse(["--down"], folder)
    assert again.code == 0
    assert "no rehearsal is up" in again.messages


@pytest.mark.parametrize(("moment", "again_and_again"), [("bootstrap", True), ("pipeline", False)])
def test_ctrl_c_leaves_no_process_and_no_file_behind(
    temporary: Path, moment: str, *, again_and_again: bool
) -> None:
    process = start([], temporary)
    assert process.stderr is not None
    waiting_for = {"bootstrap": "start the local AWS", "pipeline": "deploy tooling by hand"}[moment]
    for line in process.stderr:
        if waiting_for in line:
            break
    time.sleep(2)  # into the phase that follows

    process.send_signal(signal.SIGINT)
    while again_and_again and process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    process.communicate(timeout=30)

    assert process.returncode == 130
    assert leftovers(temporary) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("stagin", "did you mean my-django-app/staging?"),
        ("", "my-django-app/staging, my-django-app/production"),
    ],
)
def test_an_environment_that_does_not_exist_is_told_with_what_exists(
    temporary: Path, name: str, told: str
) -> None:
    done = rehearse(["--environment", name], temporary)

    assert done.code == 2
    assert told in done.messages
    assert "Traceback" not in done.messages
    assert leftovers(temporary) == []
