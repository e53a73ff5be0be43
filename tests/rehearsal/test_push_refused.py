"""What `./lz rehearse --push` refuses, and what it leaves as it was. No emulator."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from rich.console import Console

from operations import cli
from operations.errors import CommandError
from operations.rehearsed import ROOT, kept_directory
from rehearsal import command, pushing
from rehearsal.approver import Approver
from rehearsal.by_pipeline import ByPipeline, replace_folder
from rehearsal.emulator import Emulator
from rehearsal.fixed import accounts_of, refuse_what_is_new, sites_of
from rehearsal.kept import PREFIX, remember
from rehearsal.process_group import command_line
from rehearsal.progress import Progress
from rehearsal.pushing import push
from rehearsal.report import Report
from tests import documents


def _up(folder: Path, name: str, **state: Any) -> Path:
    """A rehearsal's folder, as it looks."""
    made = folder / f"{PREFIX}{name}"
    made.mkdir()
    remember(made, {"project": str(ROOT), "environment": {}, "by_pipeline": True, "running": None, **state})
    return made


def _pushed(root: Path) -> int:
    console = Console(file=io.StringIO())
    progress = Progress(console)
    return push(
        documents.configured(documents.sample()),
        root=root,
        progress=progress,
        approver=Approver("auto", progress, console),
        console=console,
    )


def test_nothing_is_pushed_to_what_another_terminal_still_brings_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would follow one pipeline, and answer its approvals."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    running = _up(tmp_path, "running", running=(os.getpid(), command_line(os.getpid())))
    with pytest.raises(CommandError, match="still being brought up in another terminal") as told:
        _pushed(tmp_path)
    assert told.value.exit_code == 1
    assert "wait for its end" in str(told.value)
    assert kept_directory() == running, "it can be looked at"
    kept = _up(tmp_path, "kept")
    os.utime(kept, (1, 1))
    assert kept_directory(running=False) == kept


def test_a_rehearsal_that_ended_with_the_machine_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _up(tmp_path, "left")
    with pytest.raises(CommandError, match="no emulator was started") as told:
        _pushed(tmp_path)
    assert "./lz rehearse --down, then ./lz rehearse --keep" in str(told.value)
    assert told.value.exit_code == 1


def test_accounts_and_domains_that_the_rehearsal_was_started_without_are_refused_by_name() -> None:
    started = documents.configured(documents.sample())
    known = {
        "accounts": accounts_of(started, started.stages()),
        "sites": sites_of(started.stages()),
    }
    refuse_what_is_new(started, **known)
    refuse_what_is_new(
        documents.configured(documents.changed({"accounts.workloads.qa": "555555555555"})), **known
    )
    grown = documents.configured(documents.with_second_workload())
    with pytest.raises(CommandError) as told:
        refuse_what_is_new(grown, **known)
    assert told.value.exit_code == 2
    for text in (
        "account 555555555555 (shop-staging), account 666666666666 (shop)",
        "shop-staging.acme.example (shop/staging), shop.acme.example (shop/production)",
        "./lz rehearse --down, then ./lz rehearse --keep",
    ):
        assert text in str(told.value)
    assert "my-django-app" not in str(told.value)
    renamed = documents.configured(documents.changed({"staging.domain": "next.acme.example"}))
    with pytest.raises(CommandError, match=r"without next\.acme\.example \(my-django-app/staging\)"):
        refuse_what_is_new(renamed, **known)


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A rehearsal that is left up, as it looks: something stands in for the emulator's process, and none starts."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(command, "Rehearsal", _starts)
    folder = _up(tmp_path, "up") / "aws"
    folder.mkdir()
    arguments = [sys.executable, "-c", "input()", "rehearsal.emulator", str(folder)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE) as process:
        state = {"pid": process.pid, "port": 1, "region": "eu-west-1", "accounts": []}
        (folder / "emulator.json").write_text(json.dumps(state), encoding="utf-8")
        yield folder.parent
        process.kill()


class _StartedError(Exception):
    """A rehearsal would have started."""


def _starts(*_: object, **__: object) -> None:
    raise _StartedError


def _remember(folder: Path, **state: Any) -> None:
    remember(folder, {"project": str(ROOT), "by_pipeline": True, "running": None, **state})


def test_a_second_rehearsal_is_not_left_up_beside_the_first(
    up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in ([], ["--direct"], ["--environment", "staging"]):
        assert cli.main(["rehearse", "--keep", *more]) == 2
        told = capsys.readouterr().err
        assert f"up already, in {up}" in told
        assert "./lz rehearse --push" in told
        assert "./lz rehearse --down" in told
    _remember(up, by_pipeline=False)
    assert cli.main(["rehearse", "--keep"]) == 2
    told = capsys.readouterr().err
    assert "--push" not in told, "its pipeline has never run"
    assert "./lz rehearse --down" in told
    _remember(up, keep=True, running=(os.getpid(), command_line(os.getpid())))
    assert cli.main(["rehearse", "--keep"]) == 2
    assert "wait for its end" in capsys.readouterr().err


def test_rehearsals_that_end_by_themselves_and_those_of_other_checkouts_stand_in_nobodys_way(
    up: Path,
) -> None:
    with pytest.raises(_StartedError):
        cli.main(["rehearse"])
    _remember(up, keep=False, running=(os.getpid(), command_line(os.getpid())))
    with pytest.raises(_StartedError):
        cli.main(["rehearse", "--keep"])
    _remember(up, project="/elsewhere")
    with pytest.raises(_StartedError):
        cli.main(["rehearse", "--keep"])


def test_what_is_left_of_one_that_ended_with_the_machine_stands_in_nobodys_way(up: Path) -> None:
    (up / "aws" / "emulator.json").unlink()
    with pytest.raises(_StartedError):
        cli.main(["rehearse", "--keep"])


class _Ended(ByPipeline):
    """A release whose rehearsal ends before anything can be pushed."""

    def push(self, report: Report) -> None:
        raise EndpointConnectionError(endpoint_url=f"https://127.0.0.1/ {report.organization}")


def test_a_push_tells_how_the_rehearsal_ended_under_it(up: Path) -> None:
    configuration = documents.configured(documents.sample())
    console = Console(file=io.StringIO())
    progress = Progress(console)
    release = _Ended(
        Emulator.attach(up / "aws", answering=False),
        configuration,
        progress=progress,
        approver=Approver("auto", progress, console),
        root=up,
        door_directory=up / "door",
    )
    (up / "door").mkdir()
    (up / "door" / "door.json").touch()
    ended = {"pid": 0, "port": 1, "region": "eu-west-1", "accounts": []}
    (up / "aws" / "emulator.json").write_text(json.dumps(ended), encoding="utf-8")
    told = pushing._release(configuration, release, up, progress).problem
    assert "does not run any more" in str(told)
    assert "./lz rehearse --down, then ./lz rehearse --keep" in str(told)
    (up / "door" / "door.json").unlink()
    (up / "aws" / "emulator.json").unlink()
    told = pushing._release(configuration, release, up, progress).problem
    assert "taken down while its pipeline released" in str(told)


def _zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "{}")
    return buffer.getvalue()


def test_an_assembly_takes_the_place_of_the_earlier_one_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "released"
    replace_folder(folder, _zipped("first.json"))
    with pytest.raises(zipfile.BadZipFile):
        replace_folder(folder, _zipped("second.json")[:-8])
    assert [file.name for file in folder.iterdir()] == ["first.json"]
    replace_folder(folder, _zipped("third.json"))
    assert [file.name for file in folder.iterdir()] == ["third.json"]
    assert list(folder.parent.iterdir()) == [folder]
